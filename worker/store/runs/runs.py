"""Runs: what goes on, and what went on, in bulk."""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, insert, select, update
from sqlalchemy.orm import Session

from worker.store import leases
from worker.store.leases import LeasedWork
from worker.store.sql import advisory_locks
from worker.store.sql.advisory_locks import Kind
from worker.store.sql.clock import now
from worker.store.tables import runs


def add(session: Session, kind: str, record_type: str, owner_id: int, actor_id: int | None) -> int:
    """The id of a new run, accepted now."""
    moment = now()
    new = insert(runs).values(
        kind=kind,
        state="accepted",
        record_type=record_type,
        owner_id=owner_id,
        actor_id=actor_id,
        accepted_at=moment,
        moved_at=moment,
    )
    return session.scalars(new.returning(runs.c.id)).one()


def with_id(session: Session, run_id: int) -> Row[Any]:
    """A run that is known to exist."""
    return session.execute(select(runs).where(runs.c.id == run_id)).one()


def find(session: Session, run_id: int) -> Row[Any] | None:
    return session.execute(select(runs).where(runs.c.id == run_id)).one_or_none()


def change(session: Session, run_id: int, /, **values: Any) -> None:
    """Changes a run, which counts as a sign of progress."""
    session.execute(update(runs).where(runs.c.id == run_id).values(**values, moved_at=now()))


def lock(session: Session, run_id: int) -> Row[Any] | None:
    """The run, held alone until the transaction ends."""
    return session.execute(select(runs).where(runs.c.id == run_id).with_for_update()).one_or_none()


def lock_shared(session: Session, run_id: int) -> str:
    """The run's state, which stays until the transaction ends: whoever loads chunks shares the run."""
    advisory_locks.shared(session, Kind.RUN, run_id)
    return session.scalars(select(runs.c.state).where(runs.c.id == run_id)).one()


def lock_exclusive(session: Session, run_id: int) -> Row[Any] | None:
    """The run, while nobody loads a chunk of it."""
    advisory_locks.exclusive(session, Kind.RUN, run_id)
    return lock(session, run_id)


def work(run_id: int) -> LeasedWork:
    """Scanning what a run is about, as something to be leased."""
    return LeasedWork(runs, and_(runs.c.id == run_id, _unscanned()))


def _unscanned() -> ColumnElement[bool]:
    return runs.c.state.in_(("accepted", "scanning"))


def all_work() -> LeasedWork:
    """Scanning whatever isn't scanned."""
    return LeasedWork(runs, _unscanned())


def lease(session: Session, run_id: int, holder: str, seconds: float) -> bool:
    """Leases the scan of a run for so long; False when it is done, or somebody else is on it."""
    return bool(leases.lease(session, work(run_id), holder, seconds, runs.c.id))


def set_aside(session: Session, reason: str) -> list[Row[Any]]:
    """Sets aside the runs whose scan was tried too often: the id, kind and reason of each."""
    return leases.set_aside(session, all_work(), reason, runs.c.id, runs.c.kind, runs.c.reason)


def release_expired(session: Session) -> list[Row[Any]]:
    """Ends the leases of scans whose workers vanished, and returns the id and kind of each run."""
    return sorted(leases.release_expired(session, all_work(), runs.c.id, runs.c.kind))


def end(
    session: Session, run_id: int, state: str, reason: str | None = None, /, **values: Any
) -> None:
    change(session, run_id, state=state, reason=reason, ended_at=now(), **values)


def count_chunk(session: Session, run_id: int, records: int, skipped: int = 0) -> int:
    """Counts one chunk as done, and returns how many are left. Exactly one caller is told 0."""
    counts = {
        "records": runs.c.records + records,
        "skipped": runs.c.skipped + skipped,
        "chunks_left": runs.c.chunks_left - 1,
    }
    counted = update(runs).where(runs.c.id == run_id).values(**counts, resent=0, moved_at=now())
    return session.scalars(counted.returning(runs.c.chunks_left)).one() or 0


def still_since(session: Session, seconds: float) -> list[Row[Any]]:
    """The live runs that gave no sign of progress for so long and that nobody scans, oldest first."""
    still = and_(runs.c.moved_at < now() - timedelta(seconds=seconds), leases.idle(runs))
    return list(
        session.execute(select(runs).where(runs.c.ended_at.is_(None), still).order_by(runs.c.id))
    )


def send_again(session: Session, run: Row[Any]) -> bool:
    """Counts that a run's tasks are sent again; False when somebody else has just done so, the run
    has moved, or somebody is at it."""
    same = LeasedWork(
        runs,
        and_(runs.c.id == run.id, runs.c.resent == run.resent, runs.c.moved_at == run.moved_at),
    )
    counted = (
        update(runs)
        .where(leases.unheld(same))
        .values(resent=run.resent + 1, moved_at=now(), leased_until=None)
    )
    return session.execute(counted.returning(runs.c.id)).one_or_none() is not None
