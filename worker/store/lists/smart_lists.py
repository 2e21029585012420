"""Smart lists, as they are saved, and the records that they hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    delete,
    func,
    insert,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import Session

from worker.domain.filters import Filter, RecordList
from worker.domain.records.record_type import RecordType
from worker.domain.records.types import DESCRIPTIONS
from worker.store.lists.filters import condition
from worker.store.records import attributes
from worker.store.records.attributes import STORAGE, Expression
from worker.store.records.records import OWNED
from worker.store.sql.clock import now
from worker.store.tables import smart_lists


@dataclass(frozen=True, slots=True)
class SmartList(RecordList):
    """A smart list, or the list of an import's records, which has no id and no owner. Every user
    sees a published list. Only its owner and admins see another list."""

    id: int | None
    owner_id: int | None
    published: bool
    created_at: datetime
    updated_at: datetime


def select_matching(
    session: Session, record_type: RecordType, filter: Filter, order: str
) -> Select[Any]:
    """The id and the `OWNED` columns of each record that satisfies the filter, in that order.
    Raises what `filters.condition` does."""
    storage = STORAGE[DESCRIPTIONS[record_type].path]
    columns = (storage.table.c[name] for name in ("id", *OWNED))
    found = select(*columns).where(storage.rows, condition(session, record_type, filter))
    return found.order_by(*order_by(record_type, order))


def order_by(record_type: RecordType, order: str) -> tuple[Expression, ...]:
    """The columns to sort records by, for NAME:asc or NAME:desc. Nulls come last; of records that
    sort alike the oldest comes first."""
    return attributes.order_by(DESCRIPTIONS[record_type], order, unknown_last=True)


def find_ids(session: Session, found: Select[Any], skip: int, most: int) -> list[int]:
    """The ids of a part of the records that `select_matching` selects, in order."""
    return list(session.scalars(found.offset(skip).limit(most)))


def count(session: Session, record_type: RecordType, filter: Filter) -> int:
    """How many records satisfy the filter. Raises what `filters.condition` does."""
    storage = STORAGE[DESCRIPTIONS[record_type].path]
    holds = condition(session, record_type, filter)
    found = select(func.count()).select_from(storage.table).where(storage.rows, holds)
    return session.scalars(found).one()


# --- lists ---


def add(session: Session, values: Mapping[str, object]) -> int:
    """Adds a list, and returns its id. The unique key refuses a second of the same name: then
    System.transact runs the work again, and it finds the first."""
    moment = now()
    new = insert(smart_lists).values(**values, created_at=moment, updated_at=moment)
    return session.scalars(new.returning(smart_lists.c.id)).one()


def change(session: Session, list_id: int, values: Mapping[str, object]) -> None:
    """Writes the named columns of a list."""
    session.execute(
        update(smart_lists).where(smart_lists.c.id == list_id).values(**values, updated_at=now())
    )


def remove(session: Session, list_id: int) -> None:
    """Removes a list."""
    session.execute(delete(smart_lists).where(smart_lists.c.id == list_id))


def find(session: Session, list_id: int, *, lock: bool = False) -> SmartList | None:
    """The list with that id. With `lock` it stays as it is until the transaction ends."""
    found = select(smart_lists).where(smart_lists.c.id == list_id)
    row = session.execute(found.with_for_update() if lock else found).mappings().one_or_none()
    return None if row is None else _list(row)


def find_by_name(session: Session, name: str) -> list[SmartList]:
    """All lists of that name, in capitals or not."""
    return _find(session, func.lower(smart_lists.c.name) == func.lower(name))


def find_visible(session: Session, of_user: int | None) -> list[SmartList]:
    """The published lists and the user's own, or all lists; in the order of creation."""
    if of_user is None:
        return _find(session, true())
    return _find(session, or_(smart_lists.c.published, smart_lists.c.owner_id == of_user))


def _find(session: Session, wanted: ColumnElement[bool]) -> list[SmartList]:
    found = select(smart_lists).where(wanted).order_by(smart_lists.c.id)
    return [_list(row) for row in session.execute(found).mappings()]


def _list(row: RowMapping) -> SmartList:
    return SmartList(**{**row, "record_type": RecordType(row["record_type"])})
