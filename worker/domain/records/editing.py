"""The values that a request sets, as they are stored, or refused field by field."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from worker.domain.records.fields import CONVERSIONS
from worker.domain.resources import Attribute, AttributeKind, Resource
from worker.domain.resources.faults import INCORRECT, at
from worker.domain.storable import GREATEST, is_storable
from worker.errors.records import Fault, IncorrectPayload

Values = dict[str, Any]
"""The values that a request sets, by attribute, as they are compared and stored."""


def normalize(resource: Resource, given: Mapping[str, Any]) -> Values:
    """The attributes that a request may set, in the form that is compared and stored. Others are
    left out, because clients send back whole records. Raises IncorrectPayload, which names every
    field at fault."""
    values, faults = Values(), list[Fault]()
    for attribute in resource.writable:
        if attribute.name in given:
            try:
                values[attribute.name] = _normalize(attribute, given[attribute.name])
            except ValueError as error:
                faults.append(Fault(at(attribute.name), INCORRECT, str(error)))
    if faults:
        raise IncorrectPayload.of(resource.type, faults)
    return values


def find_changes(resource: Resource, values: Values, shown: Mapping[str, object]) -> Values:
    """The values that differ from the shown ones. A client that sends back an unchanged record
    changes nothing, even where the shown form is not the stored one: a default for a null, a moment
    without its fraction."""
    return {
        name: value
        for name, value in values.items()
        if not _equals_shown(resource.by_name[name], shown[name], value)
    }


def _equals_shown(attribute: Attribute, shown: object, value: object) -> bool:
    try:
        return not is_different(_normalize(attribute, shown), value)
    except ValueError:  # an import may have stored a value that no request may set
        return False


def is_different(one: object, other: object) -> bool:
    """Whether two values are different. In custom fields 1, 1.0 and true are different values,
    although Python takes them for equal."""
    if isinstance(one, dict) and isinstance(other, dict):
        return repr(sorted(one.items())) != repr(sorted(other.items()))
    return bool(one != other)


def _normalize(attribute: Attribute, value: Any) -> object:
    if attribute.kind is AttributeKind.TEXT:
        return _read_text(attribute, value)
    return _NORMALIZE[attribute.kind](value) if attribute.kind in _NORMALIZE else value


def _read_text(attribute: Attribute, value: str | None) -> str | None:
    """The text, stripped; None if it is blank."""
    text = _check_storable(value or "").strip()
    if attribute.name == "email":
        text = CONVERSIONS["email"](text)
    if text and attribute.choices and text not in attribute.choices:
        raise ValueError(f"must be one of {', '.join(attribute.choices)}")
    return text or None


def _check_storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("holds a character that no database stores")
    return text


def _read_amount(value: object) -> float:
    """The value of a deal: 0 unless given. A float is formatted without an exponent."""
    text = f"{value:f}" if isinstance(value, float) else str(value or "").strip()
    return float(CONVERSIONS["value"](text)) if text else 0.0


def _read_day(value: str | None) -> date | None:
    return (
        date.fromisoformat(CONVERSIONS["estimated_close_date"](value.strip()))
        if value and value.strip()
        else None
    )


def _read_moment(value: str | None) -> datetime | None:
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is not a point in time such as 2026-03-31T12:00:00Z") from None


def _read_names(value: list[str] | None) -> list[str]:
    return list(
        dict.fromkeys(name for each in value or () if (name := _check_storable(each).strip()))
    )


def _read_address(value: Mapping[str, str | None] | None) -> dict[str, str | None]:
    return {
        part: _check_storable(text or "").strip() or None for part, text in (value or {}).items()
    }


def _read_fields(value: Mapping[str, object] | None) -> dict[str, object]:
    """The fields by name; None for a field that the request removes."""
    return {
        _check_storable(name): _read_field(name, each)
        for name, each in (value or {}).items()
        if name.strip()
    }


def _read_field(name: str, value: object) -> object:
    if isinstance(value, str):
        return _check_storable(value).strip() or None
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return [_check_storable(each) for each in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and math.isfinite(value) and abs(value) <= GREATEST:
        return value
    raise ValueError(f"has a value for {name} that is no text, number, boolean or list of texts")


_NORMALIZE: Mapping[AttributeKind, Callable[[Any], object]] = {
    AttributeKind.AMOUNT: _read_amount,
    AttributeKind.DAY: _read_day,
    AttributeKind.MOMENT: _read_moment,
    AttributeKind.NAMES: _read_names,
    AttributeKind.ADDRESS: _read_address,
    AttributeKind.FIELDS: _read_fields,
}
