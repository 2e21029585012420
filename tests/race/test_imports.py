"""Imports at once, by several processes, every task delivered twice, while the roster changes and
leads come in."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import cycle, islice
from pathlib import Path

from redis import Redis

from tests.race.worker import STOP, TASKS, RedisTasks
from tests.support.factories import accepted, email, give_leads, join, leave, person, pool, sheet
from tests.support.invariants import assert_in_file_order, assert_promise, rows
from tests.support.servers import wait_until
from worker.flows.system import System

ROOT = Path(__file__).parents[2]
WORKERS = 4
ROWS = 1_500
CHANGES = 15
SECONDS = 90


@contextmanager
def workers(
    client: Redis, tmp_path: Path, *addresses: str
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Four worker processes. Each ends well, or says in its log why not."""
    command = [sys.executable, "-W", "error", "-m", "tests.race.worker", *addresses]
    logs = [tmp_path / f"worker-{number}.log" for number in range(WORKERS)]
    running = []
    for path in logs:
        with path.open("wb") as log:
            running.append(subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log))
    try:
        yield running
        client.rpush(TASKS, *[STOP] * WORKERS)
        for worker, path in zip(running, logs, strict=True):
            assert worker.wait(SECONDS) == 0, path.read_text()
    finally:
        for worker in running:
            worker.kill()
            worker.wait()


def ended(system: System) -> bool:
    return not rows(system, "SELECT id FROM runs WHERE ended_at IS NULL")


def test_two_imports_at_once_keep_the_order_of_their_files(
    system: System, valkey: Redis, database_url: str, valkey_url: str, tmp_path: Path
) -> None:
    system = replace(system, send=RedisTasks(valkey))
    pool(system, 5)
    person(system, email(5))
    imports = [
        accepted(system, sheet(ROWS, {3, 700})),
        accepted(system, sheet(ROWS, {0, ROWS - 1})),
    ]

    with workers(valkey, tmp_path, database_url, valkey_url, str(tmp_path / "uploads")) as running:
        changes: list[Callable[[], object]] = [
            partial(join, system, email(5)),
            partial(leave, system, email(5)),
            partial(give_leads, system, 2),
        ]
        for change in islice(cycle(changes), CHANGES):
            change()
        wait_until(
            lambda: ended(system) or any(worker.poll() is not None for worker in running),
            "both imports",
            SECONDS,
        )

    turns = [assert_in_file_order(system, run_id) for run_id in imports]
    assert all(block == list(range(block[0], block[0] + ROWS - 2)) for block in turns)
    assert_promise(system)
