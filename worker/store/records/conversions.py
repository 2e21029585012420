"""Leads that became contacts and deals."""

from typing import Any

from sqlalchemy import Row, insert, select
from sqlalchemy.orm import Session

from worker.store.sql.clock import now
from worker.store.tables import conversions


def of_lead(session: Session, lead_id: int) -> Row[Any] | None:
    return session.execute(
        select(conversions).where(conversions.c.lead_id == lead_id)
    ).one_or_none()


def add(session: Session, /, **values: Any) -> int:
    """The id of a new conversion. A lead has one: the unique key refuses another."""
    return session.scalars(
        insert(conversions).values(**values, created_at=now()).returning(conversions.c.id)
    ).one()
