"""The time."""

from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session


def now() -> datetime:
    return datetime.now(UTC)


def shared_now(session: Session) -> datetime:
    """The time by the database's clock, for events on several machines whose order matters. SQLite
    has one machine."""
    if session.connection().dialect.name == "sqlite":
        return now()
    return session.scalars(select(func.clock_timestamp())).one()
