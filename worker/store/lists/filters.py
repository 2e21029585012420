"""Filters as conditions in SQL. All values are bound, and both databases find the same records.

Conditions compare columns as they are, so that an index can serve them. "Not" finds exactly the
other records, also where a value is null: conditions are combined by AND and OR only, so that the
whole is true exactly where it would be if null comparisons were false; and "not" is IS NOT TRUE.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    Double,
    Text,
    and_,
    cast,
    column,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy import type_coerce as typed
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from worker.domain.filters import (
    CUSTOM_FIELDS,
    AllOf,
    AnyOf,
    Condition,
    Filter,
    Not,
    Operator,
    Range,
    ValueType,
    filterable,
)
from worker.domain.records.record_type import RecordType
from worker.domain.records.types import DESCRIPTIONS
from worker.domain.resources import ADDRESS_PARTS
from worker.store.lists import filter_names
from worker.store.records.attributes import STORAGE, Expression, Storage
from worker.store.records.custom_fields import Holds, field_matches
from worker.store.sql.clock import now
from worker.store.sql.collation import position
from worker.store.sql.types import Moment

_TYPES: Mapping[ValueType, TypeEngine[Any]] = {
    ValueType.TEXT: Text(),
    ValueType.INTEGER: BigInteger(),
    ValueType.AMOUNT: Double(),
    ValueType.BOOLEAN: Boolean(),
    ValueType.MOMENT: Moment(),
    ValueType.DAY: Date(),
}
"""The SQL types of bound values, no matter what type the column has: a value may be larger than the
column holds."""

_POSITIVE = {Operator.NOT_EQ: Operator.EQ, Operator.NONE: Operator.ANY}
"""The operators that are the complements of others."""


class _Records(NamedTuple):
    """The records that are filtered, and the moment of filtering."""

    session: Session
    type: RecordType
    moment: datetime

    @property
    def storage(self) -> Storage:
        return STORAGE[DESCRIPTIONS[self.type].path]

    @property
    def on_postgresql(self) -> bool:
        return self.session.connection().dialect.name == "postgresql"


def condition(session: Session, record_type: RecordType, filter: Filter) -> Holds:
    """Whether a record satisfies the filter now. Raises UnknownOwner, UnknownPool, UnknownRun,
    WrongRunType and UnknownCustomField."""
    return _holds(_Records(session, record_type, now()), filter)


def _holds(records: _Records, filter: Filter) -> Holds:
    match filter:
        case AllOf(filters):
            return and_(true(), *(_holds(records, each) for each in filters))
        case AnyOf(filters):
            return or_(false(), *(_holds(records, each) for each in filters))
        case Not():
            return _not(_holds(records, filter.filter))
        case Condition(operator=Operator.IS_NULL, value=False):
            return _not(_satisfies(records, Condition(filter.attribute, Operator.IS_NULL, True)))
        case Condition(attribute, operator, value) if operator in _POSITIVE:
            return _not(_satisfies(records, Condition(attribute, _POSITIVE[operator], value)))
        case Condition():
            return _satisfies(records, filter)


def _not(inner: Holds) -> Holds:
    return inner.self_group().is_not(true())


def _satisfies(records: _Records, asked: Condition) -> Holds:
    """Whether a record satisfies a condition whose operator isn't negative."""
    attribute = filterable(records.type, asked.attribute)
    assert attribute is not None  # a filter is parsed before it comes here
    match attribute.value_type:
        case ValueType.FIELD:
            return _compare_field(records, asked)
        case ValueType.TAGS:
            return _compare_tags(records, asked)
        case ValueType.OWNER | ValueType.POOL:
            return _compare_owner(records, attribute.value_type, asked)
        case ValueType.RUN:
            return _compare_run(records, asked)
    expression = _find_expression(records.storage, asked.attribute)
    return _compare(records, attribute.value_type, expression, asked)


def _find_expression(storage: Storage, name: str) -> Expression:
    if name in ADDRESS_PARTS:
        return storage.expression(f"address[{name}]")
    whole, _, part = name.rstrip("]").partition("[")
    return storage.table.c[whole][part].as_string() if part else storage.expression(name)


def _compare(
    records: _Records, value_type: ValueType, expression: Expression, asked: Condition
) -> Holds:
    value, on_postgresql = asked.value, records.on_postgresql
    stored: Expression = typed(expression, _TYPES[value_type])
    match asked.operator:
        case Operator.EQ:
            return stored == value
        case Operator.ANY:
            # Each value by itself: together, all would be bound as the type of the first.
            return stored.in_([literal(each, stored.type) for each in value])
        case Operator.CONTAINS:
            return position(stored, value, on_postgresql=on_postgresql) > 0
        case Operator.STARTS_WITH:
            return position(stored, value, on_postgresql=on_postgresql) == 1
        case Operator.RANGE:
            return _is_within(stored, value)
        case Operator.LAST_DAYS:
            return _is_recent(stored, value_type, records.moment, value)
    is_empty = stored == ""
    return or_(stored.is_(None), is_empty) if value_type is ValueType.TEXT else stored.is_(None)


def _is_within(stored: Expression, bounds: Range) -> Holds:
    compare = {
        "gt": stored.__gt__,
        "gte": stored.__ge__,
        "lt": stored.__lt__,
        "lte": stored.__le__,
    }
    return and_(true(), *(compare[name](bound) for name, bound in bounds.given.items()))


def _is_recent(stored: Expression, value_type: ValueType, moment: datetime, days: int) -> Holds:
    """Within so many times 24 hours up to now; dates within so many days up to today."""
    last = moment.date() if value_type is ValueType.DAY else moment
    return and_(stored > last - timedelta(days=days), stored <= last)


def _compare_field(records: _Records, asked: Condition) -> Holds:
    name = asked.attribute.removeprefix(CUSTOM_FIELDS)
    filter_names.check_custom_field(records.session, records.type, name)
    fields = records.storage.table.c.custom_fields
    return field_matches(fields, name, asked, on_postgresql=records.on_postgresql)


def _compare_tags(records: _Records, asked: Condition) -> Holds:
    tags, wanted = records.storage.table.c.tags, asked.value
    if asked.operator is Operator.IS_NULL:
        return cast(tags, Text).in_(("[]", "null"))
    if records.on_postgresql:
        stored, names = typed(tags, JSONB()), typed(list(wanted), ARRAY(Text()))
        return stored.has_all(names) if asked.operator is Operator.ALL else stored.has_any(names)
    each = func.json_each(tags).table_valued(column("value", Text()), name="tag")
    if asked.operator is Operator.ANY:
        return exists(select(1).select_from(each).where(each.c.value.in_(wanted)))
    found = (
        select(func.count(each.c.value.distinct()))
        .select_from(each)
        .where(each.c.value.in_(wanted))
    )
    return found.scalar_subquery() == len(wanted)


def _compare_owner(records: _Records, value_type: ValueType, asked: Condition) -> Holds:
    """Compares ids. The name is looked up each time, since it may mean another id tomorrow."""
    columns = records.storage.table.c
    if value_type is ValueType.OWNER:
        whose, find_id = columns.owner_id, filter_names.find_owner_id
    else:
        whose, find_id = columns.pool_id, filter_names.find_pool_id
    if asked.operator is Operator.IS_NULL:
        return whose.is_(None)
    names = asked.value if asked.operator is Operator.ANY else (asked.value,)
    ids = [find_id(records.session, name) for name in names]
    return whose == ids[0] if len(ids) == 1 else whose.in_(ids)


def _compare_run(records: _Records, asked: Condition) -> Holds:
    number = records.storage.table.c.id
    runs = asked.value if asked.operator is Operator.ANY else (asked.value,)
    found = [filter_names.find_records_of(records.session, records.type, run_id) for run_id in runs]
    return or_(false(), *(number.between(ids.start, ids.stop - 1) for ids in found))
