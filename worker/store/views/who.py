"""A user in short, as other views name one."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from worker.store.people import users
from worker.store.people.users import User


@dataclass(frozen=True, slots=True)
class Who:
    """A user, or a pool's phantom user, which has no email address."""

    id: int
    name: str
    email: str | None


def show_who(user: User) -> Who:
    """The user in short."""
    return Who(user.id, user.name, user.email)


def find_people(session: Session, ids: Iterable[int | None]) -> dict[int | None, Who]:
    """The users with those ids, in short, by id."""
    return {user_id: show_who(user) for user_id, user in users.get_all(session, ids).items()}
