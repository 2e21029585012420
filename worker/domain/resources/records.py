"""Leads, contacts and deals, as the Sell API v2 knows them (developer.zendesk.com, Sell, Core API)."""

from worker.domain.resources.resource import (
    ALL,
    CREATED,
    CREATOR,
    CUSTOM,
    ID,
    OWNER,
    TAGS,
    UPDATED,
    Attribute,
    Kind,
    Resource,
    Verb,
    constant,
    given,
    texts,
)  # fmt: skip

_COMMON = (ID, OWNER, CREATOR, CREATED, UPDATED, TAGS, CUSTOM)
_VERBS = (*ALL, Verb.UPSERT)
_CITY = ("address[city]", "address[country]", "address[postal_code]")
_PERSON = (
    *texts(
        "first_name",
        "last_name",
        "title",
        "description",
        "industry",
        "website",
        "email",
        "phone",
        "mobile",
        "fax",
    ),
    *texts("twitter", "facebook", "linkedin", "skype"),
    given("address", Kind.ADDRESS, "Only the parts that are named change."),
)
_STATUSES = ("none", "current", "past")

LEAD = Resource(
    type="lead",
    path="leads",
    attributes=(
        *_COMMON,
        *_PERSON,
        given("organization_name", meaning="A lead needs this or a last name."),
        given("status", meaning="Free text; New unless given."),
        given("source_id", Kind.INTEGER, "One of the lead sources."),
        given("unqualified_reason_id", Kind.INTEGER),
    ),
    verbs=_VERBS,
    filters=(
        *_CITY,
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
)

CONTACT = Resource(
    type="contact",
    path="contacts",
    attributes=(
        *_COMMON,
        *_PERSON,
        given(
            "is_organization",
            Kind.BOOLEAN,
            "Set when the contact is created, and never after. False unless given.",
        ),
        given(
            "name",
            meaning="An organization needs it. A person's is made of the first and the last name.",
        ),
        given("contact_id", Kind.INTEGER, "The organization that a person is with."),
        given("parent_organization_id", Kind.INTEGER, "The organization that this one belongs to."),
        given("customer_status", choices=_STATUSES),
        given("prospect_status", choices=_STATUSES),
        given("billing_address", Kind.ADDRESS),
        given("shipping_address", Kind.ADDRESS),
    ),
    verbs=_VERBS,
    filters=(
        *_CITY,
        "contact_id",
        "email",
        "first_name",
        "is_organization",
        "last_name",
        "name",
        "owner_id",
    ),
    order="last_name:asc",
)

DEAL = Resource(
    type="deal",
    path="deals",
    attributes=(
        *_COMMON,
        given("name"),
        given("contact_id", Kind.INTEGER, "With whom: a person or an organization."),
        Attribute(
            "organization_id",
            Kind.INTEGER,
            "The contact's organization, or the contact if it is one.",
        ),
        given("value", Kind.AMOUNT, "A number or text; 0 unless given."),
        given("currency", meaning="Three letters (ISO 4217); the account's unless given."),
        given("hot", Kind.BOOLEAN),
        given("stage_id", Kind.INTEGER, "The first stage of the first pipeline unless given."),
        given("source_id", Kind.INTEGER, "One of the lead sources."),
        given("estimated_close_date", Kind.DAY),
        given("customized_win_likelihood", Kind.PERCENT),
        given("loss_reason_id", Kind.INTEGER),
        given("unqualified_reason_id", Kind.INTEGER),
        given("last_stage_change_at", Kind.MOMENT),
        Attribute("last_stage_change_by_id", Kind.INTEGER),
        Attribute("last_activity_at", Kind.MOMENT),
        Attribute("added_at", Kind.MOMENT),
        constant("dropbox_email"),
        constant("associated_contacts", Kind.OBJECT),
    ),
    verbs=_VERBS,
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
)

CONVERSION = Resource(
    type="lead_conversion",
    path="lead_conversions",
    attributes=(
        ID,
        given("lead_id", Kind.INTEGER),
        Attribute("individual_id", Kind.INTEGER, "The person that was made."),
        Attribute("organization_id", Kind.INTEGER, "The organization that was made."),
        Attribute("deal_id", Kind.INTEGER),
        CREATOR,
        CREATED,
    ),
    order="id:desc",
)
"""It is created by a flow of its own: converting."""
