"""Who is meant by a name."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.domain.texts import is_storable, told
from worker.domain.turns.pool import Pool
from worker.errors.people import AmbiguousUser, UnknownUser
from worker.errors.turns import UnknownOwner, UnknownPool
from worker.store.people import users
from worker.store.turns import pools


def user_named(session: Session, name: str) -> Row[Any]:
    """The active user with that email address or name."""
    found = _users_called(session, name.strip()) if is_storable(name) else []
    if len(found) > 1:
        raise AmbiguousUser(name=name)
    if not found:
        raise UnknownUser(name=told(name))
    return found[0]


def users_named(session: Session, names: Iterable[str]) -> list[int]:
    """The ids of the active users with those email addresses or names, in order. Raises
    UnknownUser and AmbiguousUser."""
    return [user_named(session, name).id for name in names]


def _users_called(session: Session, name: str) -> Sequence[Row[Any]]:
    by_email = users.with_email(session, name)
    return (
        [by_email] if by_email is not None and by_email.is_active else users.called(session, name)
    )


def pool_named(session: Session, name: str) -> Pool:
    """The live pool of that name, capitals or not. Raises UnknownPool."""
    pool = _pool_called(session, name)
    if pool is None:
        raise UnknownPool(name=told(name))
    return pool


def _pool_called(session: Session, name: str) -> Pool | None:
    return pools.called(session, name.strip()) if is_storable(name) else None


def owner_named(session: Session, name: str) -> Row[Any]:
    """The user that a name stands for where an owner is asked: a pool's phantom user, or a person."""
    pool = _pool_called(session, name)
    if pool is not None:
        return users.by_id(session, [pool.id])[pool.id]
    try:
        return user_named(session, name)
    except UnknownUser:
        raise UnknownOwner(name=told(name)) from None
