"""The types of records."""

from enum import StrEnum


class RecordType(StrEnum):
    """What a record is, and what a pool shares: one type a pool."""

    LEAD = "lead"
    CONTACT = "contact"
    DEAL = "deal"
