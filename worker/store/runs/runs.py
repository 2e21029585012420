"""Runs: imports, reassignments and undos, from their acceptance to their end."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, insert, select, update
from sqlalchemy.orm import Session

from worker.domain.records.record_type import RecordType
from worker.domain.runs.runs import RunKind, RunState
from worker.store import leases
from worker.store.leases import LeasedWork
from worker.store.sql import advisory_locks
from worker.store.sql.advisory_locks import LockKind
from worker.store.sql.clock import now
from worker.store.tables import runs

UNSCANNED = RunState.ACCEPTED, RunState.SCANNING


@dataclass(frozen=True, slots=True)
class Run:
    """What is kept of every run, whatever its kind."""

    id: int
    kind: RunKind
    state: RunState
    record_type: RecordType
    owner_id: int
    """A user, or a pool's phantom user."""
    actor_id: int | None
    rows: int
    records: int
    """How many it has made or changed so far."""
    errors: int
    skipped: int
    """How many records it has left as they were."""
    turns: int
    """How many it has reserved."""
    returned: int
    """How many of its turns it gave back unused."""
    reason: str | None
    chunks_left: int | None
    """None until the chunks are cut."""
    accepted_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    moved_at: datetime
    """When a worker last showed progress."""
    resent: int
    """How often upkeep has sent its tasks again since then."""

    @property
    def is_loaded(self) -> bool:
        """Whether all its chunks are done, and only the close is left."""
        return self.state == RunState.LOADING and self.chunks_left == 0


_COLUMNS = [runs.c[field.name] for field in fields(Run)]
"""In the order of the fields."""


def _run(row: Sequence[Any]) -> Run:
    return Run(*row)


def add(
    session: Session, kind: RunKind, record_type: str, owner_id: int, actor_id: int | None
) -> int:
    """The id of a new run, accepted now."""
    moment = now()
    new = insert(runs).values(
        kind=kind,
        state=RunState.ACCEPTED,
        record_type=record_type,
        owner_id=owner_id,
        actor_id=actor_id,
        accepted_at=moment,
        moved_at=moment,
    )
    return session.scalars(new.returning(runs.c.id)).one()


def get(session: Session, run_id: int) -> Run:
    """A run that is known to exist."""
    return _run(session.execute(select(*_COLUMNS).where(runs.c.id == run_id)).one())


def find(session: Session, run_id: int) -> Run | None:
    row = session.execute(select(*_COLUMNS).where(runs.c.id == run_id)).one_or_none()
    return None if row is None else _run(row)


def change(session: Session, run_id: int, /, **values: object) -> None:
    """Changes columns of a run. Each change counts as progress."""
    session.execute(update(runs).where(runs.c.id == run_id).values(**values, moved_at=now()))


def restart(session: Session, run_id: int, state: RunState) -> None:
    """Takes a run that failed back to an earlier state, with as many attempts as at first."""
    change(
        session,
        run_id,
        state=state,
        set_aside=False,
        attempts=0,
        leased_until=None,
        leased_by=None,
        reason=None,
        ended_at=None,
        resent=0,
    )


# --- locks ---


def lock_row(session: Session, run_id: int) -> Run | None:
    """The run, whose row is locked until the transaction ends."""
    found = select(*_COLUMNS).where(runs.c.id == run_id).with_for_update()
    row = session.execute(found).one_or_none()
    return None if row is None else _run(row)


def lock_shared(session: Session, run_id: int) -> Run:
    """The run, which can't be cancelled or ended until the transaction ends. Workers that carry out
    its chunks share this lock."""
    advisory_locks.lock_shared(session, LockKind.RUN, run_id)
    return get(session, run_id)


def lock_exclusive(session: Session, run_id: int) -> Run | None:
    """The run, of which nobody carries out a chunk until the transaction ends."""
    advisory_locks.lock_exclusive(session, LockKind.RUN, run_id)
    return lock_row(session, run_id)


# --- scans ---


def work(run_id: int) -> LeasedWork:
    """The scan of one run, as work to be leased."""
    return LeasedWork(runs, and_(runs.c.id == run_id, _is_unscanned()))


def all_work() -> LeasedWork:
    """The scans that are not done."""
    return LeasedWork(runs, _is_unscanned())


def _is_unscanned() -> ColumnElement[bool]:
    return runs.c.state.in_(UNSCANNED)


def lease(session: Session, run_id: int, holder: str, seconds: float) -> bool:
    """Leases the scan of a run for `seconds`. False when it is done, or another worker is on it."""
    return bool(leases.lease(session, work(run_id), holder, seconds, runs.c.id))


def set_aside(session: Session, reason: str) -> list[Run]:
    """Sets aside the runs whose scan was tried too often, and returns them."""
    return [_run(row) for row in leases.set_aside(session, all_work(), reason, *_COLUMNS)]


def release_expired(session: Session) -> list[Run]:
    """Ends the leases of scans whose workers vanished, and returns their runs in order."""
    expired = leases.release_expired(session, all_work(), *_COLUMNS)
    return sorted(map(_run, expired), key=lambda run: run.id)


# --- progress ---


def end(
    session: Session, run_id: int, state: RunState, reason: str | None = None, /, **values: object
) -> None:
    change(session, run_id, state=state, reason=reason, ended_at=now(), **values)


def count_chunk(session: Session, run_id: int, records: int, skipped: int = 0) -> int:
    """Counts one chunk as done, and returns how many are left. Exactly one caller gets 0."""
    counts = {
        "records": runs.c.records + records,
        "skipped": runs.c.skipped + skipped,
        "chunks_left": runs.c.chunks_left - 1,
    }
    counted = update(runs).where(runs.c.id == run_id).values(**counts, resent=0, moved_at=now())
    return session.scalars(counted.returning(runs.c.chunks_left)).one() or 0


def list_still(session: Session, seconds: float) -> list[Run]:
    """The live runs without progress for `seconds` whose scan nobody is on, oldest first."""
    still = and_(runs.c.moved_at < now() - timedelta(seconds=seconds), leases.is_idle(runs))
    found = select(*_COLUMNS).where(runs.c.ended_at.is_(None), still).order_by(runs.c.id)
    return [_run(row) for row in session.execute(found)]


def send_again(session: Session, run: Run) -> bool:
    """Counts that the tasks of a run are sent again. False when another process has just done so,
    the run has moved, or a worker is on it."""
    same = LeasedWork(
        runs,
        and_(runs.c.id == run.id, runs.c.resent == run.resent, runs.c.moved_at == run.moved_at),
    )
    counted = (
        update(runs)
        .where(leases.is_unlocked(same))
        .values(resent=run.resent + 1, moved_at=now(), leased_until=None)
    )
    return session.execute(counted.returning(runs.c.id)).one_or_none() is not None
