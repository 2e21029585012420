"""From JSON as others shape it to the fields of a lead: by paths, by names, and the rest as custom
fields."""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from worker.domain.intake.leads import CUSTOM, lead_values
from worker.domain.intake.signatures import HUBSPOT, STANDARD, ZAPIER, ZENDESK_CHAT, ZENDESK_SUPPORT
from worker.domain.records.fields import TAGS, field_named, fields_of, normalized
from worker.domain.records.record_type import RecordType
from worker.domain.storable import replace_unstorable
from worker.errors.intake import BadPath
from worker.errors.runs import BadMapping

Facts = Mapping[str, Any]

NAME = "name"
"""A full name, which is split into first and last name where neither is given."""

MOST_CUSTOM_FIELDS = 100
MOST_LOOKED_AT = 1_000
"""Among so many texts fields are found by their names."""

LONGEST_VALUE_CHARACTERS = 1_000
LONGEST_NAME_CHARACTERS = 200
DEEPEST = 8
"""Within so many objects and lists something is still kept as a custom field."""

_PLAIN = {
    field: field for field in ("first_name", "last_name", "organization_name", "email", "phone")
}

_HUBSPOT_PROPERTIES = {
    "first_name": "firstname", "email": "email", "phone": "phone", "mobile": "mobilephone", "fax": "fax", "title": "jobtitle",
    "organization_name": "company", "website": "website", "industry": "industry", "address_line1": "address", "address_city": "city",
    "address_state": "state", "address_postal_code": "zip", "address_country": "country",
}  # fmt: skip

DEFAULTS: Mapping[str, Mapping[str, str]] = {
    HUBSPOT: {
        "last_name": "properties.lastname|properties.email",
        **{field: f"properties.{name}" for field, name in _HUBSPOT_PROPERTIES.items()},
    },
    ZENDESK_SUPPORT: _PLAIN
    | {
        NAME: "detail.name|requester.name|ticket.requester.name|requester_name|name|detail.email",
        "email": "detail.email|requester.email|ticket.requester.email|requester_email|email",
        "phone": "detail.phone|requester.phone|ticket.requester.phone|requester_phone|phone",
        "description": "detail.notes|description|ticket.description",
        TAGS: "detail.tags|tags|ticket.tags",
    },
    ZENDESK_CHAT: {
        NAME: "visitor.name|visitor.email",
        "email": "visitor.email",
        "phone": "visitor.phone",
        "description": "message|visitor.notes",
        TAGS: "tags",
    },
    ZAPIER: {},
    STANDARD: {},
}
"""Where each kind has what, unless an admin says otherwise. Of several places, the first where
there is something counts."""


class Mapped(NamedTuple):
    """JSON, and how it is read: by which paths; in which of its objects the names of the rest
    begin; and whether those names mean fields."""

    facts: Facts
    paths: Mapping[str, str]
    inside: str | None
    by_name: bool


def check_mapping(mapping: Mapping[str, str]) -> dict[str, str]:
    """The mapping with its fields under their own names. Raises BadPath."""
    for field, path in mapping.items():
        if not field.strip() or not all(
            part for place in path.split("|") for part in place.strip().split(".")
        ):
            raise BadPath(field=field, path=path)
    return {_field(name.strip()): path.strip() for name, path in mapping.items()}


def paths_of(pairs: list[str]) -> dict[str, str]:
    """Paths by field, from pairs such as "last_name=detail.name". Raises BadMapping."""
    split = [pair.partition("=") for pair in pairs]
    for pair, (field, _, path) in zip(pairs, split, strict=True):
        if not field.strip() or not path.strip():
            raise BadMapping(text=pair)
    return {field.strip(): path.strip() for field, _, path in split}


def _field(name: str) -> str:
    """The field that a name means, or else the custom field of that name."""
    return name if name == NAME else field_named(RecordType.LEAD, name) or name


def lead_of(mapped: Mapped) -> dict[str, Any]:
    """What is stored of a lead. Raises BadLead."""
    found = {
        _field(name): value
        for name, path in mapped.paths.items()
        if (value := _first(mapped.facts, path)) is not None
    }
    own = {name: value for name, value in found.items() if name in fields_of(RecordType.LEAD)}
    custom = {
        name: _cut(value) for name, value in found.items() if name not in own and name != NAME
    }
    rest = dict(_rest(mapped, custom))
    full_name = found.get(NAME)
    if mapped.by_name:
        full_name = full_name or _taken(rest, "name", "full name")
        own |= {
            name: rest.pop(name)
            for name in list(rest)
            if field_named(RecordType.LEAD, name) and not _given(own, name)
        }
    kept = islice(rest.items(), max(MOST_CUSTOM_FIELDS - len(custom), 0))
    return lead_values(
        _named(own, full_name) | {CUSTOM: custom | {name: _cut(value) for name, value in kept}}
    )


def _rest(mapped: Mapped, custom: Facts) -> Iterator[tuple[str, str]]:
    """What no path has taken, flattened, by name."""
    used = {place.strip() for path in mapped.paths.values() for place in path.split("|")}
    before = f"{mapped.inside}." if mapped.inside else ""
    leaves = ((name, text) for name, text in _leaves(mapped.facts, "", 0) if name not in used)
    named = (
        (
            replace_unstorable(name.removeprefix(before).removeprefix(f"{CUSTOM}."))[
                :LONGEST_NAME_CHARACTERS
            ],
            text,
        )
        for name, text in leaves
    )
    return islice(
        ((name, text) for name, text in named if name and name not in custom), MOST_LOOKED_AT
    )


def _given(own: Facts, name: str) -> bool:
    return field_named(RecordType.LEAD, name) in {
        field_named(RecordType.LEAD, each) for each in own
    }


def _taken(rest: dict[str, str], *names: str) -> str | None:
    found = next((name for name in rest if normalized(name) in names), None)
    return None if found is None else rest.pop(found)


def _named(own: dict[str, Any], full_name: str | None) -> dict[str, Any]:
    """The fields with a first and a last name, if only the full one is given."""
    given = {field_named(RecordType.LEAD, name) for name, value in own.items() if value}
    if not full_name or given & {"first_name", "last_name"}:
        return own
    first, last = split_name(full_name)
    return own | {"first_name": first, "last_name": last}


def split_name(full_name: str) -> tuple[str, str]:
    """The first and the last name. "Ludwig van Beethoven" is Ludwig, of the family van Beethoven;
    "Lee, Ann" is Ann Lee; one word is a last name."""
    last, comma, first = full_name.partition(",")
    if comma and last.strip() and first.strip():
        return first.strip(), last.strip()
    words = full_name.split(maxsplit=1)
    return ("", full_name.strip()) if len(words) < 2 else (words[0], words[1].strip())


# --- reading ---


def _first(facts: Any, path: str) -> str | None:
    """The text at the first of several places where there is some."""
    texts = (_text(_at(facts, place.strip())) for place in path.split("|"))
    return next((text for text in texts if text), None)


def _at(facts: Any, path: str) -> Any:
    """What is at a path. A name may hold dots itself; a number counts within a list, from 0."""
    if isinstance(facts, dict) and path in facts:
        return facts[path]
    name, dot, further = path.partition(".")
    if isinstance(facts, dict) and name in facts:
        return _at(facts[name], further) if dot else facts[name]
    if isinstance(facts, list) and re.fullmatch("[0-9]{1,6}", name) and int(name) < len(facts):
        return _at(facts[int(name)], further) if dot else facts[int(name)]
    return None


def _text(value: Any) -> str | None:
    """A value as text, without what no database stores; a list of texts with commas between. None
    for what is no text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return replace_unstorable(str(value)).strip()
    if isinstance(value, list) and all(isinstance(each, str | int | float) for each in value):
        return ", ".join(filter(None, map(_text, value)))
    return None


def _leaves(value: Any, name: str, depth: int) -> Iterator[tuple[str, str]]:
    """All texts within a value, by their paths."""
    text = _text(value)
    if text is not None:
        yield from [(name, text)] if text else []
    elif depth < DEEPEST and isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for key, each in inner:
            yield from _leaves(each, f"{name}.{key}" if name else str(key), depth + 1)


def _cut(value: str) -> str:
    return value[:LONGEST_VALUE_CHARACTERS]
