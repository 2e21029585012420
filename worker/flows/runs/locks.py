"""Locks a run that somebody names by its id."""

from sqlalchemy.orm import Session

from worker.errors.runs import UnknownRun
from worker.store.runs import runs
from worker.store.runs.runs import Run


def lock_known_run(session: Session, run_id: int) -> Run:
    """The run. Nobody carries out a chunk of it until the transaction ends. Raises UnknownRun."""
    run = runs.lock_exclusive(session, run_id)
    if run is None:
        raise UnknownRun(run_id=run_id)
    return run
