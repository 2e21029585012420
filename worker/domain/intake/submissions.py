"""Submissions: checks, field by field, the values that a visitor has typed into a form."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from worker.domain.intake.forms import CHECKBOX, EMAIL, NUMBER, SELECT, TEL, TEXTAREA, URL, Field
from worker.domain.people.email import normalize_public_email
from worker.domain.records.fields import LONGEST_INDEXED_CHARACTERS
from worker.domain.records.types import LEAD
from worker.domain.resources.faults import BLANK, INCORRECT, MISSING
from worker.domain.storable import is_storable, replace_unstorable
from worker.errors.records import Fault

LONGEST = {EMAIL: LONGEST_INDEXED_CHARACTERS, TEL: LONGEST_INDEXED_CHARACTERS, TEXTAREA: 10_000}
LONGEST_LINE = 1_000

FEWEST_DIGITS = 3
"""How many digits a phone number has. It may be an extension and nothing more."""

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


@dataclass(frozen=True, slots=True)
class SubmittedValues:
    """A submission's values by field, as text, and their faults."""

    values: dict[str, str]
    faults: list[Fault]


def make_pointer(name: str) -> str:
    """Where a field is in a submission that is sent as JSON: a JSON Pointer (RFC 6901)."""
    return f"/fields/{name.replace('~', '~0').replace('/', '~1')}"


def read_submission(fields: Sequence[Field], typed: Mapping[str, object]) -> SubmittedValues:
    """The values that were typed, field by field. It passes over names that the form doesn't
    have."""
    values, faults = dict[str, str](), list[Fault]()
    for field in fields:
        try:
            values[field.name] = _read_value(field, typed.get(field.name))
        except ValueError as error:
            faults.append(Fault(make_pointer(field.name), INCORRECT, f"{field.label} {error}."))
            continue
        if field.required and not values[field.name]:
            faults.append(_report_missing(typed, field))
    return SubmittedValues(values, faults or _check_named(fields, values, typed))


def find_unknown(fields: Sequence[Field], names: Iterable[str]) -> list[Fault]:
    """A fault for each name that the form doesn't have. A program that sends one has misspelt
    it."""
    known = {field.name for field in fields}
    return [
        Fault(make_pointer(replace_unstorable(name)), UNKNOWN, "The form has no such field.")
        for name in names
        if name not in known
    ]


def _report_missing(typed: Mapping[str, object], *fields: Field) -> Fault:
    first = fields[0]
    code = BLANK if first.name in typed else MISSING
    if first.type == CHECKBOX:
        return Fault(make_pointer(first.name), code, f"“{first.label}” must be ticked.")
    labels = " or ".join(field.label for field in fields)
    return Fault(make_pointer(first.name), code, f"{labels} is needed.")


def _check_named(
    fields: Sequence[Field], values: Mapping[str, str], typed: Mapping[str, object]
) -> list[Fault]:
    """A fault for a lead that has neither a last name nor an organization name."""
    naming = [field for field in fields if field.name in LEAD.required]
    if any(values[field.name] for field in naming):
        return []
    return [_report_missing(typed, *naming)]


def _read_value(field: Field, value: object) -> str:
    """The value as text. Raises ValueError, whose message follows the label."""
    text = _strip_line(field, _read_text(value))
    if field.type == CHECKBOX:
        return _read_tick(text)
    longest = LONGEST.get(field.type, LONGEST_LINE)
    if len(text) > longest:
        raise ValueError(f"is longer than {longest:,} characters")
    if not text:
        return ""
    if field.type == SELECT and text not in field.choices:
        raise ValueError("must be one of the choices")
    return _CHECKS[field.type](text) if field.type in _CHECKS else text


def _read_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float):
        raise ValueError("must be text, a number, true, false or null")
    text = str(value)
    if not is_storable(text):
        raise ValueError("holds a character that can't be stored")
    return text


def _strip_line(field: Field, text: str) -> str:
    """The text without spaces around it, in one line unless the field takes several."""
    lines = text.strip().splitlines()
    return "\n".join(lines) if field.type == TEXTAREA else " ".join(lines)


def _read_tick(text: str) -> str:
    if text.lower() not in _TICKED:
        raise ValueError("is either ticked or not")
    return _TICKED[text.lower()]


def _check_email(text: str) -> str:
    try:
        return normalize_public_email(text)
    except ValueError:
        raise ValueError("must be an address such as name@example.com") from None


def _check_phone(text: str) -> str:
    if not _TEL.fullmatch(text) or sum(map(str.isdigit, text)) < FEWEST_DIGITS:
        raise ValueError("must be a number such as +44 20 7946 0018")
    return text


def _check_url(text: str) -> str:
    """The address with a scheme, which people leave out."""
    address = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(address)
        is_web = parts.scheme.lower() in ("http", "https") and "." in (parts.hostname or "")
        is_good = is_web and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or re.search(r"\s", address):
        raise ValueError("must be an address such as www.example.com")
    return address


def _check_number(text: str) -> str:
    if not _NUMBER.fullmatch(text):
        raise ValueError("must be a number such as 12 or 12.5")
    return text


_CHECKS: Mapping[str, Callable[[str], str]] = {
    EMAIL: _check_email,
    TEL: _check_phone,
    URL: _check_url,
    NUMBER: _check_number,
}
