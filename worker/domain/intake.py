"""A captured lead: what a form, a webhook or a program hands in as one JSON object, made ready to be stored."""

from collections.abc import Mapping
from typing import Any

from worker.domain.fields import TAGS, TEXT_FIELDS
from worker.domain.rows import Columns, RowReader
from worker.errors import BadLead

CUSTOM = "custom_fields"


def lead_values(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What is stored of a lead, by column. Names are fields or their aliases, as in a file; others are kept as custom fields.

    Raises BadLead, which names the field at fault.
    """
    plain = {name: _text(name, value) for name, value in facts.items() if name not in (TAGS, CUSTOM)}
    reader = RowReader("lead", Columns.of("lead", list(plain), {}))
    row = list(plain.values())
    if (fault := reader.fault(row)) is not None:
        raise BadLead(reason=" ".join(filter(None, fault)))
    values: dict[str, Any] = dict.fromkeys(TEXT_FIELDS["lead"]) | dict(zip(reader.fields, reader.values(row), strict=True))
    return values | {TAGS: _tags(facts.get(TAGS)), CUSTOM: values[CUSTOM] | _custom(facts.get(CUSTOM))}


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise BadLead(reason=f"{name} must be text, a number, true, false or null")


def _tags(value: Any) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(tag, str) and "\0" not in tag for tag in value):
        raise BadLead(reason=f"{TAGS} must be a list of texts")
    return list(dict.fromkeys(tag.strip() for tag in value if tag.strip()))


def _custom(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadLead(reason=f"{CUSTOM} must be an object of names and values")
    texts = {name: _text(name, each) for name, each in value.items()}
    if any("\0" in text for pair in texts.items() for text in pair):
        raise BadLead(reason=f"{CUSTOM} hold a NUL character, which no database stores")
    return {name: text for name, text in texts.items() if text.strip()}
