"""A user in short, as other views name one."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row


@dataclass(frozen=True, slots=True)
class Who:
    """A user, or a pool's phantom user, which has no email address."""

    id: int
    name: str
    email: str | None


def show_who(user: Row[Any]) -> Who:
    return Who(user.id, user.name, user.email)
