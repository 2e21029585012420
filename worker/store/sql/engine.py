"""Engines: how each database is opened, and how a transaction begins."""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from worker.errors.base import Unavailable
from worker.errors.servers import DatabaseNotMigrated, DatabaseUnreachable, TookTooLong
from worker.store.sql.transaction import Transaction

if TYPE_CHECKING:
    from psycopg import Connection as PostgresConnection

BUSY_SECONDS = 60
"""How long a SQLite transaction waits for its turn to write."""

FROZEN_SECONDS = 15
"""How long a PostgreSQL transaction may say nothing before the server ends it. One that is frozen,
or whose machine is gone, would keep locks on pools and leads that others wait for."""

SILENT_SECONDS = 600
"""How long a transaction may say nothing while it does something long."""

HURRY_SECONDS = 20.0
"""How long a statement may take if a user waits for its result."""

_POSTGRESQL = {
    "connect_timeout": 5,
    # Without these a half-open connection would hang for hours. They are in seconds, seconds,
    # probes and milliseconds.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}

CACHE_KIBIBYTES = 16 * 1024

READS_ONLY = "reads_only"
"""The execution option of connections that never write."""

_AWAY = ("08", "53", "57", "25P03")
"""SQL states, or the classes of states: no connection, no resources, an operator's intervention,
and a transaction that was ended because it said nothing."""

_SERIALIZATION_FAILURE, _DEADLOCK, _UNIQUE_VIOLATION, _UNDEFINED_TABLE = (
    "40001",
    "40P01",
    "23505",
    "42P01",
)
_QUERY_CANCELED = "57014"


OneTransaction = TypeVar("OneTransaction", bound=Transaction)


def open_engine(url: str) -> Engine:
    """An engine for the database. Nothing is connected yet."""
    if url.startswith("sqlite"):
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    # The fence must read what was committed before it locked the pool, also on a server that is set
    # to another isolation level. Errors end up in logs and in reasons that people see, so they must
    # hold no values of records.
    engine = create_engine(
        url,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        connect_args=_POSTGRESQL,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_postgresql(connection: "PostgresConnection", _: object) -> None:
    connection.execute(f"SET idle_in_transaction_session_timeout = '{FROZEN_SECONDS}s'")
    connection.commit()


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    # The driver begins no transaction of its own: _begin_sqlite does.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")


def _begin_sqlite(connection: Connection) -> None:
    """A transaction that may write takes the write lock at once. One that reads first and writes
    later would overwrite the changes that others made in between."""
    connection.exec_driver_sql(
        "BEGIN DEFERRED" if READS_ONLY in connection.get_execution_options() else "BEGIN IMMEDIATE"
    )


def writing(engine: Engine) -> AbstractContextManager[Transaction]:
    """A transaction that is committed at the end."""
    return begin(Transaction(engine))


def reading(engine: Engine) -> AbstractContextManager[Transaction]:
    """A transaction that only reads."""
    return begin(Transaction(snapshot_of(engine)))


@contextmanager
def begin(transaction: OneTransaction) -> Iterator[OneTransaction]:
    """Begins a transaction, and commits it at the end of the block. Raises DatabaseUnreachable,
    DatabaseNotMigrated, TookTooLong."""
    with _translate_errors(transaction.engine), transaction, transaction.begin():
        yield transaction


def snapshot_of(engine: Engine) -> Engine:
    """The same database for transactions that only read. They never wait for writers, and writers
    never wait for them. Each sees the database as it was at its first statement."""
    snapshot = engine.execution_options(**{READS_ONLY: True})
    if engine.dialect.name == "postgresql":
        snapshot = snapshot.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
    return snapshot


def allow_long_silence(session: Session) -> None:
    """Lets the transaction say nothing to the database for `SILENT_SECONDS` without being ended."""
    if session.connection().dialect.name == "postgresql":
        session.execute(
            text(f"SET LOCAL idle_in_transaction_session_timeout = '{SILENT_SECONDS}s'")
        )


def limit_statement_time(session: Session, seconds: float = HURRY_SECONDS) -> None:
    """Limits each statement of this transaction, for requests whose sender waits. PostgreSQL ends a
    statement that works or waits for longer, and the transaction raises TookTooLong. SQLite has no
    such limit; a writer waits for `BUSY_SECONDS` at most."""
    if session.connection().dialect.name == "postgresql":
        session.execute(text(f"SET LOCAL statement_timeout = {round(seconds * 1000)}"))


@contextmanager
def _translate_errors(engine: Engine) -> Iterator[None]:
    """Raises errors of ours for a database that is away, has no tables, or took too long."""
    try:
        yield
    except (OperationalError, InternalError, ProgrammingError) as error:
        if is_unmigrated(error):
            raise DatabaseNotMigrated from error
        if error.connection_invalidated or _is_away(error):
            raise _unavailable(engine, error) from error
        raise
    except PoolTimeout as error:
        raise DatabaseUnreachable(
            address=engine.url.render_as_string(), reason="all connections are in use"
        ) from error
    except engine.dialect.loaded_dbapi.Error as error:  # COPY raises the driver's own
        if _is_away(error):
            raise _unavailable(engine, error) from error
        raise


def _unavailable(engine: Engine, error: Exception) -> Unavailable:
    if _sql_state(error) == _QUERY_CANCELED:
        return TookTooLong()
    return DatabaseUnreachable(address=engine.url.render_as_string(), reason=_first_line(error))


def _driver_error(error: BaseException) -> BaseException:
    """The driver's own error. COPY raises it without SQLAlchemy's wrapper."""
    return getattr(error, "orig", None) or error


def _sql_state(error: BaseException) -> str | None:
    return getattr(_driver_error(error), "sqlstate", None)


def _first_line(error: BaseException) -> str:
    return str(_driver_error(error)).partition("\n")[0]


def is_transient(error: BaseException) -> bool:
    """Whether the same transaction may succeed, or be refused with a reason, when it runs again:
    after a deadlock, a serialization failure, a lock that wasn't free in time, or a unique key that
    another transaction took first."""
    passing = ("database is locked", "UNIQUE constraint failed")
    return _sql_state(error) in (_SERIALIZATION_FAILURE, _DEADLOCK, _UNIQUE_VIOLATION) or any(
        words in str(_driver_error(error)) for words in passing
    )


def _is_away(error: Exception) -> bool:
    """Whether the database couldn't be reached. Else it was asked for something impossible."""
    if isinstance(_driver_error(error), sqlite3.Error):
        return any(
            words in str(_driver_error(error))
            for words in ("unable to open", "disk I/O", "is full", "readonly")
        )
    return not isinstance(error, ProgrammingError) and (_sql_state(error) or "08").startswith(_AWAY)


def is_unmigrated(error: DBAPIError) -> bool:
    return _sql_state(error) == _UNDEFINED_TABLE or "no such table" in str(error.orig)
