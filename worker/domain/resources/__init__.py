"""The resources that the Sell-compatible API serves in addition to records, each as one
description."""

from worker.domain.resources.others import (
    ACCOUNT,
    CONVERSION,
    CUSTOM_FIELDS,
    LEAD_SOURCE,
    LEAD_STATUS,
    PIPELINE,
    STAGE,
    TAG,
    USER,
)
from worker.domain.resources.resource import (
    ADDRESS_PARTS,
    Attribute,
    AttributeKind,
    Resource,
    ResourceBody,
    Verb,
)

__all__ = [
    "ACCOUNT", "ADDRESS_PARTS", "CONVERSION", "CUSTOM_FIELDS", "LEAD_SOURCE", "LEAD_STATUS",
    "PIPELINE", "STAGE", "TAG", "USER", "Attribute", "AttributeKind", "Resource", "ResourceBody",
    "Verb",
]  # fmt: skip
