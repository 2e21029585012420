"""Real servers for the tests: a PostgreSQL and a Valkey that are started here and stopped here,
each on a unix socket."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from redis import Redis

from testing import servers
from testing.servers import (
    START_SECONDS,
    Postgres,
    connected,
    program,
    short_folder,
    wait_until,
)
from worker.ring.client import connect
from worker.settings import Settings
from worker.stack.server import EmbeddedServer
from worker.store.tables import metadata

__all__ = ["START_SECONDS", "Postgres", "connected", "program", "short_folder", "wait_until"]

FAST = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "shared_buffers=64MB",
    "max_connections=100",
)
"""Settings of a PostgreSQL whose contents nobody will miss."""


def children(pid: int) -> list[int]:
    """The processes that a process has started and that haven't ended."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


# --- PostgreSQL ---


@contextmanager
def postgres() -> Iterator[Postgres]:
    """The server that EVENHAND_TEST_DATABASE_URL names, else one of our own."""
    if url := os.environ.get("EVENHAND_TEST_DATABASE_URL"):
        yield Postgres(Settings(database_url=url).database_url)
        return
    with servers.postgres(*FAST) as server:
        yield server


# --- databases that are used again ---

SHAPE = """
    SELECT md5(string_agg(part, ' ' ORDER BY part)), sum(size) FROM (
        SELECT 'class ' || oid || ' ' || xmin AS part, pg_relation_size(oid) AS size
            FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind <> 'S'
        UNION ALL SELECT 'column ' || attrelid || ' ' || attnum || ' ' || pg_attribute.xmin, 0
            FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
            WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT 'constraint ' || oid || ' ' || xmin, 0 FROM pg_constraint
        UNION ALL SELECT 'trigger ' || oid || ' ' || xmin, 0 FROM pg_trigger
    ) AS parts
"""
"""A digest of how the tables are made, by the transactions that made each part, and how many bytes
they take. Sequences are left out: each reservation of ids alters one, and they are set back."""

OTHERS = (
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
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
