"""What time it is."""

from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session


def now() -> datetime:
    return datetime.now(UTC)


def shared_now(session: Session) -> datetime:
    """By the database's clock, for what happens on several machines and is asked which came first.
    SQLite has one machine."""
    if session.connection().dialect.name == "sqlite":
        return now()
    return session.scalars(select(func.clock_timestamp())).one()
