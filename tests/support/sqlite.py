"""SQLite databases that are used again."""

import sqlite3
from contextlib import closing
from pathlib import Path

from worker.store.tables import metadata

TABLES = ("sqlite_sequence", *(table.name for table in metadata.sorted_tables))


def copy_back(template: Path, path: Path) -> None:
    """Makes the database hold what its template holds, while others are connected to it."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=60)) as connection:
        connection.execute("ATTACH ? AS template", [str(template)])
        connection.execute("BEGIN IMMEDIATE")
        for table in reversed(TABLES):
            connection.execute(f"DELETE FROM main.{table}")
        for table in TABLES[1:]:
            connection.execute(f"INSERT INTO main.{table} SELECT * FROM template.{table}")
        connection.execute("DELETE FROM main.sqlite_sequence")
        connection.execute(
            "INSERT INTO main.sqlite_sequence SELECT * FROM template.sqlite_sequence"
        )
        connection.execute("COMMIT")
