"""The attributes that a filter may name, and the attributes by which a list may be sorted."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from worker.domain.filters.tree import Operator
from worker.domain.records.record_type import RecordType
from worker.domain.records.types import DESCRIPTIONS
from worker.domain.resources import ADDRESS_PARTS, Attribute, AttributeKind
from worker.errors.records import Fault, IncorrectPayload


class ValueType(StrEnum):
    """The type that an attribute is compared as, in words that complete "an attribute that
    holds"."""

    TEXT = "text"
    INTEGER = "an integer"
    AMOUNT = "an amount"
    BOOLEAN = "true or false"
    MOMENT = "a point in time"
    DAY = "a date"
    TAGS = "tags"
    FIELD = "a custom field"
    OWNER = "an owner"
    POOL = "a pool"
    RUN = "an import"


class Filterable(NamedTuple):
    """An attribute by the name under which filters are stored."""

    name: str
    value_type: ValueType


_VALUE_TYPES: Mapping[AttributeKind, ValueType] = {
    AttributeKind.TEXT: ValueType.TEXT,
    AttributeKind.INTEGER: ValueType.INTEGER,
    AttributeKind.PERCENT: ValueType.INTEGER,
    AttributeKind.AMOUNT: ValueType.AMOUNT,
    AttributeKind.BOOLEAN: ValueType.BOOLEAN,
    AttributeKind.MOMENT: ValueType.MOMENT,
    AttributeKind.DAY: ValueType.DAY,
    AttributeKind.NAMES: ValueType.TAGS,
}

_SOME = (Operator.EQ, Operator.NOT_EQ, Operator.ANY)
_BOUNDS = ("gt", "gte", "lt", "lte", "between", Operator.RANGE)
_TIMES = ("before", "after")
_PARTS = (Operator.CONTAINS, Operator.STARTS_WITH)

OPERATORS: Mapping[ValueType, tuple[str, ...]] = {
    ValueType.TEXT: (*_SOME, *_PARTS, Operator.IS_NULL),
    ValueType.INTEGER: (*_SOME, *_BOUNDS, Operator.IS_NULL),
    ValueType.AMOUNT: (*_SOME, *_BOUNDS, Operator.IS_NULL),
    ValueType.BOOLEAN: (Operator.EQ, Operator.NOT_EQ),
    ValueType.MOMENT: (*_TIMES, *_BOUNDS, Operator.LAST_DAYS, Operator.IS_NULL),
    ValueType.DAY: (*_SOME, *_TIMES, *_BOUNDS, Operator.LAST_DAYS, Operator.IS_NULL),
    ValueType.TAGS: (Operator.EQ, Operator.ANY, Operator.ALL, Operator.NONE, Operator.IS_NULL),
    ValueType.FIELD: (*_SOME, *_PARTS, *_TIMES, *_BOUNDS, Operator.IS_NULL),
    ValueType.OWNER: _SOME,
    ValueType.POOL: (*_SOME, Operator.IS_NULL),
    ValueType.RUN: (Operator.EQ, Operator.ANY),
}
"""The operators for an attribute, by the type of its values."""

ALIASES = {
    "is": Operator.EQ,
    "is_not": Operator.NOT_EQ,
    "in": Operator.ANY,
    "is_empty": Operator.IS_NULL,
}

CUSTOM_FIELDS = "custom_fields."
"""Before the name of a custom field."""

MAIN_ADDRESS = "address"
"""Its parts have names of their own: city."""

_BY_NAME = (
    Filterable("owner", ValueType.OWNER),
    Filterable("pool", ValueType.POOL),
    Filterable("import_run", ValueType.RUN),
)


@cache
def list_attributes(record_type: RecordType) -> dict[str, Filterable]:
    """All attributes that a filter of such records may name, by each of their names. Custom fields
    are left out."""
    description = DESCRIPTIONS[record_type]
    names = description.stored_names
    found = [*(Filterable(name, ValueType.TEXT) for name in names), *_BY_NAME]
    by_name = {each.name: each for each in found}
    for attribute in description.attributes:
        if attribute.kind is AttributeKind.ADDRESS:
            by_name |= _parts(attribute)
        elif attribute.held and attribute.kind in _VALUE_TYPES:
            by_name[attribute.name] = Filterable(attribute.name, _VALUE_TYPES[attribute.kind])
    return by_name


def _parts(attribute: Attribute) -> dict[str, Filterable]:
    """The parts of an address. The parts of the main address also have names of their own."""
    found: dict[str, Filterable] = {}
    for part in ADDRESS_PARTS:
        main = attribute.name == MAIN_ADDRESS
        each = Filterable(part if main else f"{attribute.name}[{part}]", ValueType.TEXT)
        found |= dict.fromkeys(
            (each.name, f"{attribute.name}[{part}]", f"{attribute.name}.{part}"), each
        )
    return found


def filterable(record_type: RecordType, name: str) -> Filterable | None:
    """The attribute that a name means in a filter of such records, or None."""
    if (field := _custom_field(name)) is not None:
        return Filterable(CUSTOM_FIELDS + field, ValueType.FIELD)
    return list_attributes(record_type).get(name)


def _custom_field(name: str) -> str | None:
    """A name may hold brackets and dots itself."""
    if name.startswith(CUSTOM_FIELDS):
        return name.removeprefix(CUSTOM_FIELDS) or None
    if name.startswith("custom_fields[") and name.endswith("]"):
        return name.removeprefix("custom_fields[").removesuffix("]") or None
    return None


def sortable(record_type: RecordType) -> tuple[str, ...]:
    """The attributes that a list of such records may be sorted by."""
    description = DESCRIPTIONS[record_type]
    return (*description.sortable, *description.stored_names)


def read_order(record_type: RecordType, given: str, at: str = "") -> str:
    """An order, as NAME:asc or NAME:desc; NAME alone is ascending. Raises IncorrectPayload."""
    name, _, direction = given.strip().partition(":")
    if name not in sortable(record_type) or direction not in ("", "asc", "desc"):
        names = ", ".join(sortable(record_type))
        message = f"must be a field, with :asc or :desc after it or without; the fields are {names}"
        raise IncorrectPayload.of("list", [Fault(at, "incorrect_value", message)])
    return f"{name}:{direction or 'asc'}"
