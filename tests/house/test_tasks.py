"""Tasks that are sent by name are tasks of the app."""

import worker.tasks  # noqa: F401  which registers them
from worker.app import app
from worker.domain.runs.runs import RUN_TASKS, RunKind


def test_every_kind_of_run_names_tasks_that_workers_know() -> None:
    assert set(RUN_TASKS) == set(RunKind)
    for tasks in RUN_TASKS.values():
        assert {tasks.scan, tasks.chunk, tasks.close} <= app.tasks.keys()
