"""Celery's part, played by the tests: tasks are collected as they are sent, and run when and as
often as a test says."""

import secrets
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

from worker.domain.runs.chunks import Chunk
from worker.domain.runs.runs import RUN_TASKS
from worker.flows.intake import capture, enrichment
from worker.flows.runs import chunks, imports, load, reassign, undo
from worker.flows.system import System
from worker.queue import Task
from worker.secret_box import SecretBox
from worker.store.runs.runs import Run

SECRET_BOX = SecretBox(["of the tests, and of nobody else's"])

FLOWS: dict[str, Callable[..., Any]] = {
    "captures.assign": capture.assign_lead,
    "imports.scan": imports.scan_upload,
    "imports.load_chunk": load.load_chunk,
    "imports.close": imports.close,
    "reassignments.freeze": reassign.freeze,
    "reassignments.move": reassign.move,
    "reassignments.close": reassign.close,
    "undos.scan": undo.scan,
    "undos.take_back": undo.take_back,
    "undos.close": undo.close,
    "enrichments.fetch": lambda system, integration, holder: enrichment.fetch(
        system, SECRET_BOX, integration, holder
    ),
}


class Tasks:
    """The tasks that were sent and not yet run, oldest first. An instance is a system's way to
    send."""

    def __init__(self) -> None:
        self.waiting: list[Task] = []

    def __call__(self, tasks: Iterable[Task]) -> None:
        self.waiting.extend(tasks)

    def names(self) -> list[str]:
        return [task.name for task in self.waiting]

    def lose(self) -> list[Task]:
        """Takes all waiting tasks away, as a broker does that forgets."""
        lost, self.waiting = self.waiting, []
        return lost

    def drain(self, system: System, *, times: int = 1, order: Random | None = None) -> list[Task]:
        """Runs tasks until none waits, in the order of sending or in a random one, each so many
        times. Returns what ran."""
        ran = []
        while self.waiting:
            task = self.waiting.pop(order.randrange(len(self.waiting)) if order else 0)
            ran.append(task)
            for _ in range(times):
                run(system, task)
        return ran

    def drain_in_threads(self, system: System, workers: int, *, times: int = 1) -> None:
        """Runs tasks until none waits, side by side, each so many times at once."""
        with ThreadPoolExecutor(workers) as threads:
            while wave := self.lose():
                for done in [
                    threads.submit(run, system, task) for task in wave for _ in range(times)
                ]:
                    done.result()


LEASED = FLOWS.keys() - {tasks.close for tasks in RUN_TASKS.values()}
"""The tasks that hold a lease on what they are at."""


def run(system: System, task: Task) -> None:
    """Runs one task as a worker would: by its name, with its arguments, and with an id if it asks
    for one."""
    holder = {"holder": secrets.token_hex(8)} if task.name in LEASED else {}
    FLOWS[task.name](system, *task.arguments.values(), **holder)


def lease_slowly(system: System, run_id: int, number: int) -> tuple[Run, Chunk]:
    """Leases a chunk as a worker does that is slow: it goes on by `load_leased`."""
    leased = system.transact(chunks._lease, run_id, number, "a slow one")
    assert leased is not None
    return leased


def load_leased(system: System, run: Run, chunk: Chunk) -> None:
    """Loads a leased chunk of an import, even if the lease has run out by now."""
    loaded = load.LOAD.prepare(system, run, chunk)
    system.transact(chunks._apply, run.id, chunk, load.LOAD, loaded)
