"""A captured lead: one JSON object from a form, a webhook or a program, made ready to be stored."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from worker.domain.files.rows import Columns, RowReader
from worker.domain.json_content import JsonObject
from worker.domain.records.fields import TAGS, find_field
from worker.domain.records.record_type import RecordType
from worker.domain.records.types import LEAD
from worker.domain.storable import is_storable, replace_unstorable
from worker.errors.records import BadLead

CUSTOM = "custom_fields"

LeadValues: TypeAlias = Mapping[str, Any]
"""The values that are stored for a lead, by column: texts, a list of tags, and custom fields by
name."""


def parse_lead(lead: JsonObject) -> LeadValues:
    """The values that are stored for a lead, by column. Names are fields or their aliases, as in a
    file; other names become custom fields.

    Raises BadLead, which names the field at fault.
    """
    listed = {
        name: value
        for name, value in lead.items()
        if find_field(RecordType.LEAD, name) == TAGS and not isinstance(value, str)
    }
    plain = {
        _check_storable(name, name): _read_text(name, value)
        for name, value in lead.items()
        if name not in (*listed, CUSTOM)
    }
    values = _read_row(plain)
    tags = [tag for name, value in listed.items() for tag in _read_tags(name, value)]
    return {
        **values,
        TAGS: list(dict.fromkeys([*values[TAGS], *tags])),
        CUSTOM: values[CUSTOM] | _read_custom(lead.get(CUSTOM)),
    }


def _read_row(texts: Mapping[str, str]) -> LeadValues:
    """The values of a row with those texts, as a file would have it."""
    reader = RowReader(RecordType.LEAD, Columns.of(RecordType.LEAD, list(texts), {}))
    row = list(texts.values())
    if (fault := reader.find_fault(row)) is not None:
        raise BadLead(reason=" ".join(filter(None, fault)))
    values = zip(reader.fields, reader.convert(row), strict=True)
    return dict.fromkeys(LEAD.text_fields) | dict(values)


def _read_text(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return _check_storable(name, str(value))
    raise BadLead(reason=f"{name} must be text, a number, true, false or null")


def _check_storable(name: str, text: str) -> str:
    if not is_storable(text):
        raise BadLead(
            reason=f"{replace_unstorable(name)} holds a character that no database stores"
        )
    return text


def _read_tags(name: str, value: object) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        raise BadLead(reason=f"{name} must be a list of texts")
    return [stripped for tag in value if (stripped := _check_storable(name, tag).strip())]


def _read_custom(value: object) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadLead(reason=f"{CUSTOM} must be an object of names and values")
    texts = {
        _check_storable(f"{CUSTOM} {name}", name): _read_text(f"{CUSTOM} {name}", each)
        for name, each in value.items()
    }
    return {name: stripped for name, text in texts.items() if (stripped := text.strip())}
