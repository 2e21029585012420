"""Owners of the leads that forms and integrations bring."""

from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy.orm import Session

from worker.errors.turns import EmptyPool, UnknownOwner
from worker.flows.turns.assign import check_assignable
from worker.store.people import users


@dataclass(frozen=True, slots=True)
class LeadOwner:
    """The owner of new leads: a person, or a pool for whose next members they wait."""

    id: int
    name: str
    is_pool: bool
    is_active: bool
    """Whether the person is active, or the pool is not deleted."""


def find_owner(session: Session, owner_id: int) -> LeadOwner:
    """The owner with that id. Raises UnknownOwner."""
    user = users.get_all(session, [owner_id]).get(owner_id)
    if user is None:
        raise UnknownOwner(name=owner_id)
    return LeadOwner(user.id, user.name, user.is_pool, user.is_active)


def describe_inactive(owner: LeadOwner) -> str | None:
    """What an admin must know about an owner who isn't active any more."""
    if owner.is_active:
        return None
    if owner.is_pool:
        return f"The pool {owner.name} is deleted: the lead waits until it is given another owner."
    return f"{owner.name} is deactivated, and has got the lead all the same."


def check_takes_leads(session: Session, owner_id: int) -> None:
    """Checks that leads can be given to the owner. Raises UnknownOwner, and WrongPoolType for a
    pool that doesn't share leads."""
    owner = find_owner(session, owner_id)
    if owner.is_pool and owner.is_active:
        check_pool_takes_leads(session, owner_id)


def check_pool_takes_leads(session: Session, pool_id: int) -> None:
    """Checks that leads can wait for the pool's members, even if it has none yet. Raises
    UnknownPool, and WrongPoolType for a pool that doesn't share leads."""
    with suppress(EmptyPool):
        check_assignable(session, pool_id, "lead")
