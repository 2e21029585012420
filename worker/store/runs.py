"""Runs: what is being imported, and what was."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from worker.store.clock import now
from worker.store.tables import runs


def add(session: Session, kind: str, record_type: str, owner_id: int, actor_id: int | None) -> int:
    """The id of a new run, accepted now."""
    moment = now()
    new = insert(runs).values(
        kind=kind, state="accepted", record_type=record_type, owner_id=owner_id, actor_id=actor_id, accepted_at=moment, moved_at=moment
    )
    return session.scalars(new.returning(runs.c.id)).one()


def change(session: Session, run_id: int, **values: Any) -> None:
    """Changes a run, which counts as a sign of progress."""
    session.execute(update(runs).where(runs.c.id == run_id).values(**values, moved_at=now()))


def lock(session: Session, run_id: int) -> Row[Any] | None:
    """The run, held alone until the transaction ends."""
    return session.execute(select(runs).where(runs.c.id == run_id).with_for_update()).one_or_none()


def end(session: Session, run_id: int, state: str, reason: str | None = None) -> None:
    change(session, run_id, state=state, reason=reason, ended_at=now())


def count_chunk(session: Session, run_id: int, records: int) -> int:
    """Counts one chunk as loaded, and returns how many are left. Exactly one caller is told 0."""
    moved = runs.c.records + records
    counted = update(runs).where(runs.c.id == run_id).values(records=moved, chunks_left=runs.c.chunks_left - 1, resent=0, moved_at=now())
    return session.scalars(counted.returning(runs.c.chunks_left)).one() or 0


def still_since(session: Session, seconds: float) -> list[Row[Any]]:
    """The live runs that gave no sign of progress for so long, oldest first."""
    still = runs.c.moved_at < now() - timedelta(seconds=seconds)
    return list(session.execute(select(runs).where(runs.c.ended_at.is_(None), still).order_by(runs.c.id)))
