"""`verify` reads blocks: the blocks, the runs that reserved them, and the entries of these runs in
the ledger and in its history."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from worker.store.audit.streams import stream, stream_batches
from worker.store.runs.reversals import ENTERED
from worker.store.tables import blocks, chunks, imports, runs, selections, skips

BLOCKS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """A block as it is stored. The turns are text, for they may be anything."""

    claim: str
    turns: str
    open: bool


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run's own facts, and the facts of its block."""

    id: int
    kind: str
    state: str
    owner_id: int
    turns: int
    records: int
    skipped: int
    returned: int
    chunks_left: int | None
    first_record_id: int | None
    """The first record of an import."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Entries of a claim whose turns are as far apart as their ordinals."""

    claim: str
    first: int
    """The first ordinal."""
    last: int
    """The last ordinal."""
    turn: int
    """The first turn."""
    count: int
    least: int | None
    """The least that a record's id minus its ordinal is."""
    greatest: int | None
    """The most that it is."""


@dataclass(frozen=True, slots=True)
class MisplacedRecord:
    """An entry of a reassignment whose record isn't the one at that place of its list."""

    ordinal: int
    turn: int
    record_id: int | None
    listed: int | None
    """The record at that place of the list, if there is one."""


def read_blocks(session: Session, pool_id: int) -> Iterator[list[StoredBlock]]:
    """The blocks of a pool by claim, some at a time."""
    columns = blocks.c.claim, blocks.c.turns, blocks.c.open
    found = select(*columns).where(blocks.c.pool_id == pool_id).order_by(blocks.c.claim)
    return stream_batches(session, found, StoredBlock, BLOCKS_AT_ONCE)


def find_stretches(session: Session, pool_id: int, claims: Collection[str]) -> Iterator[Stretch]:
    """The entries of those claims. If all is well, these are the spans of their blocks."""
    ordinal, record = ENTERED.c.ordinal, ENTERED.c.record_id - ENTERED.c.ordinal
    found = select(
        ENTERED.c.claim,
        func.min(ordinal),
        func.max(ordinal),
        func.min(ENTERED.c.turn),
        func.count(),
        func.min(record),
        func.max(record),
    ).where(ENTERED.c.pool_id == pool_id, ENTERED.c.claim.in_(claims))
    return stream(session, found.group_by(ENTERED.c.claim, ENTERED.c.turn - ordinal), Stretch)


def read_entries(
    session: Session, pool_id: int, claim: str
) -> Iterator[tuple[int, int, int | None]]:
    """The (ordinal, turn, record) of a claim's entries, by ordinal."""
    found = select(ENTERED.c.ordinal, ENTERED.c.turn, ENTERED.c.record_id)
    of_claim = found.where(ENTERED.c.pool_id == pool_id, ENTERED.c.claim == claim)
    return stream(session, of_claim.order_by(ENTERED.c.ordinal), _place)


def _place(ordinal: int, turn: int, record_id: int | None) -> tuple[int, int, int | None]:
    return ordinal, turn, record_id


def find_misplaced(
    session: Session, pool_id: int, claim: str, run_id: int
) -> Iterator[MisplacedRecord]:
    """The records of a reassignment that aren't at their places of its list, by ordinal."""
    listed = selections.c.record_id
    theirs = (selections.c.run_id == run_id) & (selections.c.ordinal == ENTERED.c.ordinal)
    found = (
        select(ENTERED.c.ordinal, ENTERED.c.turn, ENTERED.c.record_id, listed)
        .outerjoin_from(ENTERED, selections, theirs)
        .where(ENTERED.c.pool_id == pool_id, ENTERED.c.claim == claim)
        .where(or_(listed.is_(None), listed != ENTERED.c.record_id))
    )
    return stream(session, found.order_by(ENTERED.c.ordinal), MisplacedRecord)


def find_runs(session: Session, ids: Collection[int]) -> dict[int, StoredRun]:
    """The runs with those ids, by id."""
    found = (
        select(
            runs.c.id,
            runs.c.kind,
            runs.c.state,
            runs.c.owner_id,
            runs.c.turns,
            runs.c.records,
            runs.c.skipped,
            runs.c.returned,
            runs.c.chunks_left,
            imports.c.first_record_id,
        )
        .outerjoin(imports, imports.c.run_id == runs.c.id)
        .where(runs.c.id.in_(ids))
    )
    return {run.id: run for run in stream(session, found, StoredRun)}


def list_loaded(session: Session, run_id: int) -> list[tuple[int, int]]:
    """The (first ordinal, records) of the chunks that are done, in order."""
    done = chunks.c.run_id == run_id, chunks.c.done_at.is_not(None), chunks.c.records > 0
    found = select(chunks.c.first_ordinal, chunks.c.records).where(*done)
    return [
        (first, count) for first, count in session.execute(found.order_by(chunks.c.first_ordinal))
    ]


def read_skipped(session: Session, run_id: int) -> Iterator[int]:
    """The ordinals of the records that a run has left as they were, in order."""
    left = select(skips.c.ordinal).where(skips.c.run_id == run_id)
    return stream(session, left.order_by(skips.c.ordinal), int)
