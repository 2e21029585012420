"""Access tokens: whose they are, and since when. Of the token itself there is only its digest."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, or_, select, update
from sqlalchemy.orm import Session

from worker.store.sql.clock import now
from worker.store.tables import tokens, users


def add(session: Session, user_id: int, name: str, digest: str) -> int:
    """The id of a new token."""
    new = insert(tokens).values(user_id=user_id, name=name, digest=digest, created_at=now())
    return session.scalars(new.returning(tokens.c.id)).one()


def of_user(session: Session, user_id: int) -> list[Row[Any]]:
    """All tokens of a user, oldest first, those that were revoked too."""
    return list(
        session.execute(select(tokens).where(tokens.c.user_id == user_id).order_by(tokens.c.id))
    )


def with_id(session: Session, token_id: int) -> Row[Any] | None:
    return session.execute(select(tokens).where(tokens.c.id == token_id)).one_or_none()


def live(session: Session, digest: str) -> Row[Any] | None:
    """The token with that digest, and what its user may do; None if it was revoked, or its user is
    nobody who signs in."""
    found = select(tokens, users.c.is_admin, users.c.can_reassign).join(
        users, users.c.id == tokens.c.user_id
    )
    valid = (
        (tokens.c.digest == digest)
        & tokens.c.revoked_at.is_(None)
        & users.c.is_active
        & ~users.c.is_pool
    )
    return session.execute(found.where(valid)).one_or_none()


def revoke(session: Session, token_id: int) -> None:
    """From now on it lets nobody in. One that was revoked before stays revoked since then."""
    session.execute(
        update(tokens)
        .where(tokens.c.id == token_id, tokens.c.revoked_at.is_(None))
        .values(revoked_at=now())
    )


def note_use(session: Session, token_id: int, unless_since: datetime) -> None:
    """It is being used now, which need not be written if it was used since that moment."""
    earlier = or_(tokens.c.last_used_at.is_(None), tokens.c.last_used_at < unless_since)
    session.execute(
        update(tokens).where(tokens.c.id == token_id, earlier).values(last_used_at=now())
    )
