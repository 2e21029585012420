"""Filters: which records a smart list holds. They come in the grammar of the vendor's Search v3, or
in a shorthand for people who type."""

from worker.domain.filters.filterable import (
    CUSTOM_FIELDS,
    Filterable,
    ValueType,
    filterable,
    read_order,
)
from worker.domain.filters.parsing import parse
from worker.domain.filters.record_list import RecordList
from worker.domain.filters.tree import (
    EVERYTHING,
    AllOf,
    AnyOf,
    Condition,
    Filter,
    FilterBody,
    Not,
    Operator,
    Range,
    as_json,
)
from worker.domain.filters.values import read_number

__all__ = [
    "CUSTOM_FIELDS", "EVERYTHING", "AllOf", "AnyOf", "Condition", "Filter", "FilterBody",
    "Filterable", "Not", "Operator", "Range", "RecordList", "ValueType", "as_json", "filterable",
    "parse", "read_number", "read_order",
]  # fmt: skip
