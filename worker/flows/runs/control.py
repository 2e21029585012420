"""Runs that are cancelled, and those that are retried."""

from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy.orm import Session

from worker.domain.runs.runs import RUN_TASKS, RunKind, RunState
from worker.domain.turns.claims import run_claim
from worker.errors.runs import NothingToRetry, RunEnded, UnknownRun
from worker.flows.turns import seed
from worker.flows.unit import Unit
from worker.queue import enqueue
from worker.store.intake import captures, enrichment
from worker.store.runs import chunks, kinds, reversals, runs
from worker.store.runs.runs import Run
from worker.store.turns import ledger, pools
from worker.store.views.runs import DOCUMENTED


@dataclass(frozen=True, slots=True)
class CancelledRun:
    """What a cancelled run leaves."""

    __pydantic_config__: ClassVar = DOCUMENTED

    id: int
    records: int
    """To which it has done what it was to do. That stays."""
    returned: int
    """Turns that come back: unused ones, or of an undo those of what it has undone."""


# --- cancelling ---


def cancel(unit: Unit, run_id: int) -> CancelledRun:
    """Stops a run between two chunks. What it has done stays; the turns that it doesn't use are the
    next to be handed out. Raises UnknownRun, RunEnded."""
    run = _lock(unit, run_id)
    unfinished = run.state == RunState.FAILED and run.chunks_left
    if run.state == RunState.CANCELLED or (run.ended_at is not None and not unfinished):
        raise RunEnded(run_id=run_id, state=run.state)
    returned = _count_returned(unit, run)
    # The turns of an undo come back when it is closed, and the close ends the run.
    so_far = 0 if run.kind == RunKind.UNDO else returned
    runs.change(unit, run_id, state=RunState.CANCELLED, reason=None, returned=so_far, ended_at=None)
    if run.turns:
        ledger.close_block(unit, run.owner_id, run_claim(run.kind, run_id))
        seed.seed_again(unit, run.owner_id, f"run {run_id} was cancelled")
    enqueue(unit, RUN_TASKS[run.kind].close, run=run_id)
    return CancelledRun(run_id, run.records, returned)


def _count_returned(session: Session, run: Run) -> int:
    """How many turns a cancelled run gives back: those that it hasn't used. An undo gives back
    those that it has freed, unless it shall not, or their pool is gone."""
    if run.kind == RunKind.UNDO:
        return _count_freed(session, run)
    if not run.turns:
        return 0
    claim = run_claim(run.kind, run.id)
    return run.turns - ledger.count_entered(session, run.owner_id, claim)


def _count_freed(session: Session, run: Run) -> int:
    returns_turns = kinds.get_undo(session, run.id).returns_turns
    if not returns_turns or pools.find_live(session, run.owner_id) is None:
        return 0
    return reversals.count(session, run.id)


# --- retrying ---


def retry(session: Session, run_id: int) -> int:
    """Goes on with a run that failed: with the chunks that were set aside, or from the beginning.
    Returns how many tasks that is. Raises UnknownRun, NothingToRetry."""
    run = _lock(session, run_id)
    if run.state != RunState.FAILED:
        raise NothingToRetry(run_id=run_id, state=run.state)
    tasks = RUN_TASKS[run.kind]
    if run.chunks_left is None:
        runs.restart(session, run_id, RunState.ACCEPTED)
        enqueue(session, tasks.scan, run=run_id)
        return 1
    runs.restart(session, run_id, RunState.LOADING)
    numbers = chunks.try_again(session, run_id)
    for number in numbers:
        enqueue(session, tasks.chunk, run=run_id, chunk=number)
    return len(numbers)


def retry_leads(session: Session) -> int:
    """Puts all captured leads that were set aside back in line, and fetches again what was set
    aside of others. Returns how many leads that are."""
    again = captures.try_again(session)
    for last in {row.pool_id: row.lead_id for row in sorted(again)}.values():
        enqueue(session, "captures.assign", lead=last)
    more = enrichment.try_again(session)
    for integration_id in {row.integration_id for row in more}:
        enqueue(session, "enrichments.fetch", integration=integration_id)
    return len({row.lead_id for row in again} | {row.lead_id for row in more})


def _lock(session: Session, run_id: int) -> Run:
    run = runs.lock_exclusive(session, run_id)
    if run is None:
        raise UnknownRun(run_id=run_id)
    return run
