"""Pools: named groups that share records of one type."""

from dataclasses import dataclass
from datetime import datetime

from worker.domain.records.record_type import RecordType


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool as SQL keeps it. Its id is also that of its phantom user."""

    id: int
    name: str
    record_type: RecordType
    epoch: str
    """The random token of the last seeding. A ring that bears another is out of date."""
    watermark: int
    """Every turn up to this one is in the ledger."""
    deleted_at: datetime | None
