"""The fields of records, the header names that other systems export, and the conversion of a
field's text into the stored value."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import cache

from worker.domain.records.record_type import RecordType
from worker.domain.records.types import DESCRIPTIONS

RECORD_TYPES = tuple(RecordType)

LONGEST_INDEXED_CHARACTERS = 320
"""An email address: 64 characters, an @ and 255 more (RFC 3696, errata). Longer ones would not fit
an index."""

TAGS = "tags"

_ALIASES: dict[str, tuple[str, ...]] = {
    "first_name": ("given name", "forename", "firstname"),
    "last_name": ("surname", "family name", "lastname"),
    "organization_name": (
        "organization",
        "organisation",
        "organisation name",
        "company",
        "company name",
        "account",
        "account name",
    ),
    "title": ("job title", "position"),
    "email": (
        "email 1",
        "e mail",
        "email address",
        "e mail address",
        "e mail 1",
        "primary email",
        "work email",
    ),
    "phone": ("phone 1", "phone number", "telephone", "work phone", "primary phone"),
    "mobile": ("mobile phone", "cell", "cell phone", "mobile number"),
    "fax": ("fax number",),
    "website": ("web site", "url", "web", "homepage", "company website"),
    "industry": ("sector",),
    "description": ("notes", "note", "comments", "comment"),
    "linkedin": ("linkedin url", "linkedin profile"),
    "twitter": ("twitter handle",),
    "address_line1": ("address", "street", "street address", "address 1", "line1"),
    "address_city": ("city", "town"),
    "address_state": ("state", "region", "province", "county"),
    "address_postal_code": ("postal code", "zip", "zip code", "postcode"),
    "address_country": ("country",),
    "source": ("lead source", "source name"),
    "status": ("lead status",),
    "name": ("deal name", "deal", "opportunity", "opportunity name"),
    "value": ("amount", "deal value", "deal amount"),
    "stage": ("deal stage", "stage name"),
    "estimated_close_date": ("close date", "expected close date", "estimated close"),
    TAGS: ("tag", "labels", "label"),
}


_AMOUNT = re.compile(r"(-?)[$€£]?\s?([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(\.[0-9]+)?(?:\s?[$€£])?")
"""A comma may only separate thousands. One that could be a decimal point is refused."""

_MOST_DIGITS = 15


def _convert_amount(text: str) -> str:
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is not an amount such as 1250.00")
    sign, whole, cents = found[1], found[2].replace(",", "").lstrip("0"), found[3] or ""
    if len(whole) > _MOST_DIGITS:
        raise ValueError(f"is larger than {_MOST_DIGITS} digits can tell")
    return f"{Decimal(f'{sign}{whole or 0}{cents[:20]}'):.2f}"


def _convert_day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not a date such as 2026-03-31") from None


def _check_length(text: str) -> str:
    if len(text) > LONGEST_INDEXED_CHARACTERS:
        raise ValueError(f"is longer than {LONGEST_INDEXED_CHARACTERS} characters")
    return text


CONVERSIONS: dict[str, Callable[[str], str]] = {
    "value": _convert_amount,
    "estimated_close_date": _convert_day,
    "email": _check_length,
}
"""The functions that convert a field's text into the stored value. Each raises ValueError with the
reason why it can't."""


def list_field_names(record_type: RecordType) -> tuple[str, ...]:
    """Every field that a column of a file can fill."""
    description = DESCRIPTIONS[record_type]
    return (*description.text_fields, *description.typed_fields, TAGS)


def normalize_header(header: str) -> str:
    """A header in the form of the aliases: lower case, with one space between words."""
    return " ".join(re.findall(r"[^\W_]+", header.lower()))


def find_field(record_type: RecordType, header: str) -> str | None:
    """The field that a header means, by its name or a common alias. None for a header that becomes
    a custom field."""
    return _map_names(record_type).get(normalize_header(header))


@cache
def _map_names(record_type: RecordType) -> dict[str, str]:
    """The field that each name and each alias means. If two fields share one, the first has it."""
    field_by_name: dict[str, str] = {}
    for field in list_field_names(record_type):
        for name in (normalize_header(field), *_ALIASES.get(field, ())):
            field_by_name.setdefault(name, field)
    return field_by_name
