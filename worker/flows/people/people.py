"""People: joining, and leaving all rosters at once."""

import re
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.errors.people import BadEmail, BlankName, LastAdmin, UserExists
from worker.flows.names import user_named
from worker.flows.turns.pools import change_roster
from worker.flows.unit import Unit
from worker.store.people import users
from worker.store.turns import pools

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def add(
    session: Session, name: str, email: str, *, is_admin: bool = False, can_reassign: bool = False
) -> Row[Any]:
    """A new user. The email address is what tells people apart."""
    name, email = name.strip(), email.strip().lower()
    if not name:
        raise BlankName(what="user")
    if not _EMAIL.fullmatch(email):
        raise BadEmail(email=email)
    if users.with_email(session, email):
        raise UserExists(email=email)
    users.add(session, name, email, is_admin=is_admin, can_reassign=can_reassign)
    return user_named(session, email)


def change(session: Session, known_as: str, /, **changes: str | bool | None) -> Row[Any]:
    """The user with another name, is_admin or can_reassign; what is None stays as it is."""
    user = user_named(session, known_as)
    values = {
        field: value.strip() if isinstance(value, str) else value
        for field, value in changes.items()
        if value is not None
    }
    if values.get("name") == "":
        raise BlankName(what="user")
    if values.get("is_admin") is False:
        _keep_an_admin(session, user)
    users.change(session, user.id, **values)
    return users.by_id(session, [user.id])[user.id]


def deactivate(unit: Unit, name: str, actor_id: int | None) -> tuple[Row[Any], list[str]]:
    """The user keeps what they own, and leaves every roster. Returns the user and the names of the
    pools they left."""
    user = user_named(unit, name)
    _keep_an_admin(unit, user)
    users.change(
        unit, user.id, is_active=False
    )  # first: from here on nobody can make them a member
    left = [
        pool
        for pool in pools.list_live(unit)
        if user.id in pools.latest_roster(unit, pool.id).members
    ]
    for pool in left:
        change_roster(
            unit,
            pool.id,
            lambda old: tuple(member for member in old if member != user.id),
            actor_id,
        )
    return user, [pool.name for pool in left]


def _keep_an_admin(session: Session, user: Row[Any]) -> None:
    """Raises LastAdmin for the only one there is, who therefore stays."""
    if users.active_admins(session) == [user.id]:
        raise LastAdmin(name=user.name)
