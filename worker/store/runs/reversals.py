"""Takebacks: entries of a run, one after another, that an undo has taken back.

They stay in the ledger as long as their turns are spent, and move to its history when those come
back.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Row,
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

from worker.domain.turns.turns import Span, islands, merged
from worker.store.sql.spans import FEW_SPANS, among
from worker.store.tables import ledger, ledger_history, pools, reversals

_COLUMNS = [column.name for column in ledger_history.c]

ENTERED = union_all(
    select(ledger), select(*(ledger_history.c[column.name] for column in ledger.c))
).subquery("entered")
"""What was ever entered: the ledger and its history."""

LENGTH = reversals.c.last_ordinal - reversals.c.first_ordinal + 1


def undo_of(entries: FromClause) -> ScalarSelect[int | None]:
    """The undo that has taken an entry back, if one has. A look at the one takeback that may have
    it, however many there are."""
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
    """That no undo has taken an entry back. Of most claims none has taken back anything, which is
    asked first, and once for all."""
    some = select(
        reversals.c.claim
    ).distinct()  # else PostgreSQL would go through all of many reversals for each entry
    return or_(entries.c.claim.not_in(some), undo_of(entries).is_(None))


def add(
    session: Session,
    run_id: int,
    pool_id: int,
    claim: str,
    ordinals: Sequence[int],
    moment: datetime,
) -> None:
    """Notes that an undo has taken back the entries of a claim with those ordinals, which ascend."""
    common = {"run_id": run_id, "pool_id": pool_id, "claim": claim, "at": moment}
    spans = [
        {"first_ordinal": ordinals[begin], "last_ordinal": ordinals[end - 1], **common}
        for begin, end in islands(ordinals)
    ]
    if spans:
        session.execute(insert(reversals), spans)


def count(session: Session, run_id: int) -> int:
    """How many entries an undo has taken back."""
    return int(
        session.scalars(
            select(func.coalesce(func.sum(LENGTH), 0)).where(reversals.c.run_id == run_id)
        ).one()
    )


def claims(session: Session, pool_id: int) -> list[str]:
    """The claims of which something was taken back."""
    return list(
        session.scalars(select(reversals.c.claim).where(reversals.c.pool_id == pool_id).distinct())
    )


def taken_back(
    session: Session, pool_id: int, claim: str, run_id: int | None = None
) -> ColumnElement[bool]:
    """That an entry in the ledger is one of those that were taken back of a claim, by one undo or
    by whichever."""
    found = select(reversals.c.first_ordinal, LENGTH).where(
        reversals.c.pool_id == pool_id, reversals.c.claim == claim
    )
    asked_of_each: ColumnElement[bool] = undo_of(ledger).is_not(None)
    if run_id is not None:
        found, asked_of_each = found.where(reversals.c.run_id == run_id), undo_of(ledger) == run_id
    spans = merged(Span(first, count) for first, count in session.execute(found))
    its = among(ledger.c.ordinal, spans) if len(spans) <= FEW_SPANS else asked_of_each
    return and_(ledger.c.pool_id == pool_id, ledger.c.claim == claim, its)


def note_in_history(session: Session, theirs: ColumnElement[bool]) -> None:
    """Copies entries that were taken back into the history."""
    session.execute(
        insert(ledger_history).from_select(
            _COLUMNS, select(*(ledger.c[name] for name in _COLUMNS)).where(theirs)
        )
    )


def free(session: Session, theirs: ColumnElement[bool]) -> None:
    """Removes entries that are in the history by now from the ledger: their turns are free."""
    session.execute(delete(ledger).where(theirs))


def of_record(session: Session, record_type: str, record_id: int) -> list[Row[Any]]:
    """The entries of a record that were taken back, newest first, each with the run_id of the undo
    and the moment, taken_back_at."""
    same = and_(reversals.c.pool_id == ENTERED.c.pool_id, reversals.c.claim == ENTERED.c.claim)
    its = and_(same, ENTERED.c.ordinal.between(reversals.c.first_ordinal, reversals.c.last_ordinal))
    found = select(ENTERED, reversals.c.run_id, reversals.c.at.label("taken_back_at")).join_from(
        ENTERED, reversals, its
    )
    found = found.join(pools, pools.c.id == ENTERED.c.pool_id).where(
        pools.c.record_type == record_type
    )
    return list(
        session.execute(
            found.where(ENTERED.c.record_id == record_id).order_by(reversals.c.at.desc())
        )
    )
