"""A resource: one description that drives its routes, checks, SQL and documentation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, auto
from functools import cached_property
from typing import Any, NamedTuple

ResourceBody = dict[str, Any]
"""A resource as the Sell API shows it: the values that its description names, by attribute, ready
for JSON."""


class AttributeKind(StrEnum):
    """The type of an attribute's values."""

    TEXT = auto()
    INTEGER = auto()
    PERCENT = auto()
    BOOLEAN = auto()
    MOMENT = auto()
    """A point in time, in UTC, as RFC 3339 writes it."""
    DAY = auto()
    """A date such as 2026-03-31."""
    AMOUNT = auto()
    """An integer when whole, else text with decimals."""
    NAMES = auto()
    """A list of texts."""
    ADDRESS = auto()
    FIELDS = auto()
    """Custom fields: values by name."""
    OBJECT = auto()
    OBJECTS = auto()


SORTABLE = (
    AttributeKind.TEXT,
    AttributeKind.INTEGER,
    AttributeKind.PERCENT,
    AttributeKind.BOOLEAN,
    AttributeKind.MOMENT,
    AttributeKind.DAY,
    AttributeKind.AMOUNT,
)

ADDRESS_PARTS = ("line1", "city", "postal_code", "state", "country")


class Verb(StrEnum):
    """The actions of requests on a resource."""

    LIST = auto()
    SHOW = auto()
    CREATE = auto()
    UPDATE = auto()
    DELETE = auto()
    UPSERT = auto()


READ = (Verb.LIST, Verb.SHOW)
ALL = (*READ, Verb.CREATE, Verb.UPDATE, Verb.DELETE)


class Attribute(NamedTuple):
    """An attribute of a resource. One that isn't held has no column, and always the same value."""

    name: str
    kind: AttributeKind = AttributeKind.TEXT
    meaning: str = ""
    writable: bool = False
    held: bool = True
    always: object = None
    choices: tuple[str, ...] = ()

    @classmethod
    def settable(
        cls,
        name: str,
        kind: AttributeKind = AttributeKind.TEXT,
        meaning: str = "",
        choices: tuple[str, ...] = (),
    ) -> "Attribute":
        """An attribute that requests may set."""
        return cls(name, kind, meaning, writable=True, choices=choices)

    @classmethod
    def constant(
        cls, name: str, kind: AttributeKind = AttributeKind.TEXT, value: object = None
    ) -> "Attribute":
        """An attribute that clients expect, though Evenhand stores nothing for it."""
        return cls(name, kind, held=False, always=value)


ID = Attribute("id", AttributeKind.INTEGER)
CREATED = Attribute("created_at", AttributeKind.MOMENT)
UPDATED = Attribute("updated_at", AttributeKind.MOMENT)
CREATOR = Attribute(
    "creator_id", AttributeKind.INTEGER, "The user who created it; null where it came in by itself."
)
OWNER = Attribute.settable(
    "owner_id",
    AttributeKind.INTEGER,
    "A user, or a pool's user, in whose stead the pool's next member gets the record. "
    "The caller, unless given.",
)
TAGS = Attribute.settable("tags", AttributeKind.NAMES, "Replaced as a whole.")
CUSTOM = Attribute.settable(
    "custom_fields",
    AttributeKind.FIELDS,
    "Texts, numbers, booleans or lists of texts by name. "
    "Only those named change; null removes one.",
)


@dataclass(frozen=True, eq=False)
class Resource:
    """A kind of thing that the Sell API serves: the type by which envelopes name it, the path of
    its routes, and its attributes."""

    type: str
    path: str
    attributes: tuple[Attribute, ...]
    verbs: tuple[Verb, ...] = READ
    filters: tuple[str, ...] = ()
    """Parameters of a list: attributes, or parts of an address such as address[city]."""
    order: str = "id:asc"
    """The order of a list unless the request names one."""
    needs: tuple[str, ...] = ()
    """The attributes that a request to create one must name."""
    preset: Mapping[str, object] = field(default_factory=dict)
    """The values of filters that the request doesn't name."""

    @property
    def name(self) -> str:
        """The path as one word, for the names of operations."""
        return self.path.replace("/", "_")

    @cached_property
    def by_name(self) -> dict[str, Attribute]:
        return {attribute.name: attribute for attribute in self.attributes}

    @property
    def writable(self) -> tuple[Attribute, ...]:
        return tuple(attribute for attribute in self.attributes if attribute.writable)

    @property
    def sortable(self) -> tuple[str, ...]:
        return tuple(
            attribute.name
            for attribute in self.attributes
            if attribute.held and attribute.kind in SORTABLE
        )

    def kind_of(self, filter: str) -> AttributeKind:
        """The type of the values of a filter's attribute."""
        return AttributeKind.TEXT if "[" in filter else self.by_name[filter].kind
