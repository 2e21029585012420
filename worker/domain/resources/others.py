"""What records refer to: users, labels, pipelines and stages."""

from worker.domain.resources.resource import (
    ALL,
    CREATED,
    CREATOR,
    ID,
    UPDATED,
    Attribute,
    Kind,
    Resource,
    Verb,
    constant,
    given,
)

RECORD_TYPES = ("lead", "contact", "deal")

USER = Resource(
    type="user",
    path="users",
    attributes=(
        ID,
        Attribute("name"),
        Attribute("email", meaning="Null for a pool."),
        Attribute("status", meaning="active or inactive."),
        Attribute("role", meaning="admin or user."),
        Attribute("confirmed", Kind.BOOLEAN),
        Attribute("identity_type", meaning="integration for a pool's user, else user."),
        Attribute(
            "system_tags",
            Kind.NAMES,
            "For a pool distribution_pool and the type of the records that it shares.",
        ),
        Attribute("sell_login_disabled", Kind.BOOLEAN),
        Attribute("deleted_at", Kind.MOMENT),
        CREATED,
        UPDATED,
        constant("invited", Kind.BOOLEAN, False),
        constant("detached", Kind.BOOLEAN, False),
        constant("roles", Kind.OBJECTS, ()),
        constant("group", Kind.OBJECT),
        constant("team_name"),
        constant("reports_to", Kind.INTEGER),
        constant("timezone", value="UTC"),
        constant("phone_number"),
        constant("zendesk_user_id"),
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

_LABEL = (ID, given("name"), CREATOR, CREATED, UPDATED)

LEAD_SOURCE = Resource(
    type="lead_source",
    path="lead_sources",
    attributes=(*_LABEL, given("resource_type", choices=("lead",))),
    verbs=ALL,
    filters=("name",),
    needs=("name",),
)

TAG = Resource(
    type="tag",
    path="tags",
    attributes=(*_LABEL, given("resource_type", choices=RECORD_TYPES)),
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
        constant("disabled", Kind.BOOLEAN, False),
        constant("locale_key"),
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
        Attribute("active", Kind.BOOLEAN, "Whether deals in it are still open."),
        Attribute("position", Kind.INTEGER),
        Attribute("likelihood", Kind.INTEGER, "Of winning the deal, in percent."),
        Attribute("pipeline_id", Kind.INTEGER),
        CREATED,
        UPDATED,
        constant("position_hash"),
        constant("has_original_name", Kind.BOOLEAN, True),
        constant("locale_key"),
    ),
    verbs=(Verb.LIST,),
    filters=("active", "name", "pipeline_id"),
    preset={"pipeline_id": 1},
)


def custom_fields(record_type: str) -> Resource:
    """The names of custom fields that records of a type bear."""
    return Resource(
        type="custom_field",
        path=f"{record_type}/custom_fields",
        attributes=(
            ID,
            Attribute("name"),
            constant("type", value="string"),
            constant("resource_type", value=record_type),
            CREATED,
            UPDATED,
        ),
        verbs=(Verb.LIST,),
    )


CUSTOM_FIELDS = tuple(map(custom_fields, RECORD_TYPES))
