"""Records that were chosen, gone through in their order. However many they are, they are never held
all at once."""

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from worker.store.runs.selections import RecordQuery

AT_ONCE = 5_000


def count(session: Session, chosen: RecordQuery) -> int:
    return session.scalars(
        select(func.count()).select_from(chosen.found.order_by(None).subquery())
    ).one()


def owners(session: Session, chosen: RecordQuery) -> Iterator[int]:
    """The present owner of each record, in order."""
    owner = chosen.found.selected_columns.owner_id
    in_order = (
        chosen.found.with_only_columns(owner, maintain_column_froms=True)
        .order_by(None)
        .order_by(*chosen.order)
    )
    yield from session.scalars(in_order.execution_options(yield_per=AT_ONCE))
