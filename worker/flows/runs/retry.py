"""Retries runs that failed."""

from sqlalchemy.orm import Session

from worker.domain.runs.runs import RUN_TASKS, RunState
from worker.errors.runs import NothingToRetry
from worker.flows.runs.locks import lock_known_run
from worker.queue import enqueue
from worker.store.runs import chunks, runs


def retry(session: Session, run_id: int) -> int:
    """Goes on with a run that failed: with the chunks that were set aside, or from the beginning.
    Returns how many tasks it sends. Raises UnknownRun, NothingToRetry."""
    run = lock_known_run(session, run_id)
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
