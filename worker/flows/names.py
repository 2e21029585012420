"""Who is meant by a name."""

from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.errors import AmbiguousUser, UnknownOwner, UnknownPool, UnknownUser
from worker.store import pools, users


def user_named(session: Session, name: str) -> Row[Any]:
    """The active user with that email address or name."""
    by_email = users.with_email(session, name.strip())
    found = [by_email] if by_email is not None and by_email.is_active else users.called(session, name.strip())
    if len(found) > 1:
        raise AmbiguousUser(name=name)
    if not found:
        raise UnknownUser(name=name)
    return found[0]


def pool_named(session: Session, name: str) -> Row[Any]:
    pool = pools.called(session, name.strip())
    if pool is None:
        raise UnknownPool(name=name)
    return pool


def owner_named(session: Session, name: str) -> Row[Any]:
    """The user that a name stands for where an owner is asked: a pool's phantom user, or a person."""
    pool = pools.called(session, name.strip())
    if pool is not None:
        return users.by_id(session, [pool.id])[pool.id]
    try:
        return user_named(session, name)
    except UnknownUser:
        raise UnknownOwner(name=name) from None
