"""Imports and their chunks."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, exists, insert, select, update
from sqlalchemy.orm import Session

from worker.domain.chunks import Chunk
from worker.store import leases
from worker.store.leases import Work
from worker.store.tables import chunks, imports, runs

_PLACE = [chunks.c[name] for name in Chunk._fields]


def add(session: Session, run_id: int, **values: Any) -> None:
    session.execute(insert(imports).values(run_id=run_id, **values))


def change(session: Session, run_id: int, **values: Any) -> None:
    session.execute(update(imports).where(imports.c.run_id == run_id).values(**values))


def find(session: Session, run_id: int) -> Row[Any] | None:
    """An import together with its run."""
    return session.execute(select(runs, imports).join(imports, imports.c.run_id == runs.c.id).where(runs.c.id == run_id)).one_or_none()


def untidy(session: Session, ended_before: datetime) -> list[Row[Any]]:
    """The imports that ended before that moment, and in whose folders more lies than is still of use."""
    ended = select(runs, imports).join(imports, imports.c.run_id == runs.c.id)
    return list(session.execute(ended.where(~imports.c.tidied, runs.c.ended_at < ended_before)))


def known_folders(session: Session, folders: Collection[str]) -> set[str]:
    """Of those folders, the ones that belong to an import."""
    return set(session.scalars(select(imports.c.folder).where(imports.c.folder.in_(folders))))


def with_id(session: Session, run_id: int) -> Row[Any]:
    """An import that is known to exist, together with its run."""
    found = find(session, run_id)
    assert found is not None
    return found


# --- chunks ---


def add_chunks(session: Session, run_id: int, cut: Iterable[Chunk]) -> None:
    rows = [chunk._asdict() | {"run_id": run_id} for chunk in cut]
    if rows:
        session.execute(insert(chunks), rows)


def lease(session: Session, run_id: int, number: int, holder: str, seconds: float) -> Chunk | None:
    """A chunk that waits to be loaded, leased for so long; None when it is done, set aside, or somebody else is on it."""
    return next((Chunk._make(row) for row in leases.lease(session, work(run_id, number), holder, seconds, *_PLACE)), None)


def work(run_id: int, number: int) -> Work:
    """Loading a chunk, as something to be leased."""
    return Work(chunks, and_(chunks.c.run_id == run_id, chunks.c.number == number, ~chunks.c.done))


def finish(session: Session, run_id: int, number: int) -> bool:
    """Marks a chunk as loaded; False when somebody has done so. Whoever comes second waits here until the first has committed."""
    unloaded = update(chunks).where(work(run_id, number).which)
    ended = unloaded.values(done=True, set_aside=False, leased_until=None, leased_by=None, reason=None)
    return session.execute(ended.returning(chunks.c.number)).one_or_none() is not None


def waiting(session: Session, run_id: int) -> list[int]:
    """The chunks that are neither loaded nor set aside, and that nobody is on."""
    free = select(chunks.c.number).where(chunks.c.run_id == run_id, ~chunks.c.done, leases.free(chunks))
    return list(session.scalars(free.order_by(chunks.c.number)))


def loaded(session: Session, run_id: int) -> list[int]:
    return list(session.scalars(select(chunks.c.number).where(chunks.c.run_id == run_id, chunks.c.done).order_by(chunks.c.number)))


def release_expired(session: Session) -> list[Row[Any]]:
    """Ends the leases of workers that vanished. Returns the run_id and number of each chunk."""
    return leases.release_expired(session, all_work(), chunks.c.run_id, chunks.c.number)


def all_work() -> Work:
    """Loading whatever isn't loaded."""
    return Work(chunks, and_(~chunks.c.done, chunks.c.run_id.in_(select(runs.c.id).where(runs.c.state == "loading"))))


def set_aside(session: Session, reason: str) -> list[Row[Any]]:
    """Sets aside the chunks that were tried too often, and returns the run_id and number of each."""
    return leases.set_aside(session, all_work(), reason, chunks.c.run_id, chunks.c.number)


def stuck(session: Session) -> list[Row[Any]]:
    """The runs of which nothing is left to do but chunks that were set aside: the run_id, and number, first_line and reason of the first
    of those."""
    other = chunks.alias()
    to_do = exists().where(other.c.run_id == chunks.c.run_id, ~other.c.done, ~other.c.set_aside)
    before = exists().where(other.c.run_id == chunks.c.run_id, other.c.set_aside, other.c.number < chunks.c.number)
    first = select(chunks.c.run_id, chunks.c.number, chunks.c.first_line, chunks.c.reason).where(chunks.c.set_aside, ~to_do, ~before)
    return list(session.execute(first.join(runs, runs.c.id == chunks.c.run_id).where(runs.c.state == "loading")))


def try_again(session: Session, run_id: int) -> list[int]:
    """Gives a run's chunks that were set aside as many attempts as at first, and returns them."""
    return sorted(row.number for row in leases.try_again(session, Work(chunks, chunks.c.run_id == run_id), chunks.c.number))
