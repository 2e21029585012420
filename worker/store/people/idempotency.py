"""Idempotency-Keys, kept for a day with the answer to the request that came with them."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from worker.store.sql.clock import now
from worker.store.tables import idempotency_keys as keys

KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key: the SHA-256 of its request, and the JSON that answered it."""

    fingerprint: str
    body: str


def find(session: Session, user_id: int, key: str) -> StoredKey | None:
    """The key, if its user sent it in the last 24 hours."""
    found = select(keys.c.fingerprint, keys.c.body).where(
        keys.c.user_id == user_id, keys.c.key == key, keys.c.at >= now() - KEPT
    )
    row = session.execute(found).one_or_none()
    return None if row is None else StoredKey(row.fingerprint, row.body)


def begin(session: Session, user_id: int, key: str, fingerprint: str) -> None:
    """Takes the key before the work is done: a request with the same key waits until this
    transaction ends."""
    stale = (keys.c.user_id == user_id, keys.c.key == key, keys.c.at < now() - KEPT)
    session.execute(delete(keys).where(*stale))
    session.execute(
        insert(keys).values(user_id=user_id, key=key, fingerprint=fingerprint, at=now())
    )


def keep(session: Session, user_id: int, key: str, body: str) -> None:
    """Keeps the answer, as JSON, under a key that was begun."""
    session.execute(
        update(keys).where(keys.c.user_id == user_id, keys.c.key == key).values(body=body)
    )


def forget(session: Session) -> None:
    """Removes the keys that are older than a day."""
    session.execute(delete(keys).where(keys.c.at < now() - KEPT))
