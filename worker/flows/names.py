"""Finds users, pools and owners by name. Names are looked up once, where they come in. After that,
only ids are passed on. The exception is the filter of a list: it keeps its names, and
`store.lists.filter_names` looks them up at each reading."""

from collections.abc import Iterable, Sequence

from sqlalchemy.orm import Session

from worker.domain.storable import is_storable, replace_unstorable
from worker.domain.turns.pool import Pool
from worker.errors.people import AmbiguousUser, UnknownUser
from worker.errors.turns import UnknownOwner, UnknownPool
from worker.store.people import users
from worker.store.people.users import User
from worker.store.turns import pools


def find_user_by_name(session: Session, name: str) -> User:
    """The active user with that email address or name. Raises UnknownUser, AmbiguousUser."""
    found = _find_users(session, name.strip()) if is_storable(name) else []
    if len(found) > 1:
        raise AmbiguousUser(name=name)
    if not found:
        raise UnknownUser(name=replace_unstorable(name))
    return found[0]


def find_users_by_name(session: Session, names: Iterable[str]) -> list[int]:
    """The ids of the active users with those email addresses or names, in order. Raises
    UnknownUser, AmbiguousUser."""
    return [find_user_by_name(session, name).id for name in names]


def _find_users(session: Session, name: str) -> Sequence[User]:
    by_email = users.find_by_email(session, name)
    if by_email is not None and by_email.is_active:
        return [by_email]
    return users.find_by_name(session, name)


def find_pool_by_name(session: Session, name: str) -> Pool:
    """The live pool with that name. Raises UnknownPool."""
    pool = _find_pool(session, name)
    if pool is None:
        raise UnknownPool(name=replace_unstorable(name))
    return pool


def _find_pool(session: Session, name: str) -> Pool | None:
    return pools.find_named(session, name.strip()) if is_storable(name) else None


def find_owner_by_name(session: Session, name: str) -> User:
    """The user that a name means where an owner is asked for: a pool's phantom user, or a person.
    Raises UnknownOwner, AmbiguousUser."""
    pool = _find_pool(session, name)
    if pool is not None:
        return users.get(session, pool.id)
    try:
        return find_user_by_name(session, name)
    except UnknownUser:
        raise UnknownOwner(name=replace_unstorable(name)) from None
