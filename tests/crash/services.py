"""The parts of the stack as processes of their own, each in a session of its own so that it can be
killed with all its children."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.acceptance.stack import ROOT, Home
from tests.support.servers import children

KILLED_SECONDS = 20.0


def start(home: Home, log: Path, *arguments: str) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        command = [sys.executable, "-m", "worker", *arguments]
        return subprocess.Popen(
            command,
            env=home.environment,
            cwd=ROOT,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


@contextmanager
def service(home: Home, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """One part of the stack, which runs within the block."""
    running = start(home, home.folder / f"{arguments[0]}.log", *arguments)
    try:
        yield running
    finally:
        kill(running)


def kill(running: subprocess.Popen[bytes]) -> None:
    """SIGKILL for all its processes, be they stopped or not."""
    if running.poll() is None:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait(KILLED_SECONDS)


def kill_children(running: subprocess.Popen[bytes]) -> None:
    """SIGKILL for those who work, not for who keeps them."""
    for pid in children(running.pid):
        os.kill(pid, signal.SIGKILL)
