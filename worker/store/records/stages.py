"""The stages that deals pass through."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from worker.store.tables import stages


def name_of(session: Session, stage_id: int) -> str | None:
    return session.scalar(select(stages.c.name).where(stages.c.id == stage_id))
