"""A filter as a tree of conditions, and the one form in which it is stored and shown."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any


class Operator(StrEnum):
    """What a condition asks of an attribute. Everything else that the grammar knows is written as
    one of these."""

    EQ = "eq"
    NOT_EQ = "not_eq"
    ANY = "any"
    ALL = "all"
    NONE = "none"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    RANGE = "range"
    LAST_DAYS = "last_days"
    IS_NULL = "is_null"


@dataclass(frozen=True)
class Range:
    """Bounds, of which at least one is given."""

    gt: Any = None
    gte: Any = None
    lt: Any = None
    lte: Any = None

    @property
    def given(self) -> dict[str, Any]:
        bounds = {"gt": self.gt, "gte": self.gte, "lt": self.lt, "lte": self.lte}
        return {name: bound for name, bound in bounds.items() if bound is not None}


@dataclass(frozen=True)
class Condition:
    """What one attribute must say. Several values are a tuple."""

    attribute: str
    operator: Operator
    value: Any


@dataclass(frozen=True)
class Not:
    """Exactly the others."""

    filter: "Filter"


@dataclass(frozen=True)
class AllOf:
    """Those that all filters let pass; every record, if there are none."""

    filters: "tuple[Filter, ...]"


@dataclass(frozen=True)
class AnyOf:
    """Those that one of the filters, or more, lets pass."""

    filters: "tuple[Filter, ...]"


Filter = Condition | Not | AllOf | AnyOf

EVERYTHING = AllOf(())


def as_json(filter: Filter) -> dict[str, Any]:
    """The filter in the vendor's form, whatever the form in which it was given."""
    match filter:
        case Condition():
            return {
                "attribute": {"name": filter.attribute},
                "parameter": {str(filter.operator): _plain(filter.value)},
            }
        case Not():
            return {"not": as_json(filter.filter)}
        case AnyOf():
            return {"or": [as_json(each) for each in filter.filters]}
        case AllOf(filters):
            return {"and": [as_json(each) for each in filters]} if filters else {}


def _plain(value: Any) -> Any:
    match value:
        case tuple():
            return [_plain(each) for each in value]
        case Range():
            return {name: _plain(bound) for name, bound in value.given.items()}
        case datetime():
            return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
        case date():
            return value.isoformat()
        case _:
            return value
