"""The book of seedings: when each ring was written anew, why, and what came back."""

from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from worker.store.sql.clock import now
from worker.store.tables import pools, seedings


def add(session: Session, pool_id: int, /, **values: Any) -> None:
    session.execute(insert(seedings).values(pool_id=pool_id, at=now(), **values))


def count_refusal(session: Session, pool_id: int) -> None:
    """Counts that the fence refused what the ring answered."""
    session.execute(
        update(pools).where(pools.c.id == pool_id).values(refusals=pools.c.refusals + 1)
    )
