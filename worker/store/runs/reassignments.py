"""What reassignments know beside their runs."""

from typing import Any

from sqlalchemy import Row, insert, select
from sqlalchemy.orm import Session

from worker.store.tables import reassignments, runs


def add(session: Session, run_id: int, /, **values: Any) -> None:
    session.execute(insert(reassignments).values(run_id=run_id, **values))


def with_id(session: Session, run_id: int) -> Row[Any]:
    """A reassignment that is known to exist, together with its run."""
    found = select(runs, reassignments).join(reassignments, reassignments.c.run_id == runs.c.id)
    return session.execute(found.where(runs.c.id == run_id)).one()
