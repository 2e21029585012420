"""The resources that records refer to: users, labels, pipelines and stages. And the conversions of
leads."""

from worker.domain.records.record_type import RecordType
from worker.domain.resources.resource import (
    ALL,
    CREATED,
    CREATOR,
    ID,
    UPDATED,
    Attribute,
    AttributeKind,
    Resource,
    Verb,
)

USER = Resource(
    type="user",
    path="users",
    attributes=(
        ID,
        Attribute("name"),
        Attribute("email", meaning="Null for a pool."),
        Attribute("status", meaning="active or inactive."),
        Attribute("role", meaning="admin or user."),
        Attribute("confirmed", AttributeKind.BOOLEAN),
        Attribute("identity_type", meaning="integration for a pool's user, else user."),
        Attribute(
            "system_tags",
            AttributeKind.NAMES,
            "For a pool distribution_pool and the type of the records that it shares.",
        ),
        Attribute("sell_login_disabled", AttributeKind.BOOLEAN),
        Attribute("deleted_at", AttributeKind.MOMENT),
        CREATED,
        UPDATED,
        Attribute.constant("invited", AttributeKind.BOOLEAN, False),
        Attribute.constant("detached", AttributeKind.BOOLEAN, False),
        Attribute.constant("roles", AttributeKind.OBJECTS, ()),
        Attribute.constant("group", AttributeKind.OBJECT),
        Attribute.constant("team_name"),
        Attribute.constant("reports_to", AttributeKind.INTEGER),
        Attribute.constant("timezone", value="UTC"),
        Attribute.constant("phone_number"),
        Attribute.constant("zendesk_user_id"),
    ),
    filters=("confirmed", "email", "name", "role", "status"),
)

ACCOUNT = Resource(
    type="account",
    path="accounts",
    attributes=(
        ID,
        Attribute("name"),
        Attribute("currency", meaning="Of deals that name none."),
        Attribute("time_format"),
        Attribute("timezone"),
        Attribute("phone"),
        Attribute("subdomain"),
        CREATED,
        UPDATED,
    ),
    verbs=(),
)

_LABEL = (ID, Attribute.settable("name"), CREATOR, CREATED, UPDATED)

LEAD_SOURCE = Resource(
    type="lead_source",
    path="lead_sources",
    attributes=(*_LABEL, Attribute.settable("resource_type", choices=(RecordType.LEAD.value,))),
    verbs=ALL,
    filters=("name",),
    needs=("name",),
)

TAG = Resource(
    type="tag",
    path="tags",
    attributes=(
        *_LABEL,
        Attribute.settable("resource_type", choices=tuple(each.value for each in RecordType)),
    ),
    verbs=ALL,
    filters=("creator_id", "name", "resource_type"),
    order="updated_at:asc",
    needs=("name", "resource_type"),
)

LEAD_STATUS = Resource(
    type="lead_status",
    path="lead_statuses",
    attributes=(ID, Attribute("name"), CREATED, UPDATED),
    verbs=(Verb.LIST,),
)

PIPELINE = Resource(
    type="pipeline",
    path="pipelines",
    attributes=(
        ID,
        Attribute("name"),
        CREATED,
        UPDATED,
        Attribute.constant("disabled", AttributeKind.BOOLEAN, False),
        Attribute.constant("locale_key"),
    ),
    verbs=(Verb.LIST,),
    filters=("name",),
)

STAGE = Resource(
    type="stage",
    path="stages",
    attributes=(
        ID,
        Attribute("name"),
        Attribute("category"),
        Attribute("active", AttributeKind.BOOLEAN, "Whether deals in it are still open."),
        Attribute("position", AttributeKind.INTEGER),
        Attribute("likelihood", AttributeKind.INTEGER, "Of winning the deal, in percent."),
        Attribute("pipeline_id", AttributeKind.INTEGER),
        CREATED,
        UPDATED,
        Attribute.constant("position_hash"),
        Attribute.constant("has_original_name", AttributeKind.BOOLEAN, True),
        Attribute.constant("locale_key"),
    ),
    verbs=(Verb.LIST,),
    filters=("active", "name", "pipeline_id"),
    preset={"pipeline_id": 1},
)


def describe_custom_fields(record_type: RecordType) -> Resource:
    """The names of the custom fields that records of a type have."""
    return Resource(
        type="custom_field",
        path=f"{record_type}/custom_fields",
        attributes=(
            ID,
            Attribute("name"),
            Attribute.constant("type", value="string"),
            Attribute.constant("resource_type", value=record_type),
            CREATED,
            UPDATED,
        ),
        verbs=(Verb.LIST,),
    )


CUSTOM_FIELDS = tuple(map(describe_custom_fields, RecordType))

CONVERSION = Resource(
    type="lead_conversion",
    path="lead_conversions",
    attributes=(
        ID,
        Attribute.settable("lead_id", AttributeKind.INTEGER),
        Attribute("individual_id", AttributeKind.INTEGER, "The person that was made."),
        Attribute("organization_id", AttributeKind.INTEGER, "The organization that was made."),
        Attribute("deal_id", AttributeKind.INTEGER),
        CREATOR,
        CREATED,
    ),
    order="id:desc",
)
"""Its routes only read. `api_stub.sell.conversions` has the route that converts a lead."""
