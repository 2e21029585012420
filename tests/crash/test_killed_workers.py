"""Workers are killed in the middle of an import, and nothing about its result changes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from redis import Redis
from sqlalchemy import text

from tests.acceptance.stack import ROOT, Home, home
from tests.factories import pool
from tests.invariants import assert_in_file_order, assert_promise, rows
from tests.servers import wait_until
from worker.flows.system import System
from worker.flows.verify import verify
from worker.sample import write_sample
from worker.store import engine

ROWS = 6_000
ROUNDS = int(os.environ.get("EVENHAND_SOAK_ROUNDS", "1"))
DONE_SECONDS = 120.0

pytestmark = pytest.mark.timeout(300 * ROUNDS)


def home_with(folder: Path, database_url: str, valkey_url: str) -> Home:
    """A data folder whose commands use the servers of the tests."""
    (folder / "home").mkdir()
    made = home(folder / "home", database_url)
    return replace(
        made, environment={**made.environment, "EVENHAND_REDIS_URL": valkey_url, "EVENHAND_UPLOADS_URL": str(folder / "uploads")}
    )


@pytest.fixture
def here(database_url: str, valkey_url: str, valkey: Redis, tmp_path: Path) -> Home:
    return home_with(tmp_path, database_url, valkey_url)


@contextmanager
def service(home: Home, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """One part of the stack, in a session of its own so that all its processes can be killed at once."""
    with (home.folder / "log").open("ab") as log:
        running = subprocess.Popen(
            [sys.executable, "-m", "worker", *arguments], env=home.environment, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield running
    finally:
        kill(running)


def workers(home: Home, name: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
    return service(home, "worker", "--queues", "bulk,upkeep", "--processes", "2", "--name", name)


def kill(running: subprocess.Popen[bytes]) -> None:
    """SIGKILL for a process and all its children."""
    if running.poll() is None:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait(10)


def kill_one_child(running: subprocess.Popen[bytes], dice: Random) -> None:
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
    os.kill(int(dice.choice(children)), signal.SIGKILL)


def start_import(home: Home, folder: Path) -> int:
    file = folder / "leads.csv"
    with file.open("w", encoding="utf-8", newline="") as sheet:
        write_sample(sheet, ROWS)
    return int(home.facts("import", file, "--owner", "Inbound", "--no-wait")["id"])


def loaded(system: System, run_id: int) -> int:
    [run] = rows(system, "SELECT records FROM runs WHERE id = :run", run=run_id)
    return int(run["records"])


def is_done(system: System, run_id: int) -> bool:
    return bool(rows(system, "SELECT 1 FROM runs WHERE id = :run AND state = 'done'", run=run_id))


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_a_killed_worker_changes_nothing_about_an_import(here: Home, system: System, tmp_path: Path, seed: int) -> None:
    dice = Random(seed)
    pool(system, 5)
    run_id = start_import(here, tmp_path)

    with ExitStack() as stack:
        stack.enter_context(service(here, "beat"))
        steady, doomed = stack.enter_context(workers(here, "steady")), stack.enter_context(workers(here, "doomed"))
        wait_until(lambda: loaded(system, run_id) > dice.randrange(1, ROWS // 4), "the first rows", DONE_SECONDS)
        kill(doomed)
        kill_one_child(steady, dice)  # of which a worker that has only just started dies, too
        stack.enter_context(workers(here, "next"))

        wait_until(lambda: is_done(system, run_id), "the end of the import", DONE_SECONDS)

    turns = assert_in_file_order(system, run_id)
    assert turns == list(range(1, len(turns) + 1))
    assert_promise(system)
    assert all(report.holds for report in verify(system))


def test_a_worker_killed_while_it_enters_the_ledger_leaves_nothing_half_done(
    postgresql_url: str, valkey_url: str, valkey: Redis, tmp_path: Path
) -> None:
    here = home_with(tmp_path, postgresql_url, valkey_url)
    with here.system() as system, ExitStack() as stack:
        pool(system, 3)
        run_id = start_import(here, tmp_path)
        stack.enter_context(service(here, "beat"))
        doomed = stack.enter_context(workers(here, "doomed"))
        with engine.writing(system.engine) as session:
            session.execute(text("LOCK TABLE ledger IN EXCLUSIVE MODE"))
            entering = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'COPY%ledger%'"
            wait_until(lambda: rows(system, entering), "a worker that enters the ledger", DONE_SECONDS)
            kill(doomed)
        assert rows(system, "SELECT 1 FROM ledger") == rows(system, "SELECT 1 FROM leads") == []
        stack.enter_context(workers(here, "next"))

        wait_until(lambda: is_done(system, run_id), "the end of the import", DONE_SECONDS)

        assert_in_file_order(system, run_id)
        assert_promise(system)
