"""The stack stops cleanly, and starts again whatever has happened to it."""

import os
import signal
from pathlib import Path

import httpx2
import pytest

from tests.acceptance.stack import Running, answers, home, up
from tests.servers import wait_until
from worker.stack.server import EmbeddedServer

pytestmark = pytest.mark.timeout(400)


def children(launcher: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def server(running: Running) -> EmbeddedServer:
    return EmbeddedServer(running.home.settings.socket, running.home.folder, running.home.folder / "log")


def test_ctrl_c_leaves_nothing_running(sqlite_url: str, tmp_path: Path) -> None:
    here = home(tmp_path / "home", sqlite_url)

    with up(here, workers=1) as running:
        parts = children(running.launcher.pid)
        running.launcher.send_signal(signal.SIGINT)
        code = running.launcher.wait(60)

    assert code == 0
    assert len(parts) == 6
    assert not any(map(alive, parts))
    assert not server(running).answers()


def test_a_stack_that_was_killed_takes_its_parts_along_and_starts_again(sqlite_url: str, tmp_path: Path) -> None:
    here = home(tmp_path / "home", sqlite_url)

    with up(here, workers=1) as killed:
        parts = children(killed.launcher.pid)
        os.kill(killed.launcher.pid, signal.SIGKILL)
        killed.launcher.wait(60)
        [left] = wait_until(lambda: (still := [part for part in parts if alive(part)]) and len(still) == 1 and still, "all but the server")
        assert server(killed).answers()

    with up(here, workers=1) as again:
        assert alive(left)
        assert httpx2.get(f"{again.api}/healthz").json()["status"] == "ok"
    assert not alive(left)


def test_a_part_that_dies_is_started_again(sqlite_url: str, tmp_path: Path) -> None:
    here = home(tmp_path / "home", sqlite_url)

    with up(here, workers=1) as running:
        api = next(part for part in children(running.launcher.pid) if b"\0api\0" in Path(f"/proc/{part}/cmdline").read_bytes())
        os.kill(api, signal.SIGKILL)
        wait_until(lambda: not alive(api), "the end of the API")

        wait_until(lambda: answers(f"{running.api}/healthz"), "an API again")


def test_a_second_stack_on_the_same_folder_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    here = home(tmp_path / "home", sqlite_url)

    with up(here, workers=1):
        told = here.run("up", fails=1).stderr

    assert "already running" in told
