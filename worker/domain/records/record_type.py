"""The types of records."""

from enum import StrEnum


class RecordType(StrEnum):
    """The type of a record, and of the records that a pool shares: one type a pool."""

    LEAD = "lead"
    CONTACT = "contact"
    DEAL = "deal"
