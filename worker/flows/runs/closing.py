"""How a run ends: the last task of every kind closes the run."""

from collections.abc import Callable

from worker.domain.runs.runs import RunState
from worker.domain.turns.claims import name_run_claim
from worker.flows.unit import Unit
from worker.store.runs import runs
from worker.store.runs.runs import Run
from worker.store.turns import ledger


def count_as_before(unit: Unit, run: Run) -> int:
    """For runs that have no turns to return when they end."""
    return run.returned


def end_run(
    unit: Unit, run_id: int, return_turns: Callable[[Unit, Run], int] = count_as_before
) -> bool:
    """Ends a run whose chunks are all done, or that was cancelled.

    `return_turns` gives back the turns that the run doesn't use, and returns how many turns the run
    has returned in all. Returns whether the run is done or cancelled, and has ended now or before.
    """
    run = runs.lock_row(unit, run_id)
    if run is None:
        return False
    if run.ended_at is not None:
        return run.state != RunState.FAILED
    if not run.is_loaded and run.state != RunState.CANCELLED:
        return False
    if run.is_loaded and run.turns:
        ledger.close_block(unit, run.owner_id, name_run_claim(run.kind, run_id))
    state = RunState.DONE if run.is_loaded else RunState.CANCELLED
    runs.end(unit, run_id, state, returned=return_turns(unit, run))
    return True
