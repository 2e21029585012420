"""evenhand chaos, as an operator runs it. EVENHAND_SOAK_MINUTES makes it longer, and the bar
higher."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testing.servers import postgres
from tests.acceptance.stack import EVENHAND, ROOT, START_SECONDS, STOP_SECONDS, home
from tests.support.factories import person
from tests.support.invariants import rows
from tests.support.servers import FAST, wait_until
from worker.flows.system import System

SOAK_MINUTES = float(os.environ.get("EVENHAND_SOAK_MINUTES", "0"))
MINUTES = SOAK_MINUTES or 1.0
OTHERWISE_SECONDS = 300.0
"""For starting, for recovery, and for checks."""

SEED = 3
INTERRUPTED = 130
LEAST_KINDS = 8
LEAST_FAULTS, LEAST_LEADS = (20 * SOAK_MINUTES, 2_000 * SOAK_MINUTES) if SOAK_MINUTES else (12, 500)

pytestmark = [
    pytest.mark.deep,
    pytest.mark.timeout(MINUTES * 60 + OTHERWISE_SECONDS + 60),
]


@pytest.fixture
def database_to_break() -> Iterator[str]:
    """On a server of its own, which may be crashed. What it has committed survives that."""
    with postgres(*FAST) as server:
        url = server.create_database()
        name = url.partition("?")[0].rpartition("/")[2]
        server.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = on')
        yield url


def test_chaos_breaks_everything_but_the_promise(database_to_break: str, tmp_path: Path) -> None:
    folder = tmp_path / "home"
    options = ["--seed", str(SEED), "--minutes", str(MINUTES), "--database-url", database_to_break]

    done = subprocess.run(
        [*EVENHAND, "chaos", *options],
        env=home(folder, "").environment,
        cwd=ROOT,
        check=False,
        timeout=MINUTES * 60 + OTHERWISE_SECONDS,
    )

    assert done.returncode == 0
    assert_held(json.loads((folder / "chaos" / "outcome.json").read_text()))
    assert left_running(folder) == []


def test_ctrl_c_leaves_nothing_running(tmp_path: Path) -> None:
    folder, log = tmp_path / "home", tmp_path / "log"
    with log.open("wb") as output:
        running = subprocess.Popen(
            [*EVENHAND, "chaos"],
            env=home(folder, "").environment,
            cwd=ROOT,
            stderr=output,
            start_new_session=True,
        )
    wait_until(
        lambda: running.poll() is not None or "breaking it" in log.read_text(),
        "the stack",
        START_SECONDS,
    )
    assert left_running(folder)

    running.send_signal(signal.SIGINT)

    assert running.wait(STOP_SECONDS) == INTERRUPTED, log.read_text()
    assert "Traceback" not in log.read_text()
    assert left_running(folder) == []


def test_a_folder_that_chaos_has_not_made_is_left_alone(tmp_path: Path) -> None:
    treasure = tmp_path / "home" / "chaos" / "treasure"
    treasure.parent.mkdir(parents=True)
    treasure.touch()

    told = home(tmp_path / "home", "").run("chaos", fails=2).stderr

    assert "chaos has not made" in told
    assert treasure.exists()


def test_a_database_with_other_people_in_it_is_left_alone(
    system: System, database_url: str, tmp_path: Path
) -> None:
    person(system, "ann@example.com")

    told = home(tmp_path / "home", "").run("chaos", "--database-url", database_url, fails=2).stderr

    assert "holds the user ann@example.com" in told
    assert [user["email"] for user in rows(system, "SELECT email FROM users")] == [
        "ann@example.com"
    ]


def assert_held(facts: dict[str, Any]) -> None:
    assert facts["held"]
    assert facts["violations"] == 0
    assert facts["lost_leads"] == facts["lost_runs"] == []
    assert len(facts["faults"]) >= LEAST_KINDS
    assert sum(facts["faults"].values()) >= LEAST_FAULTS
    assert facts["assigned"] == facts["captured"] > 0
    assert facts["created_in_turn"] == facts["created"] > 0
    assert (facts["created_twice"], facts["runs_twice"]) == ([], 0)
    for kind, least in (("imports", 1), ("moves", 1), ("undos", 1 if SOAK_MINUTES else 0)):
        kept = facts[kind]
        assert kept["done"] + kept["cancelled"] == kept["accepted"] >= least, kind
    assert facts["leads"] >= LEAST_LEADS
    assert facts["turns"] >= facts["leads"]


def left_running(folder: Path) -> list[str]:
    """The commands of processes that still live in that folder's stack."""
    mark = f"EVENHAND_HOME={folder}".encode()
    return [
        path.parent.name for path in Path("/proc").glob("[0-9]*/environ") if mark in _read(path)
    ]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has just ended
        return b""
