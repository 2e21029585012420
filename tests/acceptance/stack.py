"""The stack as people run it: `evenhand up` in one process, commands in others."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.acceptance import commands
from tests.support.servers import wait_until
from tests.support.tasks import Tasks
from worker.flows.system import System
from worker.ring import Ring
from worker.ring.client import connect
from worker.settings import Settings
from worker.stack.parent_watchdog import VARIABLE
from worker.store.sql.engine import open_engine
from worker.uploads import Uploads

ROOT = Path(__file__).parents[2]
EVENHAND = (sys.executable, "-W", "error", "-m", "worker")
START_SECONDS = 90.0
STOP_SECONDS = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Home:
    """A data folder, and the environment in which its commands run."""

    folder: Path
    environment: dict[str, str]

    @property
    def settings(self) -> Settings:
        named = {
            name.removeprefix("EVENHAND_").lower(): value
            for name, value in self.environment.items()
            if name.startswith("EVENHAND_")
        }
        return Settings.model_validate(named)

    def run(
        self, *arguments: str | Path, fails: int = 0, text: bytes = b""
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end, with that text on its standard input; its exit code must be as
        expected."""
        done = commands.run([str(argument) for argument in arguments], self.environment, ROOT, text)
        assert done.returncode == fails, (arguments, done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return done

    def facts(self, *arguments: str | Path, fails: int = 0, text: bytes = b"") -> Any:
        """What a command prints with --json."""
        return json.loads(self.run(*arguments, "--json", fails=fails, text=text).stdout)

    def signed_in(self, email: str) -> dict[str, str]:
        """The header by which that person comes in over HTTP."""
        issued = self.facts("user", "token", email, "--name", "tests")
        return {"Authorization": f"Bearer {issued['token']}"}

    @contextmanager
    def system(self) -> Iterator[System]:
        """A look at the same database, ring and uploads from outside."""
        settings = self.settings
        engine = open_engine(settings.database_url)
        yield System(
            engine, Ring(connect(settings.redis_url)), Uploads(settings.uploads_url), Tasks()
        )
        engine.dispose()


def home(folder: Path, database_url: str) -> Home:
    given = {name: value for name, value in os.environ.items() if not name.startswith("EVENHAND_")}
    return Home(
        folder, {**given, "EVENHAND_HOME": str(folder), "EVENHAND_DATABASE_URL": database_url}
    )


@dataclass(frozen=True)
class Running:
    """A stack that is up."""

    home: Home
    launcher: subprocess.Popen[bytes]
    api: str
    flower: str


on_sqlite = pytest.mark.parametrize("running", ["sqlite"], indirect=True)


@contextmanager
def up(home: Home, workers: int = 4) -> Iterator[Running]:
    """`evenhand up`, ready within the block, stopped after it as Ctrl-C stops it unless the test
    has done so. It stops, too, when pytest is killed."""
    port, flower_port = free_port(), free_port()
    command = [
        *EVENHAND,
        "up",
        "--port",
        str(port),
        "--flower-port",
        str(flower_port),
        "--workers",
        str(workers),
    ]
    home.folder.mkdir(parents=True, exist_ok=True)
    log = home.folder / "up.log"
    with log.open("wb") as output:
        launcher = subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            stdin=subprocess.PIPE,
            env={**home.environment, VARIABLE: "1"},
            cwd=ROOT,
            start_new_session=True,
        )
    try:
        wait_until(
            lambda: launcher.poll() is not None or "Ready" in log.read_text(),
            "the stack",
            START_SECONDS,
        )
        assert launcher.poll() is None, log.read_text()
        yield Running(home, launcher, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{flower_port}")
    finally:
        if launcher.poll() is None:
            launcher.terminate()
        launcher.wait(STOP_SECONDS)
        if launcher.stdin:
            launcher.stdin.close()


def answers(address: str) -> bool:
    try:
        return httpx2.get(address, timeout=2).status_code == httpx2.codes.OK
    except httpx2.HTTPError:
        return False
