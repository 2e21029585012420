"""`verify` reads the numbers that runs keep of themselves."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause, Text, case, cast, exists, func, or_, select
from sqlalchemy.orm import Session

from worker.store.audit.streams import stream
from worker.store.tables import blocks, chunks, pools, runs, skips


@dataclass(frozen=True, slots=True)
class RunWithoutBlock:
    """A run that has turns, or has returned some, without a block of them."""

    id: int
    turns: int
    returned: int


@dataclass(frozen=True, slots=True)
class MiscountedRun:
    """A run whose numbers disagree with its chunks and skips."""

    id: int
    rows: int
    errors: int
    records: int
    skipped: int
    chunks_left: int | None
    whole: int
    """The records of all its chunks."""
    done: int
    """The records of the chunks that are done."""
    unfinished_chunks: int
    noted: int
    """How many skips it has noted."""


def claim_of(run: FromClause) -> ColumnElement[str]:
    """The claim that a run takes turns for."""
    return run.c.kind + ":" + cast(run.c.id, Text)


def is_owned_by(pool_id: int | None) -> ColumnElement[bool]:
    """That a run gives its records to the pool, or to a person if no pool is given."""
    if pool_id is None:
        return runs.c.owner_id.not_in(select(pools.c.id))
    return runs.c.owner_id == pool_id


def find_without_block(session: Session, pool_id: int | None) -> Iterator[RunWithoutBlock]:
    """The runs of a pool, or of people, that should have a block and don't. Undos return others'
    turns."""
    has_block = exists().where(
        blocks.c.pool_id == runs.c.owner_id, blocks.c.claim == claim_of(runs)
    )
    some = runs.c.turns > 0 if pool_id else or_(runs.c.turns > 0, runs.c.returned > 0)
    found = select(runs.c.id, runs.c.turns, runs.c.returned)
    return stream(session, found.where(is_owned_by(pool_id), some, ~has_block), RunWithoutBlock)


def find_miscounted(session: Session, pool_id: int | None) -> Iterator[MiscountedRun]:
    """The runs of a pool, or of people, whose numbers can't be right."""
    to_do = chunks.c.done_at.is_(None)
    sums = (
        func.sum(chunks.c.records).label("whole"),
        func.sum(case((to_do, 0), else_=chunks.c.records)).label("done"),
        func.sum(case((to_do, 1), else_=0)).label("unfinished_chunks"),
    )
    parts = select(chunks.c.run_id, *sums).group_by(chunks.c.run_id).subquery("parts")
    left = select(skips.c.run_id, func.count().label("noted")).group_by(skips.c.run_id)
    skipped = left.subquery("left_alone")
    whole, done, unfinished_chunks, noted = (
        func.coalesce(column, 0)
        for column in (parts.c.whole, parts.c.done, parts.c.unfinished_chunks, skipped.c.noted)
    )
    found = select(
        runs.c.id,
        runs.c.rows,
        runs.c.errors,
        runs.c.records,
        runs.c.skipped,
        runs.c.chunks_left,
        whole,
        done,
        unfinished_chunks,
        noted,
    ).select_from(
        runs.outerjoin(parts, parts.c.run_id == runs.c.id).outerjoin(
            skipped, skipped.c.run_id == runs.c.id
        )
    )
    wrong = or_(
        runs.c.records + runs.c.skipped != done,
        runs.c.skipped != noted,
        runs.c.chunks_left != unfinished_chunks,
        runs.c.rows - runs.c.errors != whole,
    )
    return stream(
        session, found.where(is_owned_by(pool_id), wrong).order_by(runs.c.id), MiscountedRun
    )
