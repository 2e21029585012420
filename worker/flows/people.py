"""People: joining, and leaving all rosters at once."""

import re
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.errors import BadEmail, BlankName, LastAdmin, UserExists
from worker.flows.names import user_named
from worker.flows.pools import change_roster
from worker.ring import Ring
from worker.store import pools, users

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def add(session: Session, name: str, email: str, *, is_admin: bool = False) -> Row[Any]:
    """A new user. The email address is what tells people apart."""
    name, email = name.strip(), email.strip().lower()
    if not name:
        raise BlankName(what="user")
    if not _EMAIL.fullmatch(email):
        raise BadEmail(email=email)
    if users.with_email(session, email):
        raise UserExists(email=email)
    users.add(session, name, email, is_admin=is_admin)
    return user_named(session, email)


def deactivate(session: Session, ring: Ring, name: str, actor_id: int | None) -> tuple[Row[Any], list[str]]:
    """The user keeps what they own, and leaves every roster. Returns the user and the names of the pools they left."""
    user = user_named(session, name)
    if user.is_admin and users.active_admins(session) == 1:
        raise LastAdmin(name=user.name)
    users.change(session, user.id, is_active=False)  # first: from here on nobody can make them a member
    left = [pool for pool in pools.live(session) if user.id in pools.latest_roster(session, pool.id).members]
    for pool in left:
        change_roster(session, ring, pool.id, lambda old: tuple(member for member in old if member != user.id), actor_id)
    return user, [pool.name for pool in left]
