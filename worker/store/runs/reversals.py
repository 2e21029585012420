"""Reversals: spans of a claim's entries that an undo has taken back.

The entries stay in the ledger as long as their turns are spent, and move to its history when the
turns come back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    FromClause,
    ScalarSelect,
    and_,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from worker.domain.turns.allotment import Entry
from worker.domain.turns.causes import Cause
from worker.domain.turns.turns import Span, find_islands, merge
from worker.store.sql.spans import FEW_SPANS, among
from worker.store.tables import ledger, ledger_history, pools, reversals

_COLUMNS = [column.name for column in ledger_history.c]

ENTERED = union_all(
    select(ledger), select(*(ledger_history.c[column.name] for column in ledger.c))
).subquery("entered")
"""All entries that were ever made: those of the ledger and those of its history."""

LENGTH = reversals.c.last_ordinal - reversals.c.first_ordinal + 1
"""How many entries a reversal takes back."""


@dataclass(frozen=True, slots=True)
class ReversedEntry(Entry):
    """An entry that was taken back."""

    run_id: int
    """The undo that has taken it back."""
    taken_back_at: datetime


# --- conditions ---


def undo_of(entries: FromClause) -> ScalarSelect[int | None]:
    """The undo that has taken an entry back, if one has. It looks at the one reversal that may hold
    the entry, however many there are."""
    before = and_(
        reversals.c.pool_id == entries.c.pool_id,
        reversals.c.claim == entries.c.claim,
        reversals.c.first_ordinal <= entries.c.ordinal,
    )
    run_id = case((reversals.c.last_ordinal >= entries.c.ordinal, reversals.c.run_id))
    return (
        select(run_id)
        .where(before)
        .order_by(reversals.c.first_ordinal.desc())
        .limit(1)
        .correlate(entries)
        .scalar_subquery()
    )


def stands(entries: FromClause) -> ColumnElement[bool]:
    """That no undo has taken an entry back. Most claims have no reversal at all, so that is asked
    first, and once for all entries."""
    # Without DISTINCT PostgreSQL would go through all reversals for each entry.
    reversed_claims = select(reversals.c.claim).distinct()
    return or_(entries.c.claim.not_in(reversed_claims), undo_of(entries).is_(None))


def taken_back(
    session: Session, pool_id: int, claim: str, run_id: int | None = None
) -> ColumnElement[bool]:
    """That an entry in the ledger is an entry of the claim that was taken back, by that undo or by
    any."""
    found = select(reversals.c.first_ordinal, LENGTH).where(
        reversals.c.pool_id == pool_id, reversals.c.claim == claim
    )
    asked_of_each: ColumnElement[bool] = undo_of(ledger).is_not(None)
    if run_id is not None:
        found, asked_of_each = found.where(reversals.c.run_id == run_id), undo_of(ledger) == run_id
    spans = merge(Span(first, count) for first, count in session.execute(found))
    its = among(ledger.c.ordinal, spans) if len(spans) <= FEW_SPANS else asked_of_each
    return and_(ledger.c.pool_id == pool_id, ledger.c.claim == claim, its)


# --- reversals ---


def add(
    session: Session,
    run_id: int,
    pool_id: int,
    claim: str,
    ordinals: Sequence[int],
    moment: datetime,
) -> None:
    """Notes that an undo has taken back the entries of a claim with those ordinals. They ascend."""
    common = {"run_id": run_id, "pool_id": pool_id, "claim": claim, "at": moment}
    spans = [
        {"first_ordinal": ordinals[begin], "last_ordinal": ordinals[end - 1], **common}
        for begin, end in find_islands(ordinals)
    ]
    if spans:
        session.execute(insert(reversals), spans)


def count(session: Session, run_id: int) -> int:
    """How many entries an undo has taken back."""
    length = func.coalesce(func.sum(LENGTH), 0)
    return int(session.scalars(select(length).where(reversals.c.run_id == run_id)).one())


def list_claims(session: Session, pool_id: int) -> list[str]:
    """The claims of a pool of which something was taken back."""
    found = select(reversals.c.claim).where(reversals.c.pool_id == pool_id).distinct()
    return list(session.scalars(found))


def list_of_record(session: Session, record_type: str, record_id: int) -> list[ReversedEntry]:
    """The entries of a record that were taken back, newest reversal first."""
    same = and_(reversals.c.pool_id == ENTERED.c.pool_id, reversals.c.claim == ENTERED.c.claim)
    its = and_(same, ENTERED.c.ordinal.between(reversals.c.first_ordinal, reversals.c.last_ordinal))
    found = (
        select(ENTERED, reversals.c.run_id, reversals.c.at.label("taken_back_at"))
        .join_from(ENTERED, reversals, its)
        .join(pools, pools.c.id == ENTERED.c.pool_id)
        .where(pools.c.record_type == record_type, ENTERED.c.record_id == record_id)
        .order_by(reversals.c.at.desc())
    )
    return [
        ReversedEntry(
            pool_id=row.pool_id,
            turn=row.turn,
            claim=row.claim,
            ordinal=row.ordinal,
            record_id=row.record_id,
            user_id=row.user_id,
            previous_owner_id=row.previous_owner_id,
            cause=Cause(row.cause),
            actor_id=row.actor_id,
            at=row.at,
            run_id=row.run_id,
            taken_back_at=row.taken_back_at,
        )
        for row in session.execute(found)
    ]


# --- turns that come back ---


def copy_to_history(session: Session, theirs: ColumnElement[bool]) -> None:
    """Copies entries that were taken back into the history."""
    entries = select(*(ledger.c[name] for name in _COLUMNS)).where(theirs)
    session.execute(insert(ledger_history).from_select(_COLUMNS, entries))


def remove_entries(session: Session, theirs: ColumnElement[bool]) -> None:
    """Removes entries from the ledger that are in the history by now: their turns are free."""
    session.execute(delete(ledger).where(theirs))
