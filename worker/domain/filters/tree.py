"""A filter as a tree of conditions, and the one form in which it is stored and shown."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

Scalar = str | bool | int | float | date | datetime
"""A value that an attribute is compared with."""

FilterBody = dict[str, Any]
"""A filter as JSON, as it is stored and shown."""


class Operator(StrEnum):
    """The ways in which a condition compares an attribute. The grammar's other operators are stored
    as these."""

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
    """Bounds. At least one is given."""

    gt: Scalar | None = None
    gte: Scalar | None = None
    lt: Scalar | None = None
    lte: Scalar | None = None

    @property
    def given(self) -> dict[str, Any]:
        bounds = {"gt": self.gt, "gte": self.gte, "lt": self.lt, "lte": self.lte}
        return {name: bound for name, bound in bounds.items() if bound is not None}


# A scalar, a tuple of scalars or a Range. The operator determines which, and no type says that.
ConditionValue = Any


@dataclass(frozen=True)
class Condition:
    """A condition on one attribute."""

    attribute: str
    operator: Operator
    value: ConditionValue


@dataclass(frozen=True)
class Not:
    """All records that the filter excludes."""

    filter: "Filter"


@dataclass(frozen=True)
class AllOf:
    """The records that satisfy all filters: every record, if there are none."""

    filters: "tuple[Filter, ...]"


@dataclass(frozen=True)
class AnyOf:
    """The records that satisfy at least one of the filters."""

    filters: "tuple[Filter, ...]"


Filter = Condition | Not | AllOf | AnyOf

EVERYTHING = AllOf(())


def as_json(filter: Filter) -> FilterBody:
    """The filter in the vendor's form, no matter in which form the request had it."""
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


def _plain(value: object) -> object:
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
