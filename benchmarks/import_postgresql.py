"""An import on PostgreSQL against a bare COPY of the same rows into the same two tables."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine

from benchmarks.figure import Figure, Pair, compare_speed
from benchmarks.testbed import Bench, Testbed, testbed
from worker.settings import settings

TARGET = 0.5
ORDER = {"leads": "id", "ledger": "pool_id, turn"}
BLOCK_BYTES = 2**20


def measure(bench: Bench) -> Figure:
    with testbed(bench, bench.postgres.create_database()) as here, here.run_workers():
        pairs = [_measure_pair(here, bench.rows) for _ in range(bench.pairs)]
    return compare_speed("import on PostgreSQL", "bare COPY", bench.rows, pairs, TARGET)


def _measure_pair(here: Testbed, rows: int) -> Pair:
    engine = here.system.engine
    empty(engine)
    ours = here.run_import(rows)
    files = _copy_out(engine)
    empty(engine)
    return Pair(_copy_in(engine, files), ours)


@contextmanager
def connected(engine: Engine) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(
        engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    ) as connection:
        yield connection


def empty(engine: Engine) -> None:
    """Both sides begin with empty tables, and with nothing left to write to disk."""
    with connected(engine) as connection:
        connection.autocommit = True
        connection.execute("TRUNCATE leads, ledger, captures, enrichments")
        connection.execute("CHECKPOINT")


def _copy_out(engine: Engine) -> dict[str, Path]:
    """The rows that the import made, each table as a file."""
    files = {table: settings().home / f"{table}.csv" for table in ORDER}
    with connected(engine) as connection, connection.cursor() as cursor:
        for table, file in files.items():
            rows = f"COPY (SELECT * FROM {table} ORDER BY {ORDER[table]}) TO STDOUT (FORMAT csv)"
            with file.open("wb") as target, cursor.copy(rows) as copy:
                target.writelines(copy)
    return files


def _copy_in(engine: Engine, files: dict[str, Path]) -> float:
    """The seconds that one connection takes to load the files in one transaction."""
    begun = time.perf_counter()
    with connected(engine) as connection, connection.cursor() as cursor:
        for table, file in files.items():
            with (
                file.open("rb") as source,
                cursor.copy(f"COPY {table} FROM STDIN (FORMAT csv)") as copy,
            ):
                while block := source.read(BLOCK_BYTES):
                    copy.write(block)
    return time.perf_counter() - begun
