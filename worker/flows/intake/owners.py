"""Owners of the leads that forms and integrations bring."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from worker.errors.turns import UnknownOwner, WrongPoolType
from worker.store.people import users
from worker.store.turns import pools


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


def check_takes_leads(session: Session, owner_id: int) -> None:
    """Raises UnknownOwner, and WrongPoolType for a pool that doesn't share leads."""
    pool = pools.find_live(session, owner_id) if find_owner(session, owner_id).is_pool else None
    if pool is not None and pool.record_type != "lead":
        raise WrongPoolType(pool=pool.name, theirs=pool.record_type, asked="lead")
