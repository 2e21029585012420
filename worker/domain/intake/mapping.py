"""Reads a lead out of others' JSON: by paths, by names, and the rest as custom fields."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from worker.domain.intake.full_names import split_full_name
from worker.domain.intake.leads import CUSTOM, LeadValues, parse_lead
from worker.domain.intake.paths import as_text, find_text, is_path, split_places
from worker.domain.json_content import JsonObject
from worker.domain.records.fields import find_field, list_field_names, normalize_header
from worker.domain.records.record_type import RecordType
from worker.domain.storable import replace_unstorable
from worker.errors.intake import BadPath
from worker.errors.runs import BadMapping

FULL_NAME = "name"
"""A full name, which is split into first and last name where neither of them is there."""

MOST_CUSTOM_FIELDS = 100
MOST_TEXTS = 1_000
"""The number of texts among which fields are found by their names."""

LONGEST_VALUE_CHARACTERS = 1_000
LONGEST_NAME_CHARACTERS = 200
DEEPEST = 8
"""Inside more objects and lists than this, a text is no custom field any more."""


@dataclass(frozen=True, slots=True)
class MappedContent:
    """JSON, and how to read a lead out of it."""

    content: JsonObject
    paths: Mapping[str, str]
    """Where each field is."""
    inside: str | None = None
    """The object whose name is left out of the names of custom fields."""
    names_are_fields: bool = False
    """Whether a text whose name means a field is that field."""


def check_mapping(mapping: Mapping[str, str]) -> dict[str, str]:
    """The mapping, with its fields under their own names. Raises BadPath."""
    for field, path in mapping.items():
        if not field.strip() or not is_path(path):
            raise BadPath(field=field, path=path)
    return {_find_field(name.strip()): path.strip() for name, path in mapping.items()}


def parse_paths(pairs: list[str]) -> dict[str, str]:
    """Paths by field, from pairs such as "last_name=detail.name". Raises BadMapping."""
    split = [pair.partition("=") for pair in pairs]
    for pair, (field, _, path) in zip(pairs, split, strict=True):
        if not field.strip() or not path.strip():
            raise BadMapping(text=pair)
    return {field.strip(): path.strip() for field, _, path in split}


def read_lead(mapped: MappedContent) -> LeadValues:
    """The values that are stored for the lead in the content, by column. Raises BadLead."""
    found = _find_by_path(mapped)
    full_name = found.pop(FULL_NAME, None)
    fields = {
        name: text for name, text in found.items() if name in list_field_names(RecordType.LEAD)
    }
    custom = {name: _cut(text) for name, text in found.items() if name not in fields}
    rest = _read_rest(mapped, custom)
    if mapped.names_are_fields:
        full_name = full_name or _take_full_name(rest)
        fields |= _take_fields(rest, fields)
    more = islice(rest.items(), max(MOST_CUSTOM_FIELDS - len(custom), 0))
    custom |= {name: _cut(text) for name, text in more}
    return parse_lead({**_add_names(fields, full_name), CUSTOM: custom})


def _find_field(name: str) -> str:
    """The field that a name means, or else the custom field of that name."""
    return name if name == FULL_NAME else find_field(RecordType.LEAD, name) or name


def _find_by_path(mapped: MappedContent) -> dict[str, str]:
    return {
        _find_field(name): text
        for name, path in mapped.paths.items()
        if (text := find_text(mapped.content, path)) is not None
    }


def _read_rest(mapped: MappedContent, custom: Mapping[str, str]) -> dict[str, str]:
    """The texts that no path leads to, by name."""
    used = {place for path in mapped.paths.values() for place in split_places(path)}
    inside = f"{mapped.inside}." if mapped.inside else ""
    named = (
        (_shorten(name, inside), text)
        for name, text in _flatten(mapped.content)
        if name not in used
    )
    return dict(
        islice(((name, text) for name, text in named if name and name not in custom), MOST_TEXTS)
    )


def _shorten(name: str, inside: str) -> str:
    short = name.removeprefix(inside).removeprefix(f"{CUSTOM}.")
    return replace_unstorable(short)[:LONGEST_NAME_CHARACTERS]


def _take_full_name(rest: dict[str, str]) -> str | None:
    """Takes a full name out of the rest."""
    name = next((name for name in rest if normalize_header(name) in (FULL_NAME, "full name")), None)
    return None if name is None else rest.pop(name)


def _take_fields(rest: dict[str, str], fields: Mapping[str, str]) -> dict[str, str]:
    """Takes the texts out of the rest whose names mean fields that aren't there yet. If two names
    mean one field, the first is taken."""
    known, taken = set(fields), dict[str, str]()
    for name in list(rest):
        field = find_field(RecordType.LEAD, name)
        if field is not None and field not in known:
            known.add(field)
            taken[name] = rest.pop(name)
    return taken


def _add_names(fields: Mapping[str, str], full_name: str | None) -> Mapping[str, str]:
    """The fields, with a first and a last name if only the full name is there."""
    known = {find_field(RecordType.LEAD, name) for name, text in fields.items() if text}
    if not full_name or known & {"first_name", "last_name"}:
        return fields
    first, last = split_full_name(full_name)
    return {**fields, "first_name": first, "last_name": last}


def _flatten(value: object, name: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """All texts within a value, by their paths."""
    text = as_text(value)
    if text is not None:
        yield from [(name, text)] if text else []
    elif depth < DEEPEST and isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for key, each in inner:
            yield from _flatten(each, f"{name}.{key}" if name else str(key), depth + 1)


def _cut(value: str) -> str:
    return value[:LONGEST_VALUE_CHARACTERS]
