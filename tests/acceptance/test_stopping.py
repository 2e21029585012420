"""The stack stops cleanly, and starts again whatever has happened to it."""

import os
import signal
from pathlib import Path

import httpx2
import pytest

from tests.acceptance.stack import Running, answers, home, up
from tests.support.servers import alive, children, wait_until
from worker.stack.server import EmbeddedServer

pytestmark = pytest.mark.timeout(400)


def api_of(running: Running) -> int:
    """The part that keeps the API's processes."""
    return next(
        part
        for part in children(running.launcher.pid)
        if b"\0api\0" in Path(f"/proc/{part}/cmdline").read_bytes()
    )


def server(running: Running) -> EmbeddedServer:
    return EmbeddedServer(
        running.home.settings.socket, running.home.folder, running.home.folder / "log"
    )


def test_ctrl_c_leaves_nothing_running(sqlite_url: str, tmp_path: Path) -> None:
    here = home(tmp_path / "home", sqlite_url)

    with up(here, workers=1) as running:
        parts, processes = children(running.launcher.pid), children(api_of(running))
        running.launcher.send_signal(signal.SIGINT)
        code = running.launcher.wait(60)

    assert code == 0
    assert len(parts) == 6
    assert len(processes) == 2
    assert not any(map(alive, [*parts, *processes]))
    assert not server(running).answers()


def test_a_stack_that_was_killed_takes_its_parts_along_and_starts_again(
    sqlite_url: str, tmp_path: Path
) -> None:
    here = home(tmp_path / "home", sqlite_url)

    with up(here, workers=1) as killed:
        parts = [*children(killed.launcher.pid), *children(api_of(killed))]
        os.kill(killed.launcher.pid, signal.SIGKILL)
        killed.launcher.wait(60)
        [left] = wait_until(
            lambda: (
                (still := [part for part in parts if alive(part)]) and len(still) == 1 and still
            ),
            "all but the server",
        )
        assert server(killed).answers()

    with up(here, workers=1) as again:
        assert alive(left)
        assert httpx2.get(f"{again.api}/healthz").json()["status"] == "ok"
    assert not alive(left)


def test_a_part_that_dies_is_started_again(sqlite_url: str, tmp_path: Path) -> None:
    here = home(tmp_path / "home", sqlite_url)

    with up(here, workers=1) as running:
        api, processes = api_of(running), children(api_of(running))
        os.kill(api, signal.SIGKILL)
        wait_until(
            lambda: not any(map(alive, [api, *processes])),
            "the end of the API and of all its processes",
        )

        wait_until(lambda: answers(f"{running.api}/healthz"), "an API again")


def test_a_second_stack_on_the_same_folder_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    here = home(tmp_path / "home", sqlite_url)

    with up(here, workers=1):
        told = here.run("up", fails=1).stderr

    assert "already running" in told
