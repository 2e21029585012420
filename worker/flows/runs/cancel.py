"""Cancels runs, and counts the turns that they give back."""

from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy.orm import Session

from worker.domain.runs.runs import RUN_TASKS, RunKind, RunState
from worker.domain.turns.claims import name_run_claim
from worker.errors.runs import RunEnded
from worker.flows.runs.locks import lock_known_run
from worker.flows.turns import seed
from worker.flows.unit import Unit
from worker.queue import enqueue
from worker.store.runs import kinds, reversals, runs
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
    """Turns that it gives back: those that it hasn't used. An undo gives back the turns of what it
    has undone, if that was asked for."""


def cancel(unit: Unit, run_id: int) -> CancelledRun:
    """Stops a run between two chunks. What it has done stays.

    An import or a reassignment gives back the turns that it hasn't used. An undo gives back the
    turns of what it has undone, if that was asked for. These turns are the next to be handed out.
    Raises UnknownRun, RunEnded.
    """
    run = lock_known_run(unit, run_id)
    unfinished = run.state == RunState.FAILED and run.chunks_left
    if run.state == RunState.CANCELLED or (run.ended_at is not None and not unfinished):
        raise RunEnded(run_id=run_id, state=run.state)
    returned = _count_returned(unit, run)
    # The turns of an undo come back when it is closed, and the close ends the run.
    so_far = 0 if run.kind == RunKind.UNDO else returned
    runs.change(unit, run_id, state=RunState.CANCELLED, reason=None, returned=so_far, ended_at=None)
    if run.turns:
        ledger.close_block(unit, run.owner_id, name_run_claim(run.kind, run_id))
        seed.seed_again(unit, run.owner_id, f"run {run_id} was cancelled")
    enqueue(unit, RUN_TASKS[run.kind].close, run=run_id)
    return CancelledRun(run_id, run.records, returned)


def _count_returned(session: Session, run: Run) -> int:
    """How many turns a cancelled run gives back: those that it hasn't used. An undo gives back the
    turns it has freed, if that was asked for and the pool still exists."""
    if run.kind == RunKind.UNDO:
        return _count_freed(session, run)
    if not run.turns:
        return 0
    claim = name_run_claim(run.kind, run.id)
    return run.turns - ledger.count_entered(session, run.owner_id, claim)


def _count_freed(session: Session, run: Run) -> int:
    returns_turns = kinds.get_undo(session, run.id).returns_turns
    if not returns_turns or pools.find_live(session, run.owner_id) is None:
        return 0
    return reversals.count(session, run.id)
