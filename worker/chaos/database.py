"""The database that chaos works on: whose it is, how to reach it through a proxy, and how to break
it."""

import os
import signal
from contextlib import suppress
from pathlib import Path

from sqlalchemy import inspect, make_url, select, text
from sqlalchemy.orm import Session

from worker.chaos.proxy import Upstream
from worker.errors.base import Unavailable
from worker.errors.servers import ForeignDatabase
from worker.flows.system import System
from worker.settings import LOOPBACK
from worker.store.people import users
from worker.store.sql import engine
from worker.store.sql.migrate import migrate
from worker.store.tables import RECORDS, metadata
from worker.store.tables import users as user_table

DOMAIN = "@chaos.invalid"
"""The domain of the email addresses of chaos' users."""

POSTGRESQL_PORT = 5432
MIGRATIONS = "alembic_version"


# --- to whom it belongs ---


def prepare(system: System) -> None:
    """Migrates a database that is empty or that only chaos has used, and empties its tables.
    Raises ForeignDatabase."""
    with system.reading() as session:
        refuse(system, _find_foreign_table(session))
    migrate(system.engine)
    with engine.writing(system.engine) as session:
        refuse(system, _find_foreign_row(session))
        for table in reversed(metadata.sorted_tables):
            session.execute(table.delete())


def refuse(system: System, what: str | None) -> None:
    if what is not None:
        raise ForeignDatabase(address=system.engine.url.render_as_string(), what=what)


def _find_foreign_table(session: Session) -> str | None:
    strange = {*inspect(session.connection()).get_table_names()} - {*metadata.tables, MIGRATIONS}
    return f"the table {min(strange)}" if strange else None


def _find_foreign_row(session: Session) -> str | None:
    people = users.list_people(session)
    for person in people:
        if not (person.email or "").endswith(DOMAIN):
            return f"the user {person.email}"
    for table in () if people else (user_table, *RECORDS.values()):
        if session.execute(select(1).select_from(table).limit(1)).first():
            return f"{table.name} that are not of chaos"
    return None


# --- how it is reached ---


def find_upstream(url: str) -> Upstream | None:
    """Returns where the database listens. None for a database that is a file."""
    address = make_url(url)
    if address.get_backend_name() != "postgresql":
        return None
    host = _take_first(address.query.get("host") or address.host or LOOPBACK)
    port = int(_take_first(address.query.get("port") or address.port or POSTGRESQL_PORT))
    return f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port)


def _take_first(values: str | int | tuple[str, ...]) -> str:
    return str(values[0] if isinstance(values, tuple) else values).partition(",")[0]


def find_address_behind(url: str, port: int) -> str:
    """Returns the address of the same database behind a proxy on this machine."""
    elsewhere = make_url(url).difference_update_query(["host", "hostaddr", "port"])
    return elsewhere.set(host=LOOPBACK, port=port).render_as_string(hide_password=False)


# --- how it is broken ---


def may_crash(system: System) -> bool:
    """Returns whether PostgreSQL may be crashed as a whole: it runs on this machine, this user may
    kill it, no other program uses it, and its commits survive a crash."""
    with system.reading() as session:
        elsewhere = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND datname <> current_database()"
        )
        durable = session.scalar(text("SELECT current_setting('synchronous_commit') <> 'off'"))
        return bool(durable) and not session.scalar(text(elsewhere)) and _is_here(session)


def _is_here(session: Session) -> bool:
    """Returns whether the server process of this connection runs on this machine, and this user may
    kill it."""
    pid, title = _find_pid(session), f" {session.scalar(text('SELECT current_database()'))} "
    try:
        os.kill(pid, 0)
        name = Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return False
    return name.startswith("postgres:") and title in name


def _find_pid(session: Session) -> int:
    return int(session.scalar(text("SELECT pg_backend_pid()")) or 0)


def crash(system: System) -> None:
    """Kills the server process of this connection. PostgreSQL then ends all others, and recovers
    from its log."""
    if may_crash(system):  # checked again: others may have connected
        with suppress(Unavailable), system.reading() as session:
            os.kill(_find_pid(session), signal.SIGKILL)


def end_connections(system: System) -> None:
    """Ends all other connections, as a server does that is stopped at once."""
    with system.reading() as session:
        others = (
            "datname = current_database() AND usename = current_user"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        session.execute(
            text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
        )
