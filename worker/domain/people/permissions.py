"""The permissions of users. Every user who is signed in may read everything; the rest depends on
the action."""

from enum import StrEnum
from typing import NamedTuple


class Actor(NamedTuple):
    """Who asks: a person who is signed in."""

    id: int
    is_admin: bool = False
    can_reassign: bool = False


class Action(StrEnum):
    """What an actor wants to do, in words that complete "you may not"."""

    MANAGE = "manage pools, users and settings"
    REASSIGN = "change the owner of a record"
    EDIT = "edit a record that you neither own nor created"
    ANOTHERS = "change what somebody else has begun"


def is_allowed(actor: Actor, action: Action, *whose: int | None) -> bool:
    """Whether the actor may do that. `whose` are the people that the thing belongs to: its owner,
    its creator. An admin may do everything."""
    if actor.is_admin:
        return True
    if action is Action.MANAGE:
        return False
    return actor.can_reassign if action is Action.REASSIGN else actor.id in whose
