"""The values of conditions: each made ready to be compared, or refused with the reason why it can't
be."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from worker.domain.filters.filterable import ValueType
from worker.domain.integers import GREATEST
from worker.domain.texts import is_storable

LONGEST_TEXT_CHARACTERS = 1_000

MOST_DAYS = 36_500

MOST_DIGITS_OF_AN_AMOUNT = 15

_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?")
LONGEST_NUMBER_CHARACTERS = 16
"""A longer text may have more digits than can be compared."""

_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


def number_told(text: str) -> float | None:
    """The number that a text is, if it is one: files bring nothing but texts."""
    return (
        float(text) if len(text) <= LONGEST_NUMBER_CHARACTERS and _DECIMAL.fullmatch(text) else None
    )


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    if not value:
        raise ValueError("is empty; ask with is_null whether there is no value")
    if len(value) > LONGEST_TEXT_CHARACTERS:
        raise ValueError(f"is longer than {LONGEST_TEXT_CHARACTERS:,} characters")
    if not is_storable(value):
        raise ValueError("holds a character that no database stores")
    return value


def boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > GREATEST:
        raise ValueError(f"must be an integer from -{GREATEST} to {GREATEST}")
    return value


def number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= GREATEST:
        raise ValueError(f"must be a number from -{GREATEST} to {GREATEST}")
    return int(value) if math.floor(value) == value else value


def amount(value: Any) -> int | float:
    told = number_told(value) if isinstance(value, str) else value
    if told is None or abs(number(told)) >= 10**MOST_DIGITS_OF_AN_AMOUNT:
        raise ValueError("must be an amount such as 1250 or 99.5")
    return number(told)


def moment(value: Any) -> datetime:
    """A date is its beginning."""
    try:
        told = datetime.fromisoformat(value)
        return (told if told.tzinfo else told.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        raise ValueError(
            "must be a date or a point in time, such as 2026-03-31 or 2026-03-31T12:00:00Z"
        ) from None


def day(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (ValueError, TypeError):
        raise ValueError("must be a date such as 2026-03-31") from None


def field(value: Any) -> str | bool | int | float:
    """A custom field holds anything."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, str):
        return text(value)
    raise ValueError("must be text, a number, true or false")


def field_bound(value: Any) -> str | int | float:
    """Custom fields are in order as numbers, and as dates."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        return day(value).isoformat()
    told = number_told(value) if isinstance(value, str) else value
    if told is None:
        raise ValueError("must be a number or a date such as 2026-03-31")
    return number(told)


def run(value: Any) -> int:
    if integer(value) < 1:
        raise ValueError("must be the number of an import")
    return int(value)


def days(value: Any) -> int:
    if not 1 <= integer(value) <= MOST_DAYS:
        raise ValueError(f"must be a number of days from 1 to {MOST_DAYS:,}")
    return int(value)


ONE: Mapping[ValueType, Callable[[Any], Any]] = {
    ValueType.TEXT: text,
    ValueType.INTEGER: integer,
    ValueType.AMOUNT: amount,
    ValueType.BOOLEAN: boolean,
    ValueType.MOMENT: moment,
    ValueType.DAY: day,
    ValueType.TAGS: text,
    ValueType.FIELD: field,
    ValueType.OWNER: text,
    ValueType.POOL: text,
    ValueType.RUN: run,
}
"""How a value that an attribute is compared with is read, by what the attribute holds."""

BOUND: Mapping[ValueType, Callable[[Any], Any]] = {**ONE, ValueType.FIELD: field_bound}
