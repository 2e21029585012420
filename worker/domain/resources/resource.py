"""A resource: one description that drives its routes, checks, SQL and documentation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, auto
from functools import cached_property
from typing import Any, NamedTuple


class Kind(StrEnum):
    """What an attribute holds."""

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


SORTABLE = (Kind.TEXT, Kind.INTEGER, Kind.PERCENT, Kind.BOOLEAN, Kind.MOMENT, Kind.DAY, Kind.AMOUNT)

ADDRESS_PARTS = ("line1", "city", "postal_code", "state", "country")


class Verb(StrEnum):
    """What a resource can be asked to do."""

    LIST = auto()
    SHOW = auto()
    CREATE = auto()
    UPDATE = auto()
    DELETE = auto()
    UPSERT = auto()


READ = (Verb.LIST, Verb.SHOW)
ALL = (*READ, Verb.CREATE, Verb.UPDATE, Verb.DELETE)


class Attribute(NamedTuple):
    """One attribute. One that isn't held has always the same value, and no column."""

    name: str
    kind: Kind = Kind.TEXT
    meaning: str = ""
    writable: bool = False
    held: bool = True
    always: Any = None
    choices: tuple[str, ...] = ()


def given(
    name: str, kind: Kind = Kind.TEXT, meaning: str = "", choices: tuple[str, ...] = ()
) -> Attribute:
    """An attribute that requests may set."""
    return Attribute(name, kind, meaning, writable=True, choices=choices)


def texts(*names: str) -> tuple[Attribute, ...]:
    """Several plain texts that requests may set."""
    return tuple(map(given, names))


def constant(name: str, kind: Kind = Kind.TEXT, value: Any = None) -> Attribute:
    """An attribute that clients look for, and of which Evenhand knows nothing."""
    return Attribute(name, kind, held=False, always=value)


ID = Attribute("id", Kind.INTEGER)
CREATED = Attribute("created_at", Kind.MOMENT)
UPDATED = Attribute("updated_at", Kind.MOMENT)
CREATOR = Attribute(
    "creator_id", Kind.INTEGER, "The user who created it; null where it came in by itself."
)
OWNER = given(
    "owner_id",
    Kind.INTEGER,
    "A user, or a pool's user, in whose stead the pool's next member gets the record. The caller, unless given.",
)
TAGS = given("tags", Kind.NAMES, "Replaced as a whole.")
CUSTOM = given(
    "custom_fields",
    Kind.FIELDS,
    "Texts, numbers, booleans or lists of texts by name. Only those named change; null removes one.",
)


@dataclass(frozen=True, eq=False)
class Resource:
    """A kind of thing that the API knows: the type by which envelopes name it, the path under which
    it lies, and its attributes."""

    type: str
    path: str
    attributes: tuple[Attribute, ...]
    verbs: tuple[Verb, ...] = READ
    filters: tuple[str, ...] = ()
    """Parameters of a list: attributes, or parts of an address such as address[city]."""
    order: str = "id:asc"
    """How a list is sorted unless it is asked otherwise."""
    needs: tuple[str, ...] = ()
    """What must be given to create one."""
    preset: Mapping[str, Any] = field(default_factory=dict)
    """What filters say unless they are given."""

    @property
    def name(self) -> str:
        """The path as one word, for names of operations and schemas."""
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

    def kind_of(self, filter: str) -> Kind:
        """What a filter compares with."""
        return Kind.TEXT if "[" in filter else self.by_name[filter].kind
