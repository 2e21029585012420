"""Scans: the first task of every run finds out what there is to be done, reserves the turns, and
cuts the run into chunks."""

from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from worker.domain.runs.chunks import Chunk
from worker.domain.runs.runs import RUN_TASKS, RunState
from worker.domain.turns.claims import name_run_claim
from worker.errors.base import EvenhandError, Unavailable
from worker.flows.leases import LEASE_SECONDS, on_lease
from worker.flows.system import System
from worker.flows.turns import assign
from worker.flows.unit import Unit
from worker.queue import enqueue
from worker.store.people import users
from worker.store.runs import chunks, runs
from worker.store.runs.runs import UNSCANNED, Run
from worker.store.sql.clock import now


def carry_out(system: System, run_id: int, holder: str, scan: Callable[[], None]) -> None:
    """Carries out a scan under a lease of the holder, unless it is done or another worker is on it.
    A run that can't go on fails with the reason."""
    if not system.transact(begin, run_id, holder):
        return
    try:
        with on_lease(system, runs.work(run_id), holder):
            scan()
    except Unavailable:
        raise
    except EvenhandError as error:
        reason = str(error)
        system.transact(fail, run_id, reason)


def begin(session: Session, run_id: int, holder: str) -> bool:
    """Leases the scan of a run; False when it is done, or another worker is on it."""
    if not runs.lease(session, run_id, holder, LEASE_SECONDS):
        return False
    run = runs.get(session, run_id)
    runs.change(session, run_id, state=RunState.SCANNING, started_at=run.started_at or now())
    return True


def lock_scanned(session: Session, run_id: int) -> Run | None:
    """The run, locked. None when it is no longer scanned: another worker was faster, or the run was
    cancelled."""
    run = runs.lock_exclusive(session, run_id)
    return run if run is not None and run.state == RunState.SCANNING else None


def reserve_turns(unit: Unit, run: Run, records: int) -> int:
    """Reserves a turn of the run's pool for each record, as one block; none if the run gives its
    records to a person. Returns how many. Raises what `assign.check_owner` does."""
    owner = users.get(unit, run.owner_id)
    assign.check_owner(unit, owner, run.record_type)
    if not records or not owner.is_pool:
        return 0
    return assign.reserve(unit, run.owner_id, name_run_claim(run.kind, run.id), records).total


def end(session: Session, run: Run, cut: Sequence[Chunk], **counts: int) -> None:
    """Ends a scan: keeps the chunks and the counts of the run, and sends the tasks that carry out
    the chunks side by side."""
    tasks = RUN_TASKS[run.kind]
    chunks.add(session, run.id, cut)
    runs.change(
        session,
        run.id,
        state=RunState.LOADING,
        chunks_left=len(cut),
        **counts,
        attempts=0,
        leased_until=None,
        leased_by=None,
    )
    for chunk in cut:
        enqueue(session, tasks.chunk, run=run.id, chunk=chunk.number)
    if not cut:
        enqueue(session, tasks.close, run=run.id)


def fail(session: Session, run_id: int, reason: str) -> None:
    """Ends a run whose scan can't be done. A run that another delivery of the task has brought
    further is left alone."""
    run = runs.lock_row(session, run_id)
    if run is not None and run.state in UNSCANNED:
        runs.end(session, run_id, RunState.FAILED, reason)
