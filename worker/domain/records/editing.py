"""What a request says of a resource, made ready to be stored, or refused field by field."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from worker.domain.integers import GREATEST
from worker.domain.records.fields import CONVERSIONS
from worker.domain.resources import Attribute, Kind, Resource
from worker.domain.texts import is_storable
from worker.errors.records import Fault, IncorrectPayload

BLANK, MISSING, INCORRECT = "blank", "missing", "incorrect_value"


Values = dict[str, Any]


def at(name: str) -> str:
    """Where an attribute stands in a request's body (RFC 6901)."""
    return f"/data/{name}"


def normalized(resource: Resource, given: Mapping[str, Any]) -> Values:
    """The attributes that a request may set, in the form in which they are compared and stored.
    What it may not set is left out: clients send back whole what they got. Raises IncorrectPayload,
    which names every field at fault."""
    values, faults = Values(), list[Fault]()
    for attribute in resource.writable:
        if attribute.name in given:
            try:
                values[attribute.name] = _normal(attribute, given[attribute.name])
            except ValueError as error:
                faults.append(Fault(at(attribute.name), INCORRECT, str(error)))
    if faults:
        raise IncorrectPayload.of(resource.type, faults)
    return values


def changed(resource: Resource, values: Values, facts: Mapping[str, Any]) -> Values:
    """The values that say something else than what is shown. What clients send back as they got it
    must change nothing, also where it is shown otherwise than it is stored: a default for what is
    not known, a moment without its fraction."""
    return {
        name: value
        for name, value in values.items()
        if not _says(resource.by_name[name], facts[name], value)
    }


def _says(attribute: Attribute, shown: Any, value: Any) -> bool:
    try:
        return not differ(_normal(attribute, shown), value)
    except ValueError:  # a file may say what no request may
        return False


def differ(one: Any, other: Any) -> bool:
    """Whether two values are not the same. Of custom fields 1, 1.0 and true are three, which Python
    holds for equal."""
    if isinstance(one, dict) and isinstance(other, dict):
        return repr(sorted(one.items())) != repr(sorted(other.items()))
    return bool(one != other)


def _normal(attribute: Attribute, value: Any) -> Any:
    if attribute.kind is Kind.TEXT:
        return _text(attribute, value)
    return _NORMAL[attribute.kind](value) if attribute.kind in _NORMAL else value


def _text(attribute: Attribute, value: str | None) -> str | None:
    """Stripped; blank is nothing."""
    text = _storable(value or "").strip()
    if attribute.name == "email":
        text = CONVERSIONS["email"](text)
    if text and attribute.choices and text not in attribute.choices:
        raise ValueError(f"must be one of {', '.join(attribute.choices)}")
    return text or None


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("holds a character that no database stores")
    return text


def _amount(value: Any) -> float:
    """A deal is worth something or 0, never nothing. A float is written out: as it comes, a tiny
    one has an exponent."""
    text = f"{value:f}" if isinstance(value, float) else str(value or "").strip()
    return float(CONVERSIONS["value"](text)) if text else 0.0


def _day(value: str | None) -> date | None:
    return (
        date.fromisoformat(CONVERSIONS["estimated_close_date"](value.strip()))
        if value and value.strip()
        else None
    )


def _moment(value: str | None) -> datetime | None:
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is not a point in time such as 2026-03-31T12:00:00Z") from None


def _names(value: list[str] | None) -> list[str]:
    return list(dict.fromkeys(name for each in value or () if (name := _storable(each).strip())))


def _address(value: Mapping[str, str | None] | None) -> dict[str, str | None]:
    return {part: _storable(text or "").strip() or None for part, text in (value or {}).items()}


def _fields(value: Mapping[str, Any] | None) -> dict[str, Any]:
    """By name; None for what is to be removed."""
    return {
        _storable(name): _field(name, each) for name, each in (value or {}).items() if name.strip()
    }


def _field(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return _storable(value).strip() or None
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return [_storable(each) for each in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and math.isfinite(value) and abs(value) <= GREATEST:
        return value
    raise ValueError(f"has a value for {name} that is no text, number, boolean or list of texts")


_NORMAL: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.AMOUNT: _amount,
    Kind.DAY: _day,
    Kind.MOMENT: _moment,
    Kind.NAMES: _names,
    Kind.ADDRESS: _address,
    Kind.FIELDS: _fields,
}


def check_needed(
    resource: Resource, given: Mapping[str, Any], alternatives: tuple[str, ...]
) -> None:
    """Raises IncorrectPayload unless one of those attributes says something: blank if the request
    says so, missing if it says nothing."""
    if not any(given.get(name) for name in alternatives):
        code = BLANK if any(name in given for name in alternatives) else MISSING
        what = " or ".join(name.replace("_", " ") for name in alternatives)
        raise IncorrectPayload.of(
            resource.type,
            [Fault(at(alternatives[0]), code, f"is needed: a {resource.type} needs a {what}")],
        )
