"""Scans: the first task of every run finds out what there is to be done, reserves its turns, and
cuts it into chunks."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.domain.runs.runs import STORIES
from worker.errors.base import EvenhandError, Unavailable
from worker.flows.leases import LEASE_SECONDS, on_lease
from worker.flows.system import System
from worker.queue import enqueue
from worker.store.runs import runs
from worker.store.sql.clock import now


def carry_out(system: System, run_id: int, holder: str, scan: Callable[[Row[Any]], None]) -> None:
    """Carries out a scan under a lease, unless it is done or somebody else is on it. A run that
    can't go on fails with the reason. The holder is whose lease it is: the same task, delivered
    again, goes on at once."""
    run = system.transact(begin, run_id, holder)
    if run is None:
        return
    try:
        with on_lease(system, runs.work(run_id), holder):
            scan(run)
    except Unavailable:
        raise
    except EvenhandError as error:
        reason = str(error)
        system.transact(fail, run_id, reason)


def begin(session: Session, run_id: int, holder: str) -> Row[Any] | None:
    """The run, leased to be scanned; None when there is nothing to scan, or somebody else is on it."""
    if not runs.lease(session, run_id, holder, LEASE_SECONDS):
        return None
    run = runs.with_id(session, run_id)
    runs.change(session, run_id, state="scanning", started_at=run.started_at or now())
    return run


def end(session: Session, run: Row[Any], chunks: int, **counts: int) -> None:
    """From here on the chunks are carried out, side by side."""
    tasks = STORIES[run.kind]
    runs.change(
        session,
        run.id,
        state="loading",
        chunks_left=chunks,
        **counts,
        attempts=0,
        leased_until=None,
        leased_by=None,
    )
    for number in range(chunks):
        enqueue(session, tasks.chunk, run=run.id, chunk=number)
    if not chunks:
        enqueue(session, tasks.close, run=run.id)


def fail(session: Session, run_id: int, reason: str) -> None:
    """Ends a run that couldn't begin; one that another delivery of its task has brought further is
    left alone."""
    run = runs.lock(session, run_id)
    if run is not None and run.state in ("accepted", "scanning"):
        runs.end(session, run_id, "failed", reason)
