"""Advisory locks: what nobody else may change, or nobody else may touch at all, until a transaction
ends.

On PostgreSQL they are advisory locks, not row locks: with row locks, transactions that share a row
overtake one that waits to lock it exclusively, for as long as there are any. On SQLite every
transaction that writes locks the whole database.
"""

from enum import IntEnum
from zlib import crc32

from sqlalchemy import text
from sqlalchemy.orm import Session


class LockKind(IntEnum):
    """What is locked. The numbers keep these locks apart from each other, and from the locks of
    other programs in the same database."""

    POOL = 0x504F4F4C
    RUN = 0x52554E00
    UPSERT = 0x55505354
    DELIVERY = 0x44454C49


def lock_exclusive(session: Session, kind: LockKind, number: int) -> None:
    _lock(session, "pg_advisory_xact_lock", kind, number)


def lock_shared(session: Session, kind: LockKind, number: int) -> None:
    """Others may share the lock; nobody has it exclusively meanwhile."""
    _lock(session, "pg_advisory_xact_lock_shared", kind, number)


def lock_exclusive_by_name(session: Session, kind: LockKind, name: str) -> None:
    """For what has no number. Two names may get the same lock, and then wait without need."""
    lock_exclusive(session, kind, crc32(name.encode(errors="replace")) - 2**31)


def _lock(session: Session, function: str, kind: LockKind, number: int) -> None:
    if session.connection().dialect.name == "postgresql":
        session.execute(
            text(f"SELECT {function}(:kind, :number)"), {"kind": int(kind), "number": number}
        )
