"""Smart lists, as they are saved, and the records that they hold."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, func, insert, or_, select, true, update
from sqlalchemy.orm import Session

from worker.domain.filters import Filter
from worker.domain.resources import RECORDS
from worker.store.lists.filters import condition
from worker.store.records import ordering
from worker.store.records.attributes import PLACES
from worker.store.records.records import OWNED
from worker.store.sql.clock import now
from worker.store.tables import smart_lists


def matching(session: Session, record_type: str, filter: Filter, order: str) -> Select[Any]:
    """The id and what `OWNED` names of each record that the filter lets pass, in that order. Raises
    what `filters.condition` does."""
    place = PLACES[RECORDS[record_type].path]
    columns = (place.table.c[name] for name in ("id", *OWNED))
    found = select(*columns).where(place.rows, condition(session, record_type, filter))
    return found.order_by(*order_by(record_type, order))


def order_by(record_type: str, order: str) -> tuple[ColumnElement[Any], ...]:
    """What to sort records by for NAME:asc or NAME:desc. What isn't known is last; of those that
    sort alike the oldest is first."""
    return ordering.order_by(RECORDS[record_type], order, unknown_last=True)


def ids(session: Session, found: Select[Any], skip: int, most: int) -> list[int]:
    """The ids of some of those that match, in order."""
    return list(session.scalars(found.offset(skip).limit(most)))


def count(session: Session, record_type: str, filter: Filter) -> int:
    place = PLACES[RECORDS[record_type].path]
    found = (
        select(func.count())
        .select_from(place.table)
        .where(place.rows, condition(session, record_type, filter))
    )
    return session.scalars(found).one()


# --- lists ---


def add(session: Session, values: Mapping[str, Any]) -> int:
    """The id of a new list. The unique key refuses a second of the same name: System.transact does
    all again, and finds the first."""
    moment = now()
    new = insert(smart_lists).values(**values, created_at=moment, updated_at=moment)
    return session.scalars(new.returning(smart_lists.c.id)).one()


def change(session: Session, list_id: int, values: Mapping[str, Any]) -> None:
    session.execute(
        update(smart_lists).where(smart_lists.c.id == list_id).values(**values, updated_at=now())
    )


def remove(session: Session, list_id: int) -> None:
    session.execute(delete(smart_lists).where(smart_lists.c.id == list_id))


def with_id(session: Session, list_id: int, *, lock: bool = False) -> Row[Any] | None:
    found = select(smart_lists).where(smart_lists.c.id == list_id)
    return session.execute(found.with_for_update() if lock else found).one_or_none()


def called(session: Session, name: str) -> list[Row[Any]]:
    """All lists of that name, capitals or not."""
    same_name = func.lower(smart_lists.c.name) == func.lower(name)
    return list(session.execute(select(smart_lists).where(same_name).order_by(smart_lists.c.id)))


def all_lists(session: Session, of_user: int | None) -> list[Row[Any]]:
    """What a user has and what is published, or everybody's; in the order of creation."""
    seen = (
        true()
        if of_user is None
        else or_(smart_lists.c.published, smart_lists.c.owner_id == of_user)
    )
    return list(session.execute(select(smart_lists).where(seen).order_by(smart_lists.c.id)))
