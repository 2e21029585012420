"""The shapes of requests and answers, made of the descriptions of resources."""

from datetime import date
from functools import cache
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

from worker.domain.integers import GREATEST
from worker.domain.resources import ADDRESS_PARTS, Attribute, Kind, Resource

MOST_PER_PAGE, LAST_PAGE = 100, 1_000_000

IDS = r"^\d{1,18}(,\d{1,18}){0,99}$"

Integer = Annotated[int, Field(ge=-GREATEST, le=GREATEST)]
Words = Annotated[str, StringConstraints(max_length=1000, pattern="^[^\\x00]*$")]
FieldValues = Annotated[
    dict[str, Any],
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
    """What is known, and in its own type: a number is no text."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Meta(BaseModel):
    """What a thing is."""

    type: str


class Links(BaseModel):
    """Where the pages of a list are. Those that don't exist are left out."""

    self: str
    first_page: str
    prev_page: str | None = None
    next_page: str | None = None


class CollectionMeta(BaseModel):
    """How many things are on a page, and where the others are."""

    type: Literal["collection"]
    count: int
    links: Links


def _number_or_text(value: Any) -> Any:
    if value is None or (isinstance(value, int | float | str) and not isinstance(value, bool)):
        return value
    raise PydanticCustomError("amount_type", "Input should be a number or text")


Amount = Annotated[
    Any,
    AfterValidator(_number_or_text),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string"}, {"type": "null"}]}),
]
"""A union of types would tell of each of them that it isn't that."""

_PARTS: dict[str, Any] = dict.fromkeys(ADDRESS_PARTS, (str | None, None))
Address = create_model("Address", __base__=Strict, __doc__="An address, part by part.", **_PARTS)

_IN: dict[Kind, Any] = {
    Kind.TEXT: str | None,
    Kind.INTEGER: Integer | None,
    Kind.PERCENT: Annotated[int, Field(ge=0, le=100)] | None,
    Kind.BOOLEAN: StrictBool,
    Kind.MOMENT: str | None,
    Kind.DAY: str | None,
    Kind.AMOUNT: Amount,
    Kind.NAMES: list[str] | None,
    Kind.ADDRESS: Address | None,
    Kind.FIELDS: FieldValues | None,
}

_OUT: dict[Kind, Any] = {
    Kind.TEXT: str | None,
    Kind.INTEGER: int | None,
    Kind.PERCENT: int | None,
    Kind.BOOLEAN: bool,
    Kind.MOMENT: Annotated[str, Field(json_schema_extra={"format": "date-time"})] | None,
    Kind.DAY: Annotated[str, Field(json_schema_extra={"format": "date"})] | None,
    Kind.AMOUNT: Annotated[
        int | str, Field(description="An integer when whole, else text with decimals.")
    ],
    Kind.NAMES: list[str],
    Kind.ADDRESS: Address,
    Kind.FIELDS: FieldValues,
    Kind.OBJECT: dict[str, Any] | None,
    Kind.OBJECTS: list[dict[str, Any]],
}


def _on_the_calendar(text: str) -> str:
    date.fromisoformat(text)
    return text


Day = Annotated[
    str, StringConstraints(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_on_the_calendar)
]

_ASKED: dict[Kind, Any] = {Kind.INTEGER: Integer, Kind.BOOLEAN: bool, Kind.DAY: Day}


def _named(resource: Resource, suffix: str) -> str:
    words = resource.path.split("/")
    return "".join(word.title().replace("_", "") for word in (*words[:-1], resource.type)) + suffix


@cache
def request_model(resource: Resource) -> type[BaseModel]:
    """The envelope of what a request says. What can't be set is taken, and ignored: clients send
    back whole what they got."""
    fields = {attribute.name: _field(attribute) for attribute in resource.attributes}
    data = create_model(_named(resource, "Attributes"), __base__=Strict, **fields)
    return create_model(
        _named(resource, "Request"),
        __base__=Strict,
        data=(data, ...),
        meta=(dict[str, Any] | None, None),
    )


def _field(attribute: Attribute) -> Any:
    if not attribute.writable:
        return Any, Field(None, json_schema_extra={"readOnly": True}, description="Can't be set.")
    kind = Literal[attribute.choices] | None if attribute.choices else _IN[attribute.kind]
    return kind, Field(None, description=attribute.meaning or None)


class ConversionAttributes(Strict):
    """Which lead is to be converted, and who gets what it becomes."""

    lead_id: Annotated[int, Field(ge=1, le=GREATEST)]
    owner_id: Annotated[int, Field(ge=1, le=GREATEST)] | None = Field(
        None, description="A user or a pool; the lead's owner unless given."
    )
    create_deal: StrictBool = True


class ConversionRequest(Strict):
    """The envelope of a conversion that is asked for."""

    data: ConversionAttributes
    meta: dict[str, Any] | None = None


@cache
def answer_model(resource: Resource) -> type[BaseModel]:
    """The envelope of one."""
    fields: dict[str, Any] = {
        attribute.name: (_OUT[attribute.kind], Field(..., description=attribute.meaning or None))
        for attribute in resource.attributes
    }
    data = create_model(_named(resource, ""), **fields)
    return create_model(_named(resource, "Answer"), data=(data, ...), meta=(Meta, ...))


@cache
def collection_model(resource: Resource) -> type[BaseModel]:
    """The envelope of a page."""
    items: Any = list.__class_getitem__(answer_model(resource))
    return create_model(
        _named(resource, "Collection"), items=(items, ...), meta=(CollectionMeta, ...)
    )


@cache
def list_parameters(resource: Resource) -> type[BaseModel]:
    """The parameters of a list. Custom fields have names of their own: custom_fields[Name]."""
    order = "|".join(resource.sortable)
    paging: dict[str, Any] = {
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
        _named(resource, "Parameters"), __config__=_open(resource), **paging, **_filters(resource)
    )


@cache
def match_parameters(resource: Resource) -> type[BaseModel]:
    """The parameters of an upsert: what the one to update must say."""
    return create_model(_named(resource, "Match"), __config__=_open(resource), **_filters(resource))


def _open(resource: Resource) -> ConfigDict:
    return ConfigDict(
        extra="allow" if "custom_fields" in resource.by_name else "forbid", populate_by_name=False
    )


def _filters(resource: Resource) -> dict[str, Any]:
    return {
        name.replace("[", "_").rstrip("]"): (
            _ASKED.get(resource.kind_of(name), Words) | None,
            Field(
                resource.preset.get(name),
                alias=name,
                description=f"Exactly this {name.replace('_', ' ')}.",
            ),
        )
        for name in resource.filters
    }
