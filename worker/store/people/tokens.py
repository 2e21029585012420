"""Access tokens: whose they are, and since when. Only the token's digest is stored, not the
token."""

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import ColumnElement, insert, or_, select, update
from sqlalchemy.orm import Session

from worker.store.sql.clock import now
from worker.store.tables import tokens, users


@dataclass(frozen=True, slots=True)
class StoredToken:
    """An access token. `name` tells its purpose; `last_used_at` is known to the minute."""

    id: int
    user_id: int
    name: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class LiveToken:
    """A token that admits its user, and the user's permissions."""

    id: int
    user_id: int
    is_admin: bool
    can_reassign: bool
    last_used_at: datetime | None


def add(session: Session, user_id: int, name: str, digest: str) -> int:
    """Adds a token, and returns its id."""
    new = insert(tokens).values(user_id=user_id, name=name, digest=digest, created_at=now())
    return session.scalars(new.returning(tokens.c.id)).one()


def list_of_user(session: Session, user_id: int) -> list[StoredToken]:
    """All tokens of a user, oldest first, also the revoked ones."""
    return _find(session, tokens.c.user_id == user_id)


def find(session: Session, token_id: int) -> StoredToken | None:
    """The token with that id."""
    return next(iter(_find(session, tokens.c.id == token_id)), None)


def find_live(session: Session, digest: str) -> LiveToken | None:
    """The token with that digest. None if it was revoked, or its user is inactive or a pool."""
    found = select(
        tokens.c.id,
        tokens.c.user_id,
        users.c.is_admin,
        users.c.can_reassign,
        tokens.c.last_used_at,
    ).join(users, users.c.id == tokens.c.user_id)
    row = session.execute(
        found.where(
            tokens.c.digest == digest,
            tokens.c.revoked_at.is_(None),
            users.c.is_active,
            ~users.c.is_pool,
        )
    ).one_or_none()
    return None if row is None else LiveToken(*row)


def revoke(session: Session, token_id: int) -> None:
    """Revokes a token. A token that was revoked before keeps the moment."""
    session.execute(
        update(tokens)
        .where(tokens.c.id == token_id, tokens.c.revoked_at.is_(None))
        .values(revoked_at=now())
    )


def note_use(session: Session, token_id: int, unless_since: datetime) -> None:
    """Writes that the token is used now, unless a use since that moment is written already."""
    earlier = or_(tokens.c.last_used_at.is_(None), tokens.c.last_used_at < unless_since)
    session.execute(
        update(tokens).where(tokens.c.id == token_id, earlier).values(last_used_at=now())
    )


def _find(session: Session, wanted: ColumnElement[bool]) -> list[StoredToken]:
    columns = (tokens.c[field.name] for field in fields(StoredToken))
    found = select(*columns).where(wanted).order_by(tokens.c.id)
    return [StoredToken(**row) for row in session.execute(found).mappings()]
