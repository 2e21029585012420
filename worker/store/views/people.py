"""How people and their access tokens are shown."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy.orm import Session

from worker.store.people import users
from worker.store.people.tokens import StoredToken
from worker.store.people.users import User

DOCUMENTED = {"use_attribute_docstrings": True}
"""For views whose attributes are documented: pydantic puts the texts below them into OpenAPI."""


@dataclass(frozen=True, slots=True)
class UserView:
    """A person who can be given records."""

    __pydantic_config__: ClassVar = DOCUMENTED

    id: int
    name: str
    email: str
    is_admin: bool
    """May do everything."""
    can_reassign: bool
    """May change the owners of records."""
    is_active: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DeactivatedUserView(UserView):
    """A person who was just deactivated."""

    __pydantic_config__: ClassVar = DOCUMENTED

    left: list[str]
    """The names of the pools they left."""


@dataclass(frozen=True, slots=True)
class TokenView:
    """An access token, without the token itself: only the person who was given it knows it."""

    __pydantic_config__: ClassVar = DOCUMENTED

    id: int
    name: str
    """Its purpose."""
    created_at: datetime
    last_used_at: datetime | None
    """To the minute."""
    revoked_at: datetime | None


def show_user(user: User) -> UserView:
    """A person as they are shown. A pool's phantom user isn't shown so: it has no email."""
    return UserView(
        user.id,
        user.name,
        user.email or "",
        user.is_admin,
        user.can_reassign,
        user.is_active,
        user.created_at,
    )


def find_user(session: Session, user_id: int) -> UserView:
    """The person with that id, who must exist."""
    return show_user(users.get(session, user_id))


def show_users(session: Session) -> list[UserView]:
    """Everyone, in the order of joining, also the inactive."""
    return [show_user(user) for user in users.list_people(session)]


def show_token(token: StoredToken) -> TokenView:
    """A token as it is shown."""
    return TokenView(token.id, token.name, token.created_at, token.last_used_at, token.revoked_at)


def show_deactivated(user: User, left: list[str]) -> DeactivatedUserView:
    """A person who was just deactivated, with the names of the pools they left."""
    return DeactivatedUserView(**asdict(show_user(user)), left=left)
