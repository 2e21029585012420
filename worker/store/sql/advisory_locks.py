"""Holds: what nobody else may change, or nobody else at all may touch, until a transaction ends.

On PostgreSQL they are advisory locks, not those of rows: row locks let those who share overtake one
who waits to hold it alone, for as long as there are any. On SQLite every transaction that writes
holds the whole database alone.
"""

from enum import IntEnum
from zlib import crc32

from sqlalchemy import text
from sqlalchemy.orm import Session


class Kind(IntEnum):
    """What is held. The numbers keep these locks apart from each other, and from others' in the
    same database."""

    POOL = 0x504F4F4C
    RUN = 0x52554E00
    UPSERT = 0x55505354
    DELIVERY = 0x44454C49


def exclusive(session: Session, kind: Kind, number: int) -> None:
    _hold(session, "pg_advisory_xact_lock", kind, number)


def shared(session: Session, kind: Kind, number: int) -> None:
    """Together with others who share."""
    _hold(session, "pg_advisory_xact_lock_shared", kind, number)


def exclusive_by_name(session: Session, kind: Kind, name: str) -> None:
    """What has no number. Two names may share one, and then wait for each other without need."""
    exclusive(session, kind, crc32(name.encode(errors="replace")) - 2**31)


def _hold(session: Session, function: str, kind: Kind, number: int) -> None:
    if session.connection().dialect.name == "postgresql":
        session.execute(
            text(f"SELECT {function}(:kind, :number)"), {"kind": int(kind), "number": number}
        )
