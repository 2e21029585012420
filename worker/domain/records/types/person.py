"""The common parts of leads and contacts: both may be a person."""

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
    AttributeKind,
    Verb,
)

RECORD_ATTRIBUTES = (ID, OWNER, CREATOR, CREATED, UPDATED, TAGS, CUSTOM)
"""The attributes that every record has."""

RECORD_VERBS = (*ALL, Verb.UPSERT)

PERSON_ATTRIBUTES = (
    Attribute.settable("first_name"),
    Attribute.settable("last_name"),
    Attribute.settable("title"),
    Attribute.settable("description"),
    Attribute.settable("industry"),
    Attribute.settable("website"),
    Attribute.settable("email"),
    Attribute.settable("phone"),
    Attribute.settable("mobile"),
    Attribute.settable("fax"),
    Attribute.settable("twitter"),
    Attribute.settable("facebook"),
    Attribute.settable("linkedin"),
    Attribute.settable("skype"),
    Attribute.settable("address", AttributeKind.ADDRESS, "Only the parts that are named change."),
)

PERSON_FIELDS = (
    "first_name", "last_name", "organization_name", "title", "email", "phone", "mobile", "fax",
    "website", "industry", "description", "linkedin", "twitter", "facebook", "skype",
    "address_line1", "address_city", "address_state", "address_postal_code", "address_country",
)  # fmt: skip

ADDRESS_FILTERS = ("address[city]", "address[country]", "address[postal_code]")

NAMED_BY = ("last_name", "organization_name")
