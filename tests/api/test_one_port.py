"""Several processes of the API share one port, and end with whoever started them."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.stack import answers
from tests.api.test_server import free_port, listens
from tests.support.servers import alive, children, program, wait_until
from worker.settings import LOOPBACK

PROCESSES = 3


@dataclass(frozen=True)
class Together:
    """An API of several processes."""

    launcher: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def serving(self) -> list[int]:
        return children(self.launcher.pid)

    def well(self) -> bool:
        return answers(f"http://{LOOPBACK}:{self.port}/docs")

    def started(self) -> list[int]:
        """The processes that have served, in the order in which they began."""
        return [
            int(pid)
            for pid in re.findall(r"Started server process \[(\d+)\]", self.log.read_text())
        ]


@pytest.fixture
def together(tmp_path: Path) -> Iterator[Together]:
    port, log, environment = (
        free_port(),
        tmp_path / "api.log",
        {**os.environ, "EVENHAND_HOME": str(tmp_path / "home")},
    )
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "worker",
        "api",
        "--port",
        str(port),
        "--processes",
        str(PROCESSES),
    ]
    with program(command, log, lambda: listens(port), env=environment) as launcher:
        made = Together(launcher, port, log)
        wait_until(lambda: len(made.started()) == PROCESSES and made.well(), "all processes")
        yield made
    assert "Traceback" not in log.read_text()


def test_all_processes_end_when_the_launcher_is_asked_to(together: Together) -> None:
    processes = together.serving
    assert sorted(together.started()) == sorted(processes)

    together.launcher.terminate()
    code = together.launcher.wait(30)

    assert code == 0
    assert not any(map(alive, processes))
    assert len(re.findall(r"Finished server process", together.log.read_text())) == PROCESSES


def test_no_process_outlives_a_launcher_that_is_killed(together: Together) -> None:
    processes = together.serving
    assert len(processes) == PROCESSES

    together.launcher.kill()

    wait_until(lambda: not any(map(alive, processes)), "the end of all processes")
    assert not listens(together.port)


def test_a_process_that_dies_is_replaced_while_the_others_serve(together: Together) -> None:
    first, *others = together.serving

    os.kill(first, signal.SIGKILL)
    wait_until(lambda: not alive(first), "its end")

    assert together.well()
    wait_until(lambda: len(together.started()) == PROCESSES + 1, "another process")
    assert set(others) < set(together.serving)
    assert len(together.serving) == PROCESSES
