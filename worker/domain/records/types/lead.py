"""Leads, as the Sell API v2 knows them (developer.zendesk.com, Sell, Core API)."""

from worker.domain.records.record_type import RecordType
from worker.domain.records.types.description import RecordDescription, check_whole
from worker.domain.records.types.person import (
    ADDRESS_FILTERS,
    NAMED_BY,
    PERSON_ATTRIBUTES,
    PERSON_FIELDS,
    RECORD_ATTRIBUTES,
    RECORD_VERBS,
)
from worker.domain.resources.resource import Attribute, AttributeKind

LEAD = RecordDescription(
    type=RecordType.LEAD,
    path="leads",
    attributes=(
        *RECORD_ATTRIBUTES,
        *PERSON_ATTRIBUTES,
        Attribute.settable("organization_name", meaning="A lead needs this or a last name."),
        Attribute.settable("status", meaning="Free text; New unless given."),
        Attribute.settable("source_id", AttributeKind.INTEGER, "One of the lead sources."),
        Attribute.settable("unqualified_reason_id", AttributeKind.INTEGER),
    ),
    verbs=RECORD_VERBS,
    filters=(
        *ADDRESS_FILTERS,
        "creator_id",
        "email",
        "first_name",
        "last_name",
        "organization_name",
        "owner_id",
        "source_id",
        "status",
    ),
    order="updated_at:asc",
    text_fields=(*PERSON_FIELDS, "source", "status"),
    required=NAMED_BY,
    waits_in_line=True,
    check=check_whole,
)
