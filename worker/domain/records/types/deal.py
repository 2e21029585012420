"""Deals, as the Sell API v2 knows them (developer.zendesk.com, Sell, Core API)."""

from worker.domain.records.record_type import RecordType
from worker.domain.records.types.description import (
    ContactReference,
    RecordDescription,
    check_whole,
)
from worker.domain.records.types.person import RECORD_ATTRIBUTES, RECORD_VERBS
from worker.domain.resources.resource import Attribute, AttributeKind

DEAL = RecordDescription(
    type=RecordType.DEAL,
    path="deals",
    attributes=(
        *RECORD_ATTRIBUTES,
        Attribute.settable("name"),
        Attribute.settable(
            "contact_id", AttributeKind.INTEGER, "With whom: a person or an organization."
        ),
        Attribute(
            "organization_id",
            AttributeKind.INTEGER,
            "The contact's organization, or the contact if it is one.",
        ),
        Attribute.settable("value", AttributeKind.AMOUNT, "A number or text; 0 unless given."),
        Attribute.settable(
            "currency", meaning="Three letters (ISO 4217); the account's unless given."
        ),
        Attribute.settable("hot", AttributeKind.BOOLEAN),
        Attribute.settable(
            "stage_id", AttributeKind.INTEGER, "The first stage of the first pipeline unless given."
        ),
        Attribute.settable("source_id", AttributeKind.INTEGER, "One of the lead sources."),
        Attribute.settable("estimated_close_date", AttributeKind.DAY),
        Attribute.settable("customized_win_likelihood", AttributeKind.PERCENT),
        Attribute.settable("loss_reason_id", AttributeKind.INTEGER),
        Attribute.settable("unqualified_reason_id", AttributeKind.INTEGER),
        Attribute.settable("last_stage_change_at", AttributeKind.MOMENT),
        Attribute("last_stage_change_by_id", AttributeKind.INTEGER),
        Attribute("last_activity_at", AttributeKind.MOMENT),
        Attribute("added_at", AttributeKind.MOMENT),
        Attribute.constant("dropbox_email"),
        Attribute.constant("associated_contacts", AttributeKind.OBJECT),
    ),
    verbs=RECORD_VERBS,
    filters=(
        "contact_id",
        "creator_id",
        "hot",
        "organization_id",
        "owner_id",
        "source_id",
        "stage_id",
        "estimated_close_date",
    ),
    needs=("name", "contact_id"),
    text_fields=("name", "currency", "stage", "source"),
    typed_fields=("value", "estimated_close_date"),
    required=("name",),
    references=(ContactReference("contact_id", must_be_organization=False),),
    made_by_conversion=("deal_id",),
    check=check_whole,
)
