"""Answers that are kept for a day, for requests that come again under the same Idempotency-Key."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.orm import Session

from worker.store.sql.clock import now
from worker.store.tables import answers

KEPT = timedelta(hours=24)


def find(session: Session, user_id: int, key: str) -> Row[Any] | None:
    kept = (answers.c.user_id == user_id, answers.c.key == key, answers.c.at >= now() - KEPT)
    return session.execute(select(answers).where(*kept)).one_or_none()


def begin(session: Session, user_id: int, key: str, fingerprint: str) -> None:
    """Takes the key before the work is done: whoever comes with the same one waits for the end of
    this transaction."""
    session.execute(
        delete(answers).where(
            answers.c.user_id == user_id, answers.c.key == key, answers.c.at < now() - KEPT
        )
    )
    session.execute(
        insert(answers).values(user_id=user_id, key=key, fingerprint=fingerprint, at=now())
    )


def keep(session: Session, user_id: int, key: str, body: str) -> None:
    session.execute(
        update(answers).where(answers.c.user_id == user_id, answers.c.key == key).values(body=body)
    )


def forget(session: Session) -> None:
    """Removes what is older than a day."""
    session.execute(delete(answers).where(answers.c.at < now() - KEPT))
