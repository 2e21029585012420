"""What filters name: people, pools, imports and custom fields, as they are when a list is read."""

from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from worker.errors.lists import UnknownCustomField, WrongRunType
from worker.errors.runs import UnknownRun
from worker.errors.turns import UnknownOwner, UnknownPool
from worker.store.people import users
from worker.store.records.labels import CUSTOM_FIELD, find
from worker.store.runs import kinds
from worker.store.tables import pools as pool_table
from worker.store.tables import users as user_table
from worker.store.turns import pools


class Span(NamedTuple):
    """The ids of an import's records. A last one before the first stands for none."""

    first: int
    last: int


def owner_id(session: Session, name: str) -> int:
    """A pool, or a person by email, deactivated or not. Raises UnknownOwner."""
    live = pools.called(session, name.strip())
    if live is not None:
        return int(live.id)
    person = users.with_email(session, name.strip())
    if person is not None:
        return int(person.id)
    try:
        return _deleted_pool(session, name)
    except UnknownPool:
        raise UnknownOwner(name=name) from None


def pool_id(session: Session, name: str) -> int:
    """A pool, be it one that was deleted, if no other is called so. Raises UnknownPool."""
    live = pools.called(session, name.strip())
    return int(live.id) if live is not None else _deleted_pool(session, name)


def _deleted_pool(session: Session, name: str) -> int:
    named = select(pool_table.c.id).join(user_table, user_table.c.id == pool_table.c.id)
    found = session.scalars(
        named.where(func.lower(user_table.c.name) == func.lower(name.strip())).limit(2)
    ).all()
    if len(found) != 1:
        raise UnknownPool(name=name)
    return int(found[0])


def records_of(session: Session, record_type: str, run_id: int) -> Span:
    """The records of an import, which have consecutive ids. Raises UnknownRun, WrongRunType."""
    run = kinds.find_import(session, run_id)
    if run is None:
        raise UnknownRun(run_id=run_id)
    if run.record_type != record_type:
        raise WrongRunType(run_id=run_id, theirs=run.record_type, asked=record_type)
    first = run.first_record_id or 1
    return Span(first, first + run.rows - run.errors - 1 if run.first_record_id else 0)


def check_custom_field(session: Session, record_type: str, name: str) -> None:
    """Raises UnknownCustomField for one that no record bears, or bears any more."""
    if find(session, CUSTOM_FIELD, record_type, name) is None:
        raise UnknownCustomField(record_type=record_type, name=name)
