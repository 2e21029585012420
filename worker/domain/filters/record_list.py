"""Lists of records."""

from dataclasses import dataclass

from worker.domain.filters.tree import FilterBody
from worker.domain.records.record_type import RecordType


@dataclass(frozen=True, slots=True)
class RecordList:
    """The records that a list holds, and their order."""

    name: str
    record_type: RecordType
    filter: FilterBody
    order: str
    """An attribute, and :asc or :desc."""
