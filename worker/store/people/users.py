"""People, and the phantom users that pools are."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, insert, select, update
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
    return _find(session, _select(~users.c.is_pool).order_by(users.c.id))


def find_by_email(session: Session, email: str) -> User | None:
    """The person with that email address, in capitals or not."""
    return _first(session, users.c.email == email.lower())


def find(session: Session, user_id: int) -> User | None:
    """The user with that id."""
    return _first(session, users.c.id == user_id)


def get(session: Session, user_id: int) -> User:
    """The user with that id, who is known to be there."""
    return _user(session.execute(_select(users.c.id == user_id)).one())


def get_all(session: Session, ids: Iterable[int | None]) -> dict[int, User]:
    """The users with those ids, by id."""
    wanted = {user_id for user_id in ids if user_id is not None}
    return {user.id: user for user in _find(session, _select(users.c.id.in_(wanted)))}


def find_by_name(session: Session, name: str) -> list[User]:
    """The first two active people of that name, in capitals or not: two are too many."""
    same_name = func.lower(users.c.name) == func.lower(name)
    return _find(session, _select(same_name, users.c.is_active, ~users.c.is_pool).limit(2))


def lock_active(session: Session, user_id: int) -> bool:
    """Whether the user is active. An active one stays so until the transaction ends."""
    active = select(users.c.id).where(users.c.id == user_id, users.c.is_active)
    return session.execute(active.with_for_update(read=True)).one_or_none() is not None


def lock_admins(session: Session) -> list[int]:
    """The ids of the active admins. They stay as they are until the transaction ends."""
    admins = select(users.c.id).where(users.c.is_admin, users.c.is_active).order_by(users.c.id)
    return list(session.scalars(admins.with_for_update()))


def _select(*wanted: ColumnElement[bool]) -> Select[Any]:
    return select(
        users.c.id,
        users.c.name,
        users.c.email,
        users.c.is_admin,
        users.c.can_reassign,
        users.c.is_active,
        users.c.is_pool,
        users.c.created_at,
    ).where(*wanted)


def _user(row: Row[Any]) -> User:
    return User(**row._asdict())


def _find(session: Session, found: Select[Any]) -> list[User]:
    return [_user(row) for row in session.execute(found)]


def _first(session: Session, wanted: ColumnElement[bool]) -> User | None:
    row = session.execute(_select(wanted)).one_or_none()
    return None if row is None else _user(row)
