"""Seedings: when each ring was written anew, why, and which turns came back."""

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from worker.store.sql.clock import now
from worker.store.tables import pools, seedings


def add(
    session: Session,
    pool_id: int,
    *,
    epoch: str,
    reason: str,
    next_turn: int,
    returned: int,
    voided: int,
) -> None:
    """Notes a seeding, with how many turns came back and how many became void."""
    session.execute(
        insert(seedings).values(
            pool_id=pool_id,
            epoch=epoch,
            reason=reason,
            next_turn=next_turn,
            returned=returned,
            voided=voided,
            at=now(),
        )
    )


def count_refusal(session: Session, pool_id: int) -> None:
    """Counts that the fence refused what the ring answered."""
    session.execute(
        update(pools).where(pools.c.id == pool_id).values(refusals=pools.c.refusals + 1)
    )
