"""Submissions: whether what somebody has typed into a form answers it, field by field."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from worker.domain.intake.forms import CHECKBOX, EMAIL, NUMBER, SELECT, TEL, TEXTAREA, URL, Field
from worker.domain.people.email import normalize_public_email
from worker.domain.records.editing import BLANK, INCORRECT, MISSING
from worker.domain.records.fields import LONGEST_INDEXED_CHARACTERS, REQUIRED
from worker.domain.texts import is_storable, told
from worker.errors.records import Fault

LONGEST = {EMAIL: LONGEST_INDEXED_CHARACTERS, TEL: LONGEST_INDEXED_CHARACTERS, TEXTAREA: 10_000}
LONGEST_LINE = 1_000

FEWEST_DIGITS = 3
"""Of a phone number; an extension may be all there is."""

YES, UNKNOWN = "yes", "unknown"

_TICKED = {
    "yes": YES,
    "on": YES,
    "true": YES,
    "1": YES,
    "": "",
    "no": "",
    "off": "",
    "false": "",
    "0": "",
}
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")
_TEL = re.compile(r"[+0-9() ./-]+((x|ext\.?|#) ?[0-9]{1,8})?", re.IGNORECASE)


class Reading(NamedTuple):
    """What a submission says, as text by field; and what is wrong with it, where."""

    values: dict[str, str]
    faults: list[Fault]


def at(name: str) -> str:
    """Where a field stands in a submission that is sent as JSON."""
    return f"/fields/{name.replace('~', '~0').replace('/', '~1')}"


def read(fields: Sequence[Field], typed: Mapping[str, Any]) -> Reading:
    """What was typed, field by field. Names that the form doesn't have are none of its business."""
    values, faults = dict[str, str](), list[Fault]()
    for field in fields:
        try:
            values[field.name] = _value(field, typed.get(field.name))
        except ValueError as error:
            faults.append(Fault(at(field.name), INCORRECT, f"{field.label} {error}."))
            continue
        if field.required and not values[field.name]:
            faults.append(_needed(typed, field))
    return Reading(values, faults or _nameless(fields, values, typed))


def unknown(fields: Sequence[Field], names: Iterable[str]) -> list[Fault]:
    """A fault for each name that the form doesn't have: in what a program sends, it is one
    misspelt."""
    known = {field.name for field in fields}
    return [
        Fault(at(told(name)), UNKNOWN, "The form has no such field.")
        for name in names
        if name not in known
    ]


def _needed(typed: Mapping[str, Any], *fields: Field) -> Fault:
    code = BLANK if fields[0].name in typed else MISSING
    if fields[0].type == CHECKBOX:
        return Fault(at(fields[0].name), code, f"“{fields[0].label}” must be ticked.")
    return Fault(
        at(fields[0].name), code, f"{' or '.join(field.label for field in fields)} is needed."
    )


def _nameless(
    fields: Sequence[Field], values: Mapping[str, str], typed: Mapping[str, Any]
) -> list[Fault]:
    """What is wrong with a lead of whom nothing is known by which to call them."""
    naming = [field for field in fields if field.name in REQUIRED["lead"]]
    return [] if any(values[field.name] for field in naming) else [_needed(typed, *naming)]


def _value(field: Field, given: Any) -> str:
    """Raises ValueError, whose words go on behind the label."""
    text = _line(field, _text(given))
    if field.type == CHECKBOX:
        return _ticked(text)
    if len(text) > LONGEST.get(field.type, LONGEST_LINE):
        raise ValueError(f"is longer than {LONGEST.get(field.type, LONGEST_LINE):,} characters")
    if not text:
        return ""
    if field.type == SELECT and text not in field.choices:
        raise ValueError("must be one of the choices")
    return _CHECKS[field.type](text) if field.type in _CHECKS else text


def _text(given: Any) -> str:
    if given is None:
        return ""
    if isinstance(given, bool):
        return str(given).lower()
    if not isinstance(given, str | int | float):
        raise ValueError("must be text, a number, true, false or null")
    text = str(given)
    if not is_storable(text):
        raise ValueError("holds a character that can't be stored")
    return text


def _line(field: Field, text: str) -> str:
    """Without what surrounds it; and in one line, unless there may be several."""
    lines = text.strip().splitlines()
    return "\n".join(lines) if field.type == TEXTAREA else " ".join(lines)


def _ticked(text: str) -> str:
    if text.lower() not in _TICKED:
        raise ValueError("is either ticked or not")
    return _TICKED[text.lower()]


def _email(text: str) -> str:
    try:
        return normalize_public_email(text)
    except ValueError:
        raise ValueError("must be an address such as name@example.com") from None


def _tel(text: str) -> str:
    if not _TEL.fullmatch(text) or sum(map(str.isdigit, text)) < FEWEST_DIGITS:
        raise ValueError("must be a number such as +44 20 7946 0018")
    return text


def _url(text: str) -> str:
    """People leave out the scheme."""
    address = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(address)
        good = (
            parts.scheme.lower() in ("http", "https")
            and "." in (parts.hostname or "")
            and parts.port != 0
        )
    except ValueError:
        good = False
    if not good or re.search(r"\s", address):
        raise ValueError("must be an address such as www.example.com")
    return address


def _number(text: str) -> str:
    if not _NUMBER.fullmatch(text):
        raise ValueError("must be a number such as 12 or 12.5")
    return text


_CHECKS: dict[str, Callable[[str], str]] = {EMAIL: _email, TEL: _tel, URL: _url, NUMBER: _number}
