"""The names in filters, looked up when a list is read: people, pools, imports and custom fields."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from worker.domain.records.record_type import RecordType
from worker.errors.lists import UnknownCustomField, WrongRunType
from worker.errors.runs import UnknownRun
from worker.errors.turns import UnknownOwner, UnknownPool
from worker.store.people import users
from worker.store.records.labels import CUSTOM_FIELD, LabelKey, find
from worker.store.runs import kinds
from worker.store.tables import pools as pool_table
from worker.store.tables import users as user_table
from worker.store.turns import pools


def find_owner_id(session: Session, name: str) -> int:
    """The id of a pool by its name, or of a person by their email, active or not. Raises
    UnknownOwner."""
    live = pools.find_named(session, name.strip())
    if live is not None:
        return live.id
    person = users.find_by_email(session, name.strip())
    if person is not None:
        return person.id
    try:
        return _find_deleted_pool(session, name)
    except UnknownPool:
        raise UnknownOwner(name=name) from None


def find_pool_id(session: Session, name: str) -> int:
    """The id of a pool by its name. A deleted pool counts if no live one has the name, and only one
    deleted. Raises UnknownPool."""
    live = pools.find_named(session, name.strip())
    return live.id if live is not None else _find_deleted_pool(session, name)


def _find_deleted_pool(session: Session, name: str) -> int:
    named = select(pool_table.c.id).join(user_table, user_table.c.id == pool_table.c.id)
    same_name = func.lower(user_table.c.name) == func.lower(name.strip())
    found = session.scalars(named.where(same_name).limit(2)).all()
    if len(found) != 1:
        raise UnknownPool(name=name)
    return int(found[0])


def find_records_of(session: Session, record_type: RecordType, run_id: int) -> range:
    """The ids of an import's records, which are consecutive. Raises UnknownRun, WrongRunType."""
    run = kinds.find_import(session, run_id)
    if run is None:
        raise UnknownRun(run_id=run_id)
    if run.record_type != record_type:
        raise WrongRunType(run_id=run_id, theirs=run.record_type, asked=record_type)
    if not run.first_record_id:
        return range(0)
    return range(run.first_record_id, run.first_record_id + run.rows - run.errors)


def check_custom_field(session: Session, record_type: RecordType, name: str) -> None:
    """Raises UnknownCustomField for a field that no record has."""
    if find(session, LabelKey(CUSTOM_FIELD, record_type, name)) is None:
        raise UnknownCustomField(record_type=record_type, name=name)
