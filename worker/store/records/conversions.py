"""Leads that became contacts and deals."""

from dataclasses import dataclass

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from worker.store.sql.clock import now
from worker.store.tables import conversions


@dataclass(frozen=True, slots=True)
class StoredConversion:
    """A conversion, by the request that asked for it."""

    id: int
    owner_id: int | None
    """The owner that the request named, if it named one."""
    create_deal: bool


def find_of_lead(session: Session, lead_id: int) -> StoredConversion | None:
    """The conversion of a lead, if it was converted."""
    table = conversions.c
    found = select(table.id, table.owner_id, table.create_deal).where(table.lead_id == lead_id)
    row = session.execute(found).one_or_none()
    return None if row is None else StoredConversion(row.id, row.owner_id, row.create_deal)


def add(session: Session, /, **values: object) -> int:
    """Adds a conversion, and returns its id. A lead has one: the unique key refuses another."""
    new = insert(conversions).values(**values, created_at=now())
    return session.scalars(new.returning(conversions.c.id)).one()
