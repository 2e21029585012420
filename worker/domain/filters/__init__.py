"""Filters: which records a smart list holds, in the grammar of the vendor's Search v3 and in a
shorthand for those who type."""

from worker.domain.filters.filterable import (
    CUSTOM_FIELDS,
    Filterable,
    ValueType,
    filterable,
    order_of,
)
from worker.domain.filters.parsing import parse
from worker.domain.filters.tree import (
    EVERYTHING,
    AllOf,
    AnyOf,
    Condition,
    Filter,
    Not,
    Operator,
    Range,
    as_json,
)
from worker.domain.filters.values import number_told

__all__ = [
    "CUSTOM_FIELDS",
    "EVERYTHING",
    "AllOf",
    "AnyOf",
    "Condition",
    "Filter",
    "Filterable",
    "Not",
    "Operator",
    "Range",
    "ValueType",
    "as_json",
    "filterable",
    "number_told",
    "order_of",
    "parse",
]  # fmt: skip
