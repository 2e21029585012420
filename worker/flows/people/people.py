"""People: joining, and leaving all rosters at once."""

from typing import NamedTuple

from sqlalchemy.orm import Session

from worker.domain.people.email import is_email
from worker.errors.people import BadEmail, BlankName, LastAdmin, UserExists
from worker.flows.turns.pools import change_roster, find_person
from worker.flows.unit import Unit
from worker.store.people import users
from worker.store.people.users import User
from worker.store.turns import pools


class Deactivated(NamedTuple):
    """A person who was deactivated, and the names of the pools that they left."""

    user: User
    left: list[str]


def add(
    session: Session, name: str, email: str, *, is_admin: bool = False, can_reassign: bool = False
) -> User:
    """Adds a user. The email address tells people apart. Raises BlankName, BadEmail, UserExists."""
    name, email = name.strip(), email.strip().lower()
    if not name:
        raise BlankName(what="user")
    if not is_email(email):
        raise BadEmail(email=email)
    if users.find_by_email(session, email):
        raise UserExists(email=email)
    user_id = users.add(session, name, email, is_admin=is_admin, can_reassign=can_reassign)
    return users.get(session, user_id)


def change(
    session: Session,
    user_id: int,
    *,
    name: str | None = None,
    is_admin: bool | None = None,
    can_reassign: bool | None = None,
) -> User:
    """Changes an active person's name and permissions. None leaves a value as it is. Raises
    UnknownUser, BlankName, LastAdmin."""
    user = find_person(session, user_id)
    values: dict[str, str | bool] = {}
    if name is not None:
        values["name"] = name.strip()
        if not values["name"]:
            raise BlankName(what="user")
    if is_admin is not None:
        values["is_admin"] = is_admin
        if not is_admin:
            _keep_an_admin(session, user)
    if can_reassign is not None:
        values["can_reassign"] = can_reassign
    users.change(session, user_id, **values)
    return users.get(session, user_id)


def deactivate(unit: Unit, user_id: int, actor_id: int | None) -> Deactivated:
    """Deactivates a person, who keeps their records and leaves every roster. Raises UnknownUser,
    LastAdmin."""
    user = find_person(unit, user_id)
    _keep_an_admin(unit, user)
    # This comes first: from here on they can't become a member of a pool.
    users.change(unit, user_id, is_active=False)
    left = [
        pool
        for pool in pools.list_live(unit)
        if user_id in pools.get_latest_roster(unit, pool.id).members
    ]
    for pool in left:
        change_roster(
            unit,
            pool.id,
            lambda old: tuple(member for member in old if member != user_id),
            actor_id,
        )
    return Deactivated(users.get(unit, user_id), [pool.name for pool in left])


def _keep_an_admin(session: Session, user: User) -> None:
    """Raises LastAdmin if this person is the only active admin."""
    if users.lock_admins(session) == [user.id]:
        raise LastAdmin(name=user.name)
