"""The models of requests and responses, made from the descriptions of resources."""

from datetime import date
from functools import cache
from types import GenericAlias
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    WithJsonSchema,
    create_model,
)
from pydantic_core import PydanticCustomError

from worker.domain.resources import ADDRESS_PARTS, Attribute, AttributeKind, Resource
from worker.domain.storable import GREATEST

# Pydantic takes anything as a type, and a type or a pair of type and default as a field.
FieldType = Any
FieldDefinition = Any
OpenObject = dict[str, Any]

MOST_PER_PAGE, LAST_PAGE = 100, 1_000_000

IDS = r"^\d{1,18}(,\d{1,18}){0,99}$"

Integer = Annotated[int, Field(ge=-GREATEST, le=GREATEST)]
FilterValue = Annotated[str, StringConstraints(max_length=1000, pattern="^[^\\x00]*$")]
FieldValues = Annotated[
    OpenObject,
    Field(
        json_schema_extra={
            "additionalProperties": {
                "type": ["string", "number", "boolean", "array", "null"],
                "items": {"type": "string"},
            }
        }
    ),
]


class Strict(BaseModel):
    """Refuses unknown fields, and values of another type: a number is no text."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ResourceMeta(BaseModel):
    """The type of a resource."""

    type: str


class PageLinks(BaseModel):
    """Links to the pages of a list. A page that doesn't exist has no link."""

    self: str
    first_page: str
    prev_page: str | None = None
    next_page: str | None = None


class CollectionMeta(BaseModel):
    """How many resources are on a page, and where the others are."""

    type: Literal["collection"]
    count: int
    links: PageLinks


def _check_amount(value: object) -> object:
    if value is None or (isinstance(value, int | float | str) and not isinstance(value, bool)):
        return value
    raise PydanticCustomError("amount_type", "Input should be a number or text")


Amount = Annotated[
    Any,
    AfterValidator(_check_amount),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}, {"type": "null"}]}),
]
"""Not a union of types, whose error would name each of them."""

_PARTS: dict[str, FieldDefinition] = dict.fromkeys(ADDRESS_PARTS, (str | None, None))
Address = create_model("Address", __base__=Strict, __doc__="An address, part by part.", **_PARTS)

_REQUEST: dict[AttributeKind, FieldType] = {
    AttributeKind.TEXT: str | None,
    AttributeKind.INTEGER: Integer | None,
    AttributeKind.PERCENT: Annotated[int, Field(ge=0, le=100)] | None,
    AttributeKind.BOOLEAN: StrictBool,
    AttributeKind.MOMENT: str | None,
    AttributeKind.DAY: str | None,
    AttributeKind.AMOUNT: Amount,
    AttributeKind.NAMES: list[str] | None,
    AttributeKind.ADDRESS: Address | None,
    AttributeKind.FIELDS: FieldValues | None,
}

_RESPONSE: dict[AttributeKind, FieldType] = {
    AttributeKind.TEXT: str | None,
    AttributeKind.INTEGER: int | None,
    AttributeKind.PERCENT: int | None,
    AttributeKind.BOOLEAN: bool,
    AttributeKind.MOMENT: Annotated[str, Field(json_schema_extra={"format": "date-time"})] | None,
    AttributeKind.DAY: Annotated[str, Field(json_schema_extra={"format": "date"})] | None,
    AttributeKind.AMOUNT: Annotated[
        int | str, Field(description="An integer when whole, else text with decimals.")
    ],
    AttributeKind.NAMES: list[str],
    AttributeKind.ADDRESS: Address,
    AttributeKind.FIELDS: FieldValues,
    AttributeKind.OBJECT: OpenObject | None,
    AttributeKind.OBJECTS: list[OpenObject],
}


def _check_day(text: str) -> str:
    date.fromisoformat(text)
    return text


Day = Annotated[
    str, StringConstraints(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_check_day)
]

_PARAMETER: dict[AttributeKind, FieldType] = {
    AttributeKind.INTEGER: Integer,
    AttributeKind.BOOLEAN: bool,
    AttributeKind.DAY: Day,
}


def _name_model(resource: Resource, suffix: str) -> str:
    words = resource.path.split("/")
    return "".join(word.title().replace("_", "") for word in (*words[:-1], resource.type)) + suffix


@cache
def make_request_model(resource: Resource) -> type[BaseModel]:
    """The envelope of a request. Attributes that can't be set are accepted and ignored, because
    clients send back whole records."""
    fields = {attribute.name: _describe_field(attribute) for attribute in resource.attributes}
    data = create_model(_name_model(resource, "Attributes"), __base__=Strict, **fields)
    return create_model(
        _name_model(resource, "Request"),
        __base__=Strict,
        data=(data, ...),
        meta=(OpenObject | None, None),
    )


def _describe_field(attribute: Attribute) -> FieldDefinition:
    if not attribute.writable:
        return Any, Field(None, json_schema_extra={"readOnly": True}, description="Can't be set.")
    kind = Literal[attribute.choices] | None if attribute.choices else _REQUEST[attribute.kind]
    return kind, Field(None, description=attribute.meaning or None)


class ConversionAttributes(Strict):
    """The lead to convert, and the owner of the new records."""

    lead_id: Annotated[int, Field(ge=1, le=GREATEST)]
    owner_id: Annotated[int, Field(ge=1, le=GREATEST)] | None = Field(
        None, description="A user or a pool; the lead's owner unless given."
    )
    create_deal: StrictBool = True


class ConversionRequest(Strict):
    """The envelope of a request for a conversion."""

    data: ConversionAttributes
    meta: OpenObject | None = None


@cache
def make_response_model(resource: Resource) -> type[BaseModel]:
    """The envelope of one resource."""
    fields: dict[str, FieldDefinition] = {
        attribute.name: (
            _RESPONSE[attribute.kind],
            Field(..., description=attribute.meaning or None),
        )
        for attribute in resource.attributes
    }
    data = create_model(_name_model(resource, ""), **fields)
    return create_model(_name_model(resource, "Answer"), data=(data, ...), meta=(ResourceMeta, ...))


@cache
def make_collection_model(resource: Resource) -> type[BaseModel]:
    """The envelope of a page."""
    # list[...] of a model that is made at run time, which type checkers can't follow.
    items: FieldType = GenericAlias(list, (make_response_model(resource),))
    name = _name_model(resource, "Collection")
    return create_model(name, items=(items, ...), meta=(CollectionMeta, ...))


@cache
def list_parameters(resource: Resource) -> type[BaseModel]:
    """The parameters of a list. Custom fields have names of their own: custom_fields[Name]."""
    order = "|".join(resource.sortable)
    paging: dict[str, FieldDefinition] = {
        "page": (int, Field(1, ge=1, le=LAST_PAGE)),
        "per_page": (int, Field(25, ge=1, le=MOST_PER_PAGE)),
        "sort_by": (
            str,
            Field(
                resource.order,
                pattern=f"^({order})(:(asc|desc))?$",
                description="A field, :asc or :desc after it.",
            ),
        ),
        "ids": (
            str | None,
            Field(None, pattern=IDS, description="With commas between, a hundred at most."),
        ),
    }
    return create_model(
        _name_model(resource, "Parameters"),
        __config__=_configure(resource),
        **paging,
        **_describe_filters(resource),
    )


@cache
def match_parameters(resource: Resource) -> type[BaseModel]:
    """The parameters of an upsert: the values that the record to update must have."""
    return create_model(
        _name_model(resource, "Match"),
        __config__=_configure(resource),
        **_describe_filters(resource),
    )


def _configure(resource: Resource) -> ConfigDict:
    return ConfigDict(
        extra="allow" if "custom_fields" in resource.by_name else "forbid", populate_by_name=False
    )


def _describe_filters(resource: Resource) -> dict[str, FieldDefinition]:
    return {
        name.replace("[", "_").rstrip("]"): (
            _PARAMETER.get(resource.kind_of(name), FilterValue) | None,
            Field(
                resource.preset.get(name),
                alias=name,
                description=f"Exactly this {name.replace('_', ' ')}.",
            ),
        )
        for name in resource.filters
    }
