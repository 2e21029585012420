"""Engines and sessions: how each database is opened, and how a transaction begins."""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from worker.errors.base import Unavailable
from worker.errors.servers import DatabaseNotMigrated, DatabaseUnreachable, TookTooLong
from worker.store.sql.transaction import Transaction

BUSY_SECONDS = 60
"""How long a SQLite transaction waits for its turn to write."""

FROZEN_SECONDS = 15
"""After so long PostgreSQL ends a transaction whose owner says nothing: one that was frozen, or
whose machine is gone, would go on holding pools and leads that others wait for."""

SILENT_SECONDS = 600
"""How long one may say nothing that has something long to do meanwhile."""

HURRY_SECONDS = 20.0
"""How long a statement may take that somebody waits for."""

_POSTGRESQL = {
    "connect_timeout": 5,
    # A half-open connection would hang whoever uses it for hours without these: seconds, seconds,
    # probes, milliseconds.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}

CACHE_KIBIBYTES = 16 * 1024

READS_ONLY = "reads_only"
"""The execution option of connections that never write."""

_AWAY = ("08", "53", "57", "25P03")
"""SQL states, or their classes: no connection, no resources, an operator's intervention, ended
while it said nothing."""

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
    # The fence reads what was committed before it held the pool, also on a server that is set to
    # another isolation.
    # Errors end up in logs, and as reasons before people's eyes: they hold no values of records.
    engine = create_engine(
        url,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        connect_args=_POSTGRESQL,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_postgresql(connection: Any, _: Any) -> None:
    connection.execute(f"SET idle_in_transaction_session_timeout = '{FROZEN_SECONDS}s'")
    connection.commit()


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = (
        None  # the driver begins no transaction of its own: _begin_sqlite does
    )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")


def _begin_sqlite(connection: Connection) -> None:
    """A transaction that may write takes the write lock at once: one that reads first and writes
    later would lose what others wrote."""
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
    with _own_errors(transaction.engine), transaction, transaction.begin():
        yield transaction


def snapshot_of(engine: Engine) -> Engine:
    """The same database for transactions that only read: they never wait for writers, nor writers
    for them. Each sees the database as it was at its first statement."""
    snapshot = engine.execution_options(**{READS_ONLY: True})
    if engine.dialect.name == "postgresql":
        snapshot = snapshot.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
    return snapshot


def allow_long_silence(session: Session) -> None:
    """The transaction may say nothing to the database for some minutes without being ended."""
    if session.connection().dialect.name == "postgresql":
        session.execute(
            text(f"SET LOCAL idle_in_transaction_session_timeout = '{SILENT_SECONDS}s'")
        )


def limit_statement_time(session: Session, seconds: float = HURRY_SECONDS) -> None:
    """Somebody waits for the answer: within this transaction PostgreSQL ends a statement that takes
    longer, be it for its work or for a lock, and the transaction raises TookTooLong. SQLite has no
    such limit; who writes there waits for BUSY_SECONDS at most."""
    if session.connection().dialect.name == "postgresql":
        session.execute(text(f"SET LOCAL statement_timeout = {round(seconds * 1000)}"))


@contextmanager
def _own_errors(engine: Engine) -> Iterator[None]:
    """Of a database that is away, has no tables, or took too long, it is said so in our own words."""
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
    except engine.dialect.loaded_dbapi.Error as error:  # the driver's own, bare out of COPY
        if _is_away(error):
            raise _unavailable(engine, error) from error
        raise


def _unavailable(engine: Engine, error: Exception) -> Unavailable:
    if _state(error) == _QUERY_CANCELED:
        return TookTooLong()
    return DatabaseUnreachable(address=engine.url.render_as_string(), reason=_first_line(error))


def _driver(error: BaseException) -> BaseException:
    """The driver's own error, which comes bare out of COPY."""
    return getattr(error, "orig", None) or error


def _state(error: BaseException) -> str | None:
    return getattr(_driver(error), "sqlstate", None)


def _first_line(error: BaseException) -> str:
    return str(_driver(error)).partition("\n")[0]


def is_transient(error: BaseException) -> bool:
    """Whether the same transaction may go well, or be refused with a reason, when it is run again:
    after a deadlock, a serialization failure, a lock not had in time, or a unique key that somebody
    else was faster to take."""
    passing = ("database is locked", "UNIQUE constraint failed")
    return _state(error) in (_SERIALIZATION_FAILURE, _DEADLOCK, _UNIQUE_VIOLATION) or any(
        words in str(_driver(error)) for words in passing
    )


def _is_away(error: Exception) -> bool:
    """Whether the database couldn't be reached, rather than asked for something impossible."""
    if isinstance(_driver(error), sqlite3.Error):
        return any(
            words in str(_driver(error))
            for words in ("unable to open", "disk I/O", "is full", "readonly")
        )
    return not isinstance(error, ProgrammingError) and (_state(error) or "08").startswith(_AWAY)


def is_unmigrated(error: DBAPIError) -> bool:
    return _state(error) == _UNDEFINED_TABLE or "no such table" in str(error.orig)
