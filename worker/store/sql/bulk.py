"""Rows by the thousand: COPY on PostgreSQL, one prepared statement on SQLite, inside the session's
transaction."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Table
from sqlalchemy.orm import Session


def insert(
    session: Session, table: Table, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Inserts rows whose values are text, numbers or None, in the order of the columns. None
    becomes NULL."""
    if session.connection().dialect.name == "postgresql":
        _copy(session, table, columns, rows)
    else:
        _execute_many(session, table, columns, rows)


def _copy(
    session: Session, table: Table, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    names = ", ".join(f'"{name}"' for name in columns)
    connection = session.connection().connection.driver_connection
    assert connection is not None
    with (
        connection.cursor() as cursor,
        cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy,
    ):
        for row in rows:
            copy.write_row(row)


def _execute_many(
    session: Session, table: Table, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    names = ", ".join(f'"{name}"' for name in columns)
    places = ", ".join("?" * len(columns))
    connection = session.connection().connection.driver_connection
    assert connection is not None
    connection.executemany(f'INSERT INTO "{table.name}" ({names}) VALUES ({places})', rows)


def format_moment(session: Session, moment: datetime) -> str:
    """A moment as the database stores it."""
    text = moment.isoformat(" ", "microseconds")
    return text.removesuffix("+00:00") if session.connection().dialect.name == "sqlite" else text
