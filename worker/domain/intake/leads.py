"""A captured lead: what a form, a webhook or a program hands in as one JSON object, made ready to
be stored."""

from collections.abc import Mapping
from typing import Any

from worker.domain.files.rows import Columns, RowReader
from worker.domain.records.fields import TAGS, field_named
from worker.domain.records.record_type import RecordType
from worker.domain.records.types import LEAD
from worker.domain.storable import is_storable, replace_unstorable
from worker.errors.records import BadLead

CUSTOM = "custom_fields"


def lead_values(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What is stored of a lead, by column. Names are fields or their aliases, as in a file; others
    are kept as custom fields.

    Raises BadLead, which names the field at fault.
    """
    listed = {
        name: value
        for name, value in facts.items()
        if field_named(RecordType.LEAD, name) == TAGS and not isinstance(value, str)
    }
    plain = {
        _storable(name, name): _text(name, value)
        for name, value in facts.items()
        if name not in (*listed, CUSTOM)
    }
    reader = RowReader(RecordType.LEAD, Columns.of(RecordType.LEAD, list(plain), {}))
    row = list(plain.values())
    if (fault := reader.find_fault(row)) is not None:
        raise BadLead(reason=" ".join(filter(None, fault)))
    values: dict[str, Any] = dict.fromkeys(LEAD.text_fields) | dict(
        zip(reader.fields, reader.convert(row), strict=True)
    )
    tags = [tag for name, value in listed.items() for tag in _tags(name, value)]
    return values | {
        TAGS: list(dict.fromkeys([*values[TAGS], *tags])),
        CUSTOM: values[CUSTOM] | _custom(facts.get(CUSTOM)),
    }


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return _storable(name, str(value))
    raise BadLead(reason=f"{name} must be text, a number, true, false or null")


def _storable(name: str, text: str) -> str:
    if not is_storable(text):
        raise BadLead(
            reason=f"{replace_unstorable(name)} holds a character that no database stores"
        )
    return text


def _tags(name: str, value: Any) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        raise BadLead(reason=f"{name} must be a list of texts")
    return [stripped for tag in value if (stripped := _storable(name, tag).strip())]


def _custom(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadLead(reason=f"{CUSTOM} must be an object of names and values")
    texts = {
        _storable(f"{CUSTOM} {name}", name): _text(f"{CUSTOM} {name}", each)
        for name, each in value.items()
    }
    return {name: stripped for name, text in texts.items() if (stripped := text.strip())}
