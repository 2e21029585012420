"""`verify` reads undos: the undos, their reversals, and the ledger's history."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session

from worker.store.audit.run_totals import claim_of, is_owned_by
from worker.store.audit.streams import flag, stream
from worker.store.runs.reversals import LENGTH, stands, undo_of
from worker.store.tables import chunks, ledger, ledger_history, reversals, runs, skips, undos, users


@dataclass(frozen=True, slots=True)
class Undoing:
    """An undo, and the state of the entries that it took back."""

    id: int
    records: int
    returned: int
    ended_at: datetime | None
    returns_turns: bool
    taken_back: int
    """How many entries its reversals have."""
    spent: int
    """How many of these are in the ledger."""
    moved: int
    """How many of these are in the ledger's history."""


@dataclass(frozen=True, slots=True)
class InvalidReversal:
    """A reversal that can't be right."""

    claim: str
    first_ordinal: int
    last_ordinal: int
    run_id: int
    unknown: int
    """1 if no undo of the run with that claim has it in a chunk that is done."""
    again: int
    """1 if another reversal has one of its ordinals."""
    skipped: int
    """1 if its undo has left one of its ordinals alone."""


@dataclass(frozen=True, slots=True)
class InvalidHistory:
    """An entry in the history that can't be right."""

    turn: int
    claim: str
    unmoved: int
    """1 if it was not taken back."""
    nobody: int
    """1 if it names a user who doesn't exist."""
    another: int
    """1 if it names no record, or another cause than its claim's."""


def list_undoings(session: Session, pool_id: int) -> list[Undoing]:
    """The undos of a pool's runs, oldest first."""
    undone = runs.alias("undone")
    taken_back = select(func.coalesce(func.sum(LENGTH), 0)).where(
        reversals.c.pool_id == pool_id, reversals.c.run_id == runs.c.id
    )
    spent, moved = (
        select(func.count()).where(
            book.c.pool_id == pool_id, book.c.claim == claim_of(undone), undo_of(book) == runs.c.id
        )
        for book in (ledger, ledger_history)
    )
    counts = (
        found.correlate(runs, undone).scalar_subquery() for found in (taken_back, spent, moved)
    )
    found = (
        select(
            runs.c.id,
            runs.c.records,
            runs.c.returned,
            runs.c.ended_at,
            undos.c.returns_turns,
            *counts,
        )
        .join(undos, undos.c.run_id == runs.c.id)
        .join(undone, undone.c.id == undos.c.undone_run_id)
        .where(is_owned_by(pool_id))
    )
    return [Undoing(*row) for row in session.execute(found.order_by(runs.c.id))]


def find_invalid_reversals(session: Session, pool_id: int) -> Iterator[InvalidReversal]:
    """The reversals of a pool that can't be right, by claim and ordinal."""
    undone, following = runs.alias("undone"), reversals.alias("following")
    its = and_(
        undos.c.run_id == reversals.c.run_id,
        claim_of(undone) == reversals.c.claim,
        undone.c.owner_id == pool_id,
    )
    in_chunk = and_(
        chunks.c.first_ordinal <= reversals.c.first_ordinal,
        reversals.c.last_ordinal < chunks.c.first_ordinal + chunks.c.rows,
    )
    known = select(1).select_from(
        undos.join(undone, undone.c.id == undos.c.undone_run_id).join(
            chunks, chunks.c.run_id == undos.c.run_id
        )
    )
    unknown = ~exists(
        known.where(its, in_chunk, chunks.c.done_at.is_not(None)).correlate(reversals)
    )
    next_first = select(func.min(following.c.first_ordinal)).where(
        following.c.pool_id == pool_id,
        following.c.claim == reversals.c.claim,
        following.c.first_ordinal > reversals.c.first_ordinal,
    )
    again = next_first.correlate(reversals).scalar_subquery() <= reversals.c.last_ordinal
    within = skips.c.ordinal.between(reversals.c.first_ordinal, reversals.c.last_ordinal)
    skipped = exists(select(1).where(skips.c.run_id == reversals.c.run_id, within))
    found = select(
        reversals.c.claim,
        reversals.c.first_ordinal,
        reversals.c.last_ordinal,
        reversals.c.run_id,
        flag(unknown, "unknown"),
        flag(again, "again"),
        flag(skipped, "skipped"),
    ).where(reversals.c.pool_id == pool_id, or_(unknown, again, skipped))
    by_claim = found.order_by(reversals.c.claim, reversals.c.first_ordinal)
    return stream(session, by_claim, InvalidReversal)


def find_invalid_history(session: Session, pool_id: int) -> Iterator[InvalidHistory]:
    """The entries in a pool's history that can't be right, in the order of turns."""
    known, book = select(users.c.id), ledger_history
    nobody = or_(
        book.c.user_id.not_in(known),
        book.c.actor_id.not_in(known),
        book.c.previous_owner_id.not_in(known),
    )
    another = or_(book.c.record_id.is_(None), ~book.c.claim.startswith(book.c.cause + ":"))
    found = select(
        book.c.turn,
        book.c.claim,
        flag(stands(book), "unmoved"),
        flag(nobody, "nobody"),
        flag(another, "another"),
    ).where(book.c.pool_id == pool_id, or_(stands(book), nobody, another))
    return stream(session, found.order_by(book.c.turn), InvalidHistory)
