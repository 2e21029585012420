"""What `verify` reads of blocks: which there are, the runs that reserved them, and what those have
entered, be it in the ledger or, where the turn came back, in its history."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, or_, select
from sqlalchemy.orm import Session

from worker.store.audit.evidence import partitions, stream
from worker.store.runs.reversals import ENTERED
from worker.store.tables import blocks, chunks, imports, runs, selections, skips

BLOCKS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Stretch:
    """Entries of a claim whose turns are as far apart as their ordinals: the first and last
    ordinal, the first turn, how many there are, and between which bounds their record ids lie, less
    their ordinals."""

    claim: str
    first: int
    last: int
    turn: int
    count: int
    least: int | None
    greatest: int | None


def block_rows(session: Session, pool_id: int) -> Iterator[Sequence[Row[Any]]]:
    """The claim, turns and state of each block, some at a time."""
    found = (
        select(blocks.c.claim, blocks.c.turns, blocks.c.open)
        .where(blocks.c.pool_id == pool_id)
        .order_by(blocks.c.claim)
    )
    return partitions(session, found, BLOCKS_AT_ONCE)


def stretches(session: Session, pool_id: int, claims: Collection[str]) -> Iterator[Stretch]:
    """What those claims have entered. Where nothing is amiss, these are the spans of their blocks."""
    ordinal, record = ENTERED.c.ordinal, ENTERED.c.record_id - ENTERED.c.ordinal
    ends = (
        func.min(ordinal),
        func.max(ordinal),
        func.min(ENTERED.c.turn),
        func.count(),
        func.min(record),
        func.max(record),
    )
    found = select(ENTERED.c.claim, *ends).where(
        ENTERED.c.pool_id == pool_id, ENTERED.c.claim.in_(claims)
    )
    for row in stream(session, found.group_by(ENTERED.c.claim, ENTERED.c.turn - ordinal)):
        yield Stretch(*row)


def entries_of(session: Session, pool_id: int, claim: str) -> Iterator[tuple[int, int, int | None]]:
    """The (ordinal, turn, record) of what a claim has entered, by ordinal."""
    found = select(ENTERED.c.ordinal, ENTERED.c.turn, ENTERED.c.record_id)
    return stream(
        session,
        found.where(ENTERED.c.pool_id == pool_id, ENTERED.c.claim == claim).order_by(
            ENTERED.c.ordinal
        ),
    )


def out_of_order(session: Session, pool_id: int, claim: str, run_id: int) -> Iterator[Row[Any]]:
    """The entries of a reassignment whose record isn't the one of its list that has that place:
    ordinal, turn, record_id, and listed, the record that has it, if any."""
    theirs = (selections.c.run_id == run_id) & (selections.c.ordinal == ENTERED.c.ordinal)
    found = select(
        ENTERED.c.ordinal,
        ENTERED.c.turn,
        ENTERED.c.record_id,
        selections.c.record_id.label("listed"),
    )
    found = found.outerjoin_from(ENTERED, selections, theirs).where(
        ENTERED.c.pool_id == pool_id, ENTERED.c.claim == claim
    )
    wrong = or_(selections.c.record_id.is_(None), selections.c.record_id != ENTERED.c.record_id)
    return stream(session, found.where(wrong).order_by(ENTERED.c.ordinal))


def runs_with(session: Session, ids: Collection[int]) -> dict[int, Row[Any]]:
    """The runs with those ids; an import's with the id of its first record."""
    found = (
        select(runs, imports.c.first_record_id)
        .outerjoin(imports, imports.c.run_id == runs.c.id)
        .where(runs.c.id.in_(ids))
    )
    return {run.id: run for run in session.execute(found)}


def loaded_chunks(session: Session, run_id: int) -> list[tuple[int, int]]:
    """The (first ordinal, records) of the chunks that are done, in order."""
    done = chunks.c.run_id == run_id, chunks.c.done_at.is_not(None), chunks.c.records > 0
    found = select(chunks.c.first_ordinal, chunks.c.records).where(*done)
    return [
        (first, count) for first, count in session.execute(found.order_by(chunks.c.first_ordinal))
    ]


def skipped(session: Session, run_id: int) -> Iterator[int]:
    """The ordinals of the records that a run has left as they were, in order."""
    left = select(skips.c.ordinal).where(skips.c.run_id == run_id).order_by(skips.c.ordinal)
    return (ordinal for (ordinal,) in stream(session, left))
