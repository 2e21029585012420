"""Chunks: the parts of runs that tasks carry out side by side."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Row, and_, exists, insert, select, update
from sqlalchemy.orm import Session

from worker.store import leases
from worker.store.leases import LeasedWork
from worker.store.sql.clock import shared_now
from worker.store.tables import chunks, runs

_TO_DO = chunks.c.done_at.is_(None)


def add(session: Session, run_id: int, cut: Iterable[Mapping[str, Any]]) -> None:
    """Adds chunks, each given by its columns."""
    rows = [{**chunk, "run_id": run_id} for chunk in cut]
    if rows:
        session.execute(insert(chunks), rows)


def lease(
    session: Session, run_id: int, number: int, holder: str, seconds: float
) -> Row[Any] | None:
    """A chunk that waits to be carried out, leased for so long; None when it is done, set aside, or
    somebody else is on it."""
    return next(iter(leases.lease(session, work(run_id, number), holder, seconds, *chunks.c)), None)


def work(run_id: int, number: int) -> LeasedWork:
    """Carrying out a chunk, as something to be leased."""
    return LeasedWork(chunks, and_(chunks.c.run_id == run_id, chunks.c.number == number, _TO_DO))


def finish(session: Session, run_id: int, number: int) -> bool:
    """Marks a chunk as done; False when somebody has done so. Whoever comes second waits here until
    the first has committed."""
    waiting = update(chunks).where(work(run_id, number).which)
    ended = waiting.values(
        done_at=shared_now(session), set_aside=False, leased_until=None, leased_by=None, reason=None
    )
    return session.execute(ended.returning(chunks.c.number)).one_or_none() is not None


def date(session: Session, run_id: int, number: int) -> None:
    """Dates a chunk that is done anew, now that its records are held: whoever has edited one before
    has done so earlier."""
    session.execute(
        update(chunks)
        .where(chunks.c.run_id == run_id, chunks.c.number == number)
        .values(done_at=shared_now(session))
    )


def waiting(session: Session, run_id: int) -> list[int]:
    """The chunks that are neither done nor set aside, and that nobody is on."""
    free = select(chunks.c.number).where(chunks.c.run_id == run_id, _TO_DO, leases.free(chunks))
    return list(session.scalars(free.order_by(chunks.c.number)))


def done(session: Session, run_id: int) -> list[Row[Any]]:
    """The chunks that are done, in order."""
    return list(
        session.execute(
            select(chunks).where(chunks.c.run_id == run_id, ~_TO_DO).order_by(chunks.c.number)
        )
    )


def all_work() -> LeasedWork:
    """Carrying out whatever isn't done."""
    return LeasedWork(
        chunks,
        and_(_TO_DO, chunks.c.run_id.in_(select(runs.c.id).where(runs.c.state == "loading"))),
    )


def release_expired(session: Session) -> list[Row[Any]]:
    """Ends the leases of workers that vanished. Returns the run_id and number of each chunk, and
    the kind of its run."""
    kind = select(runs.c.kind).where(runs.c.id == chunks.c.run_id).scalar_subquery().label("kind")
    return leases.release_expired(session, all_work(), chunks.c.run_id, chunks.c.number, kind)


def set_aside(session: Session, reason: str) -> list[Row[Any]]:
    """Sets aside the chunks that were tried too often, and returns the run_id and number of each."""
    return leases.set_aside(session, all_work(), reason, chunks.c.run_id, chunks.c.number)


def stuck(session: Session) -> list[Row[Any]]:
    """The runs of which nothing is left to do but chunks that were set aside: the run_id, and
    number, first_line and reason of the first of those."""
    other = chunks.alias()
    to_do = exists().where(
        other.c.run_id == chunks.c.run_id, other.c.done_at.is_(None), ~other.c.set_aside
    )
    before = exists().where(
        other.c.run_id == chunks.c.run_id, other.c.set_aside, other.c.number < chunks.c.number
    )
    first = select(chunks.c.run_id, chunks.c.number, chunks.c.first_line, chunks.c.reason).where(
        chunks.c.set_aside, ~to_do, ~before
    )
    return list(
        session.execute(
            first.join(runs, runs.c.id == chunks.c.run_id).where(runs.c.state == "loading")
        )
    )


def try_again(session: Session, run_id: int) -> list[int]:
    """Gives a run's chunks that were set aside as many attempts as at first, and returns them."""
    return sorted(
        row.number
        for row in leases.try_again(
            session, LeasedWork(chunks, chunks.c.run_id == run_id), chunks.c.number
        )
    )
