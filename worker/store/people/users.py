"""People, and the phantom users that pools are."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.orm import Session

from worker.store.sql.clock import now
from worker.store.tables import users


@dataclass(frozen=True, slots=True)
class User:
    """A person, or a pool's phantom user, which has no email address."""

    id: int
    name: str
    email: str | None
    is_admin: bool
    can_reassign: bool
    is_active: bool
    is_pool: bool
    created_at: datetime


def add(session: Session, name: str, email: str | None, /, **permissions: bool) -> int:
    """Adds a user, or a pool's phantom user, and returns the id. `permissions` are is_admin,
    can_reassign and is_pool."""
    moment = now()
    new = insert(users).values(
        name=name, email=email, created_at=moment, updated_at=moment, **permissions
    )
    return session.scalars(new.returning(users.c.id)).one()


def change(session: Session, user_id: int, /, **values: str | bool) -> None:
    """Writes the named columns of a user."""
    session.execute(update(users).where(users.c.id == user_id).values(**values, updated_at=now()))


def list_people(session: Session) -> list[User]:
    """Everyone but the phantom users, in the order of joining."""
    return _find(session, ~users.c.is_pool)


def find_by_email(session: Session, email: str) -> User | None:
    """The person with that email address, in capitals or not."""
    return next(iter(_find(session, users.c.email == email.lower())), None)


def find(session: Session, user_id: int) -> User | None:
    """The user with that id."""
    return next(iter(_find(session, users.c.id == user_id)), None)


def get(session: Session, user_id: int) -> User:
    """The user with that id, who must exist."""
    return _find(session, users.c.id == user_id)[0]


def get_all(session: Session, ids: Iterable[int | None]) -> dict[int, User]:
    """The users with those ids, by id."""
    wanted = {user_id for user_id in ids if user_id is not None}
    return {user.id: user for user in _find(session, users.c.id.in_(wanted))}


def find_by_name(session: Session, name: str) -> list[User]:
    """The first two active people of that name, in capitals or not: two are too many."""
    same_name = func.lower(users.c.name) == func.lower(name)
    return _find(session, same_name, users.c.is_active, ~users.c.is_pool, limit=2)


def lock_active(session: Session, user_id: int) -> bool:
    """Whether the user is active. An active one stays so until the transaction ends."""
    active = select(users.c.id).where(users.c.id == user_id, users.c.is_active)
    return session.execute(active.with_for_update(read=True)).one_or_none() is not None


def lock_admins(session: Session) -> list[int]:
    """The ids of the active admins. They stay as they are until the transaction ends."""
    admins = select(users.c.id).where(users.c.is_admin, users.c.is_active).order_by(users.c.id)
    return list(session.scalars(admins.with_for_update()))


def _find(session: Session, *wanted: ColumnElement[bool], limit: int | None = None) -> list[User]:
    columns = (users.c[field.name] for field in fields(User))
    found = select(*columns).where(*wanted).order_by(users.c.id).limit(limit)
    return [User(**row) for row in session.execute(found).mappings()]
