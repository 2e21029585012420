"""What the Sell-compatible API knows, each as a page of facts."""

from worker.domain.resources.others import (
    ACCOUNT,
    CUSTOM_FIELDS,
    LEAD_SOURCE,
    LEAD_STATUS,
    PIPELINE,
    STAGE,
    TAG,
    USER,
)
from worker.domain.resources.records import CONTACT, CONVERSION, DEAL, LEAD
from worker.domain.resources.resource import ADDRESS_PARTS, Attribute, Kind, Resource, Verb

RECORDS = {"lead": LEAD, "contact": CONTACT, "deal": DEAL}

RESOURCES = (
    LEAD,
    CONTACT,
    DEAL,
    CONVERSION,
    USER,
    LEAD_SOURCE,
    LEAD_STATUS,
    TAG,
    PIPELINE,
    STAGE,
    *CUSTOM_FIELDS,
)
"""All but the account, of which there is one."""

__all__ = [
    "ACCOUNT", "ADDRESS_PARTS", "CONTACT", "CONVERSION", "DEAL", "LEAD", "LEAD_SOURCE", "RECORDS", "RESOURCES", "TAG", "USER",
    "Attribute", "Kind", "Resource", "Verb",
]  # fmt: skip
