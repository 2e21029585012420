"""The record types, each by its one description."""

from collections.abc import Mapping

from worker.domain.records.types.contact import CONTACT
from worker.domain.records.types.deal import DEAL
from worker.domain.records.types.description import (
    ColumnValues,
    ContactReference,
    RecordDescription,
)
from worker.domain.records.types.lead import LEAD
from worker.domain.resources.others import (
    CONVERSION,
    CUSTOM_FIELDS,
    LEAD_SOURCE,
    LEAD_STATUS,
    PIPELINE,
    STAGE,
    TAG,
    USER,
)
from worker.domain.resources.resource import Resource

DESCRIPTIONS: Mapping[str, RecordDescription] = {
    description.type: description for description in (LEAD, CONTACT, DEAL)
}

RESOURCES: tuple[Resource, ...] = (
    *DESCRIPTIONS.values(),
    CONVERSION,
    USER,
    LEAD_SOURCE,
    LEAD_STATUS,
    TAG,
    PIPELINE,
    STAGE,
    *CUSTOM_FIELDS,
)
"""All resources of the Sell API except the account, because there is only one account."""

__all__ = [
    "CONTACT", "DEAL", "DESCRIPTIONS", "LEAD", "RESOURCES", "ColumnValues", "ContactReference",
    "RecordDescription",
]  # fmt: skip
