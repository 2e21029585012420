"""Workers are killed at any moment of an import, and nothing about its result changes."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from io import StringIO
from pathlib import Path
from random import Random

import pytest
from redis import Redis

from tests.acceptance.stack import Home, home
from tests.crash.rig import Rig
from tests.crash.services import kill, kill_children, service
from tests.support.factories import pool
from tests.support.invariants import assert_in_file_order, assert_promise, rows
from tests.support.servers import wait_until
from worker.flows.audit.verify import verify
from worker.flows.system import System
from worker.sample import write_sample

ROWS = 3_000
DONE_SECONDS = 90.0


def sample() -> bytes:
    text = StringIO()
    write_sample(text, ROWS)
    return text.getvalue().encode()


def loaded(system: System, run_id: int) -> int:
    [run] = rows(system, "SELECT records FROM runs WHERE id = :run", run=run_id)
    return int(run["records"])


def is_done(system: System, run_id: int) -> bool:
    return bool(rows(system, "SELECT 1 FROM runs WHERE id = :run AND state = 'done'", run=run_id))


def test_killed_workers_change_nothing_about_an_import(rig: Rig) -> None:
    pool = rig.pool(5)
    run_id = rig.import_file(pool.name, sample())

    wait_until(
        lambda: loaded(rig.system, run_id) > Random(0).randrange(1, ROWS // 4), "the first rows"
    )
    steady, doomed = rig.alive()
    rig.kill(doomed)
    rig.kill_child(steady)
    rig.make_ready()
    wait_until(lambda: is_done(rig.system, run_id), "the end of the import", DONE_SECONDS)

    turns = assert_in_file_order(rig.system, run_id)
    assert turns == list(range(1, len(turns) + 1))
    rig.assert_promise()


@pytest.fixture
def sqlite(sqlite_url: str, valkey_url: str, valkey: Redis, tmp_path: Path) -> Home:
    """A data folder with a SQLite database, whose commands use the Valkey of the tests."""
    made = home(tmp_path, sqlite_url)
    return replace(made, environment=made.environment | {"EVENHAND_REDIS_URL": valkey_url})


@pytest.fixture
def system(sqlite: Home) -> Iterator[System]:
    with sqlite.system() as system:
        yield system


def test_killed_workers_change_nothing_about_an_import_on_sqlite(
    sqlite: Home, system: System, tmp_path: Path
) -> None:
    pool(system, 5)
    file = tmp_path / "leads.csv"
    file.write_bytes(sample())
    run_id = int(sqlite.facts("import", file, "--owner", "Inbound", "--no-wait")["id"])

    with ExitStack() as stack:
        worker = ("worker", "--queues", "bulk,upkeep", "--processes", "2", "--name")
        stack.enter_context(service(sqlite, "beat"))
        steady, doomed = (
            stack.enter_context(service(sqlite, *worker, name)) for name in ("steady", "doomed")
        )
        wait_until(
            lambda: loaded(system, run_id) > Random(0).randrange(1, ROWS // 4),
            "the first rows",
            DONE_SECONDS,
        )
        kill(doomed)
        kill_children(steady)
        wait_until(lambda: is_done(system, run_id), "the end of the import", DONE_SECONDS)

    turns = assert_in_file_order(system, run_id)
    assert turns == list(range(1, len(turns) + 1))
    assert_promise(system)
    assert all(report.holds for report in verify(system))
