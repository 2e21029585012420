"""Filters as conditions in SQL: nothing but bound values, and the same records on either database.

What is asked is plain, so that an index serves it. "Not" is the exact complement, also where
something isn't known: conditions are put together by "and" and "or" alone, so that the whole is
true exactly where it would be if what isn't known were false; and "not" means not true.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
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
from worker.domain.resources import ADDRESS_PARTS, RECORDS
from worker.store.lists import filter_names
from worker.store.records.attributes import PLACES, Place
from worker.store.records.custom_fields import field_says
from worker.store.sql.clock import now
from worker.store.sql.collation import position
from worker.store.sql.types import Moment

Holds = ColumnElement[bool]

_TYPES: Mapping[ValueType, TypeEngine[Any]] = {
    ValueType.TEXT: Text(),
    ValueType.INTEGER: BigInteger(),
    ValueType.AMOUNT: Double(),
    ValueType.BOOLEAN: Boolean(),
    ValueType.MOMENT: Moment(),
    ValueType.DAY: Date(),
}
"""As what values are bound, whatever the column is: an integer may be larger than the column holds.
"""

_POSITIVE = {Operator.NOT_EQ: Operator.EQ, Operator.NONE: Operator.ANY}
"""Of which operator one is the complement."""


class _Records(NamedTuple):
    """The records that a filter is about, and when."""

    session: Session
    type: str
    moment: datetime

    @property
    def place(self) -> Place:
        return PLACES[RECORDS[self.type].path]

    @property
    def on_postgresql(self) -> bool:
        return self.session.connection().dialect.name == "postgresql"


def condition(session: Session, record_type: str, filter: Filter) -> Holds:
    """Whether a record passes, as things are now. Raises UnknownOwner, UnknownPool, UnknownRun,
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
            return _not(_says(records, Condition(filter.attribute, Operator.IS_NULL, True)))
        case Condition(attribute, operator, value) if operator in _POSITIVE:
            return _not(_says(records, Condition(attribute, _POSITIVE[operator], value)))
        case Condition():
            return _says(records, filter)


def _not(inner: Holds) -> Holds:
    return inner.self_group().is_not(true())


def _says(records: _Records, asked: Condition) -> Holds:
    """A condition that isn't a negative one."""
    attribute = filterable(records.type, asked.attribute)
    assert attribute is not None  # a filter is read before it comes here
    match attribute.value_type:
        case ValueType.FIELD:
            return _field(records, asked)
        case ValueType.TAGS:
            return _tags(records, asked)
        case ValueType.OWNER | ValueType.POOL:
            return _whose(records, attribute.value_type, asked)
        case ValueType.RUN:
            return _made_by_run(records, asked)
    return _plain(records, attribute.value_type, _expression(records.place, asked.attribute), asked)


def _expression(place: Place, name: str) -> ColumnElement[Any]:
    if name in ADDRESS_PARTS:
        return place.expression(f"address[{name}]")
    whole, _, part = name.rstrip("]").partition("[")
    return place.table.c[whole][part].as_string() if part else place.expression(name)


def _plain(
    records: _Records, value_type: ValueType, expression: ColumnElement[Any], asked: Condition
) -> Holds:
    value, told = asked.value, typed(expression, _TYPES[value_type])
    match asked.operator:
        case Operator.EQ:
            return told == value
        case Operator.ANY:
            return told.in_(
                [literal(each, told.type) for each in value]
            )  # each by itself: they are taken for what the first one is
        case Operator.CONTAINS:
            return position(told, value, on_postgresql=records.on_postgresql) > 0
        case Operator.STARTS_WITH:
            return position(told, value, on_postgresql=records.on_postgresql) == 1
        case Operator.RANGE:
            return _within(told, value)
        case Operator.LAST_DAYS:
            return _lately(told, value_type, records.moment, value)
    return or_(told.is_(None), told == "") if value_type is ValueType.TEXT else told.is_(None)


def _within(told: ColumnElement[Any], bounds: Range) -> Holds:
    within = {"gt": told.__gt__, "gte": told.__ge__, "lt": told.__lt__, "lte": told.__le__}
    return and_(true(), *(within[name](bound) for name, bound in bounds.given.items()))


def _lately(told: ColumnElement[Any], value_type: ValueType, moment: datetime, days: int) -> Holds:
    """Within so many times 24 hours up to now; of dates, so many up to today."""
    last = moment.date() if value_type is ValueType.DAY else moment
    return and_(told > last - timedelta(days=days), told <= last)


def _field(records: _Records, asked: Condition) -> Holds:
    name = asked.attribute.removeprefix(CUSTOM_FIELDS)
    filter_names.check_custom_field(records.session, records.type, name)
    fields = records.place.table.c.custom_fields
    return field_says(
        fields, name, asked.operator, asked.value, on_postgresql=records.on_postgresql
    )


def _tags(records: _Records, asked: Condition) -> Holds:
    tags, wanted = records.place.table.c.tags, asked.value
    if asked.operator is Operator.IS_NULL:
        return cast(tags, Text).in_(("[]", "null"))
    if records.on_postgresql:
        borne, names = typed(tags, JSONB()), typed(list(wanted), ARRAY(Text()))
        return borne.has_all(names) if asked.operator is Operator.ALL else borne.has_any(names)
    each = func.json_each(tags).table_valued(column("value", Text()), name="tag")
    if asked.operator is Operator.ANY:
        return exists(select(1).select_from(each).where(each.c.value.in_(wanted)))
    found = (
        select(func.count(each.c.value.distinct()))
        .select_from(each)
        .where(each.c.value.in_(wanted))
    )
    return found.scalar_subquery() == len(wanted)


def _whose(records: _Records, value_type: ValueType, asked: Condition) -> Holds:
    """By what is named: it may have another id tomorrow."""
    if value_type is ValueType.OWNER:
        whose, look_up = records.place.table.c.owner_id, filter_names.owner_id
    else:
        whose, look_up = records.place.table.c.pool_id, filter_names.pool_id
    if asked.operator is Operator.IS_NULL:
        return whose.is_(None)
    names = asked.value if asked.operator is Operator.ANY else (asked.value,)
    ids = [look_up(records.session, name) for name in names]
    return whose == ids[0] if len(ids) == 1 else whose.in_(ids)


def _made_by_run(records: _Records, asked: Condition) -> Holds:
    number = records.place.table.c.id
    runs = asked.value if asked.operator is Operator.ANY else (asked.value,)
    spans = [filter_names.records_of(records.session, records.type, run_id) for run_id in runs]
    return or_(false(), *(number.between(span.first, span.last) for span in spans))
