"""What of a record a filter may ask for, and by what a list may be sorted."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from worker.domain.filters.tree import Operator
from worker.domain.resources import ADDRESS_PARTS, RECORDS, Attribute, Kind
from worker.errors.records import Fault, IncorrectPayload


class ValueType(StrEnum):
    """What an attribute is compared as, in words that complete "an attribute that holds"."""

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


_NATURES: Mapping[Kind, ValueType] = {
    Kind.TEXT: ValueType.TEXT,
    Kind.INTEGER: ValueType.INTEGER,
    Kind.PERCENT: ValueType.INTEGER,
    Kind.AMOUNT: ValueType.AMOUNT,
    Kind.BOOLEAN: ValueType.BOOLEAN,
    Kind.MOMENT: ValueType.MOMENT,
    Kind.DAY: ValueType.DAY,
    Kind.NAMES: ValueType.TAGS,
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
"""The operators that go with what an attribute holds."""

ALIASES = {
    "is": Operator.EQ,
    "is_not": Operator.NOT_EQ,
    "in": Operator.ANY,
    "is_empty": Operator.IS_NULL,
}

CUSTOM_FIELDS = "custom_fields."
"""Before the name of a custom field."""

MAIN_ADDRESS = "address"
"""Its parts are known by their own names: city."""

_BY_NAME = (
    Filterable("owner", ValueType.OWNER),
    Filterable("pool", ValueType.POOL),
    Filterable("import_run", ValueType.RUN),
)
_AS_STORED = {"lead": ("source",), "contact": (), "deal": ("source", "stage")}
"""Records keep the names of their sources and stages."""


@cache
def attributes_of(record_type: str) -> dict[str, Filterable]:
    """All that filters of such records may ask for but custom fields, by each of its names."""
    found = [Filterable(name, ValueType.TEXT) for name in _AS_STORED[record_type]] + list(_BY_NAME)
    by_name = {each.name: each for each in found}
    for attribute in RECORDS[record_type].attributes:
        if attribute.kind is Kind.ADDRESS:
            by_name |= _parts(attribute)
        elif attribute.held and attribute.kind in _NATURES:
            by_name[attribute.name] = Filterable(attribute.name, _NATURES[attribute.kind])
    return by_name


def _parts(attribute: Attribute) -> dict[str, Filterable]:
    """The parts of an address: of the main one by their own names, too."""
    found: dict[str, Filterable] = {}
    for part in ADDRESS_PARTS:
        main = attribute.name == MAIN_ADDRESS
        each = Filterable(part if main else f"{attribute.name}[{part}]", ValueType.TEXT)
        found |= dict.fromkeys(
            (each.name, f"{attribute.name}[{part}]", f"{attribute.name}.{part}"), each
        )
    return found


def filterable(record_type: str, name: str) -> Filterable | None:
    """What a name means in a filter of such records, if anything."""
    if (field := _custom_field(name)) is not None:
        return Filterable(CUSTOM_FIELDS + field, ValueType.FIELD)
    return attributes_of(record_type).get(name)


def _custom_field(name: str) -> str | None:
    """A name may hold brackets and dots itself."""
    if name.startswith(CUSTOM_FIELDS):
        return name.removeprefix(CUSTOM_FIELDS) or None
    if name.startswith("custom_fields[") and name.endswith("]"):
        return name.removeprefix("custom_fields[").removesuffix("]") or None
    return None


def sortable(record_type: str) -> tuple[str, ...]:
    """By what a list of such records may be sorted."""
    return (*RECORDS[record_type].sortable, *_AS_STORED[record_type])


def order_of(record_type: str, given: str, at: str = "") -> str:
    """An order, as NAME:asc or NAME:desc; NAME alone is ascending. Raises IncorrectPayload."""
    name, _, direction = given.strip().partition(":")
    if name not in sortable(record_type) or direction not in ("", "asc", "desc"):
        message = f"must be a field, with :asc or :desc after it or without; the fields are {', '.join(sortable(record_type))}"
        raise IncorrectPayload.of("list", [Fault(at, "incorrect_value", message)])
    return f"{name}:{direction or 'asc'}"
