"""Chunks: the parts of runs that tasks carry out side by side."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row, and_, exists, insert, select, update
from sqlalchemy.orm import Session

from worker.domain.runs.chunks import Chunk, FileChunk
from worker.domain.runs.runs import RunKind, RunState
from worker.store import leases
from worker.store.leases import LeasedWork
from worker.store.sql.clock import shared_now
from worker.store.tables import chunks, runs

_IS_UNFINISHED = chunks.c.done_at.is_(None)

_KIND = select(runs.c.kind).where(runs.c.id == chunks.c.run_id).scalar_subquery()


@dataclass(frozen=True, slots=True)
class UnfinishedChunk:
    """A chunk that isn't done, as upkeep looks at it."""

    run_id: int
    kind: RunKind
    number: int
    first_line: int | None
    """In the file of an import."""
    reason: str | None
    """What went wrong with it last."""


_UNFINISHED = (chunks.c.run_id, _KIND, chunks.c.number, chunks.c.first_line, chunks.c.reason)


def _read_unfinished(row: Sequence[Any]) -> UnfinishedChunk:
    return UnfinishedChunk(*row)


def _chunk(row: Row[Any]) -> Chunk:
    chunk = Chunk(row.number, row.first_ordinal, row.rows, row.records)
    if row.offset is None:
        return chunk
    return FileChunk(
        **asdict(chunk), offset=row.offset, length=row.length, first_line=row.first_line
    )


def add(session: Session, run_id: int, cut: Iterable[Chunk]) -> None:
    rows = [{**asdict(chunk), "run_id": run_id} for chunk in cut]
    if rows:
        session.execute(insert(chunks), rows)


# --- carrying out ---


def work(run_id: int, number: int) -> LeasedWork:
    """A chunk that isn't done, as work to be leased."""
    return LeasedWork(
        chunks, and_(chunks.c.run_id == run_id, chunks.c.number == number, _IS_UNFINISHED)
    )


def all_work() -> LeasedWork:
    """The chunks of live runs that aren't done."""
    loading = select(runs.c.id).where(runs.c.state == RunState.LOADING)
    return LeasedWork(chunks, and_(_IS_UNFINISHED, chunks.c.run_id.in_(loading)))


def lease(session: Session, run_id: int, number: int, holder: str, seconds: float) -> Chunk | None:
    """A waiting chunk, leased for `seconds`. None when it is done or set aside, or another worker
    is on it."""
    leased = leases.lease(session, work(run_id, number), holder, seconds, *chunks.c)
    return _chunk(leased[0]) if leased else None


def finish(session: Session, run_id: int, number: int) -> bool:
    """Marks a chunk as done; False when it is done already. A second worker waits here until the
    first has committed."""
    ended = (
        update(chunks)
        .where(work(run_id, number).which)
        .values(
            done_at=shared_now(session),
            set_aside=False,
            leased_until=None,
            leased_by=None,
            reason=None,
        )
    )
    return session.execute(ended.returning(chunks.c.number)).one_or_none() is not None


def date(session: Session, run_id: int, number: int) -> None:
    """Dates a chunk that is done anew, now that its records are locked: every edit before this
    moment is an earlier one."""
    session.execute(
        update(chunks)
        .where(chunks.c.run_id == run_id, chunks.c.number == number)
        .values(done_at=shared_now(session))
    )


def list_waiting(session: Session, run_id: int) -> list[int]:
    """The numbers of the chunks that are neither done nor set aside, and that nobody is on."""
    free = select(chunks.c.number).where(
        chunks.c.run_id == run_id, _IS_UNFINISHED, leases.is_free(chunks)
    )
    return list(session.scalars(free.order_by(chunks.c.number)))


def list_done(session: Session, run_id: int) -> list[int]:
    """The numbers of the chunks that are done, in order."""
    done = select(chunks.c.number).where(chunks.c.run_id == run_id, ~_IS_UNFINISHED)
    return list(session.scalars(done.order_by(chunks.c.number)))


# --- looking after ---


def release_expired(session: Session) -> list[UnfinishedChunk]:
    """Ends the leases of workers that vanished, and returns their chunks."""
    return [
        _read_unfinished(row) for row in leases.release_expired(session, all_work(), *_UNFINISHED)
    ]


def set_aside(session: Session, reason: str) -> list[UnfinishedChunk]:
    """Sets aside the chunks that were tried too often, and returns them."""
    return [
        _read_unfinished(row) for row in leases.set_aside(session, all_work(), reason, *_UNFINISHED)
    ]


def list_stuck(session: Session) -> list[UnfinishedChunk]:
    """The first chunk that was set aside of each run that has no others left."""
    other = chunks.alias()
    same_run = other.c.run_id == chunks.c.run_id
    to_do = exists().where(same_run, other.c.done_at.is_(None), ~other.c.set_aside)
    before = exists().where(same_run, other.c.set_aside, other.c.number < chunks.c.number)
    live = select(runs.c.id).where(runs.c.state == RunState.LOADING)
    first = select(*_UNFINISHED).where(
        chunks.c.set_aside, ~to_do, ~before, chunks.c.run_id.in_(live)
    )
    return [_read_unfinished(row) for row in session.execute(first)]


def try_again(session: Session, run_id: int) -> list[int]:
    """Gives the chunks of a run that were set aside as many attempts as at first. Returns their
    numbers in order."""
    of_run = LeasedWork(chunks, chunks.c.run_id == run_id)
    return sorted(row.number for row in leases.try_again(session, of_run, chunks.c.number))
