"""Imports and their chunks."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from worker.domain.chunks import Chunk
from worker.store.clock import now
from worker.store.tables import chunks, imports, runs

_PLACE = [chunks.c[name] for name in Chunk._fields]


def add(session: Session, run_id: int, **values: Any) -> None:
    session.execute(insert(imports).values(run_id=run_id, **values))


def change(session: Session, run_id: int, **values: Any) -> None:
    session.execute(update(imports).where(imports.c.run_id == run_id).values(**values))


def find(session: Session, run_id: int) -> Row[Any] | None:
    """An import together with its run."""
    return session.execute(select(runs, imports).join(imports, imports.c.run_id == runs.c.id).where(runs.c.id == run_id)).one_or_none()


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


def lease(session: Session, run_id: int, number: int, seconds: float) -> Chunk | None:
    """A chunk that waits to be loaded, leased for so long; None when it is done already."""
    mine = update(chunks).where(chunks.c.run_id == run_id, chunks.c.number == number, ~chunks.c.done)
    leased = mine.values(attempts=chunks.c.attempts + 1, leased_until=now() + timedelta(seconds=seconds))
    row = session.execute(leased.returning(*_PLACE)).one_or_none()
    return None if row is None else Chunk(*row)


def finish(session: Session, run_id: int, number: int) -> bool:
    """Marks a chunk as loaded; False when somebody has done so. Whoever comes second waits here until the first has committed."""
    waiting = update(chunks).where(chunks.c.run_id == run_id, chunks.c.number == number, ~chunks.c.done)
    return session.execute(waiting.values(done=True, leased_until=None).returning(chunks.c.number)).one_or_none() is not None


def waiting(session: Session, run_id: int) -> list[int]:
    """The chunks that are neither loaded nor on lease."""
    free = chunks.c.leased_until.is_(None) | (chunks.c.leased_until < now())
    return list(session.scalars(select(chunks.c.number).where(chunks.c.run_id == run_id, ~chunks.c.done, free).order_by(chunks.c.number)))


def expired(session: Session) -> list[tuple[int, int]]:
    """The (run, chunk) whose worker vanished: leased once, never loaded, the lease over."""
    vanished = select(chunks.c.run_id, chunks.c.number).join(runs, runs.c.id == chunks.c.run_id)
    return [
        (run, number)
        for run, number in session.execute(vanished.where(~chunks.c.done, chunks.c.leased_until < now(), runs.c.state == "loading"))
    ]


def numbers(session: Session, run_id: int) -> list[int]:
    return list(session.scalars(select(chunks.c.number).where(chunks.c.run_id == run_id).order_by(chunks.c.number)))


def release(session: Session, run_id: int, number: int) -> None:
    """Ends the lease of a worker that vanished, so that its chunk is sent again once, not at each sweep."""
    session.execute(update(chunks).where(chunks.c.run_id == run_id, chunks.c.number == number).values(leased_until=None))
