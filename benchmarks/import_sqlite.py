"""An import on SQLite against a bare executemany of the same rows into the same two tables."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure, Pair, compare_speed
from benchmarks.testbed import Bench, testbed
from worker.settings import Settings, settings
from worker.store.sql.engine import open_engine
from worker.store.sql.migrate import migrate

TARGET = 0.4
SHARE = 4
"""One row in so many of what the other figures import, because every pair begins with a new file
and new workers."""

ROWS_AT_ONCE = 10_000
ORDER = {"leads": "id", "ledger": "pool_id, turn"}

_numbers = count(1)


def measure(bench: Bench) -> Figure:
    rows = max(bench.rows // SHARE, ROWS_AT_ONCE)
    return compare_speed(
        "import on SQLite",
        "bare executemany",
        rows,
        [_measure_pair(bench, rows) for _ in range(bench.pairs)],
        TARGET,
    )


def _measure_pair(bench: Bench, rows: int) -> Pair:
    imported, bare = _open_database(), _open_database()
    with testbed(bench, _make_url(imported)) as here, here.run_workers():
        _empty(imported)
        ours = here.run_import(rows)
    return Pair(_execute_many(imported, bare), ours)


def _open_database() -> Path:
    return settings().home / f"evenhand-{next(_numbers)}.db"


def _make_url(path: Path) -> str:
    return f"sqlite:///{path}"


def _empty(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for table in ORDER:
            connection.execute(f"DELETE FROM {table}")
        connection.commit()
        connection.execute("VACUUM")


def _execute_many(source: Path, target: Path) -> float:
    """The seconds that one connection, opened as Evenhand opens it, takes to insert the rows of one
    file into another."""
    engine = open_engine(Settings(database_url=_make_url(target)).database_url)
    migrate(engine)
    pooled = engine.raw_connection()
    connection: Any = pooled.driver_connection
    connection.execute("BEGIN IMMEDIATE")
    spent = sum(
        _insert(connection, table, rows) for table in ORDER for rows in _cut_batches(source, table)
    )
    begun = time.perf_counter()
    connection.execute("COMMIT")
    spent += time.perf_counter() - begun
    pooled.close()
    engine.dispose()
    return spent


def _cut_batches(source: Path, table: str) -> Iterator[list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(source)) as connection:
        rows = connection.execute(f"SELECT * FROM {table} ORDER BY {ORDER[table]}")
        while batch := rows.fetchmany(ROWS_AT_ONCE):
            yield batch


def _insert(connection: sqlite3.Connection, table: str, rows: list[tuple[Any, ...]]) -> float:
    statement = f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})"
    begun = time.perf_counter()
    connection.executemany(statement, rows)
    return time.perf_counter() - begun
