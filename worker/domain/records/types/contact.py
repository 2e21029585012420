"""Contacts, people and organizations, as the Sell API v2 knows them (developer.zendesk.com, Sell,
Core API)."""

from worker.domain.records.record_type import RecordType
from worker.domain.records.types.description import (
    ColumnValues,
    ContactReference,
    RecordDescription,
)
from worker.domain.records.types.person import (
    ADDRESS_FILTERS,
    NAMED_BY,
    PERSON_ATTRIBUTES,
    PERSON_FIELDS,
    RECORD_ATTRIBUTES,
    RECORD_VERBS,
)
from worker.domain.resources.faults import INCORRECT, at, check_needed
from worker.domain.resources.resource import Attribute, AttributeKind
from worker.errors.records import Fault, IncorrectPayload

_STATUSES = ("none", "current", "past")


def check_contact(
    contact: RecordDescription, columns: ColumnValues, present: ColumnValues | None
) -> None:
    """Checks the name. An organization is a contact without a last name, and its name is the
    organization's. A contact remains a person, or an organization, as it was created."""
    named = "name" in columns
    flag, name = columns.pop("is_organization", None), columns.pop("name", None)
    is_organization = bool(flag) if present is None else present["last_name"] is None
    if flag not in (None, is_organization):
        message = "can't change after the contact is created"
        raise IncorrectPayload.of(contact.type, [Fault(at("is_organization"), INCORRECT, message)])
    if is_organization:
        columns.pop("last_name", None)
        if named or present is None:
            columns["organization_name"] = name
            check_needed(contact, {"name": name} if named else {}, ("name",))
    elif present is None or "last_name" in columns:
        check_needed(contact, columns, ("last_name",))


CONTACT = RecordDescription(
    type=RecordType.CONTACT,
    path="contacts",
    attributes=(
        *RECORD_ATTRIBUTES,
        *PERSON_ATTRIBUTES,
        Attribute.settable(
            "is_organization",
            AttributeKind.BOOLEAN,
            "Set when the contact is created, and never after. False unless given.",
        ),
        Attribute.settable(
            "name",
            meaning="An organization needs it. A person's is made of the first and the last name.",
        ),
        Attribute.settable(
            "contact_id", AttributeKind.INTEGER, "The organization that a person is with."
        ),
        Attribute.settable(
            "parent_organization_id",
            AttributeKind.INTEGER,
            "The organization that this one belongs to.",
        ),
        Attribute.settable("customer_status", choices=_STATUSES),
        Attribute.settable("prospect_status", choices=_STATUSES),
        Attribute.settable("billing_address", AttributeKind.ADDRESS),
        Attribute.settable("shipping_address", AttributeKind.ADDRESS),
    ),
    verbs=RECORD_VERBS,
    filters=(
        *ADDRESS_FILTERS,
        "contact_id",
        "email",
        "first_name",
        "is_organization",
        "last_name",
        "name",
        "owner_id",
    ),
    order="last_name:asc",
    text_fields=PERSON_FIELDS,
    required=NAMED_BY,
    references=(
        ContactReference("contact_id", must_be_organization=True),
        ContactReference("parent_organization_id", must_be_organization=True),
    ),
    made_by_conversion=("individual_id", "organization_id"),
    check=check_contact,
)
