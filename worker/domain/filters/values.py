"""The values of conditions. Each function returns a value that can be compared, or raises
ValueError with the reason why it can't be."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime

from worker.domain.filters.filterable import ValueType
from worker.domain.filters.tree import Scalar
from worker.domain.storable import GREATEST, is_storable

LONGEST_TEXT_CHARACTERS = 1_000

MOST_DAYS = 36_500

MOST_DIGITS_OF_AN_AMOUNT = 15

_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?")
LONGEST_NUMBER_CHARACTERS = 16
"""A longer text may have more digits than can be compared."""

_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


def read_number(text: str) -> float | None:
    """The number that a text is, or None: files bring only texts."""
    return (
        float(text) if len(text) <= LONGEST_NUMBER_CHARACTERS and _DECIMAL.fullmatch(text) else None
    )


def check_text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    if not value:
        raise ValueError("is empty; ask with is_null whether there is no value")
    if len(value) > LONGEST_TEXT_CHARACTERS:
        raise ValueError(f"is longer than {LONGEST_TEXT_CHARACTERS:,} characters")
    if not is_storable(value):
        raise ValueError("holds a character that no database stores")
    return value


def check_boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def check_integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > GREATEST:
        raise ValueError(f"must be an integer from -{GREATEST} to {GREATEST}")
    return value


def check_number(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= GREATEST:
        raise ValueError(f"must be a number from -{GREATEST} to {GREATEST}")
    return int(value) if math.floor(value) == value else value


def check_amount(value: object) -> int | float:
    amount = read_number(value) if isinstance(value, str) else value
    if amount is None or abs(check_number(amount)) >= 10**MOST_DIGITS_OF_AN_AMOUNT:
        raise ValueError("must be an amount such as 1250 or 99.5")
    return check_number(amount)


def check_moment(value: object) -> datetime:
    """A date means its beginning, in UTC."""
    try:
        moment = datetime.fromisoformat(_require_text(value))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            "must be a date or a point in time, such as 2026-03-31 or 2026-03-31T12:00:00Z"
        ) from None


def check_day(value: object) -> date:
    try:
        return date.fromisoformat(_require_text(value))
    except ValueError:
        raise ValueError("must be a date such as 2026-03-31") from None


def _require_text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def check_field(value: object) -> str | bool | int | float:
    """Custom fields hold values of several types."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return check_number(value)
    if isinstance(value, str):
        return check_text(value)
    raise ValueError("must be text, a number, true or false")


def check_field_bound(value: object) -> str | int | float:
    """Custom fields can be sorted as numbers, or as dates."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        return check_day(value).isoformat()
    bound = read_number(value) if isinstance(value, str) else value
    if bound is None:
        raise ValueError("must be a number or a date such as 2026-03-31")
    return check_number(bound)


def check_run(value: object) -> int:
    number = check_integer(value)
    if number < 1:
        raise ValueError("must be the number of an import")
    return number


def check_days(value: object) -> int:
    days = check_integer(value)
    if not 1 <= days <= MOST_DAYS:
        raise ValueError(f"must be a number of days from 1 to {MOST_DAYS:,}")
    return days


ONE: Mapping[ValueType, Callable[[object], Scalar]] = {
    ValueType.TEXT: check_text,
    ValueType.INTEGER: check_integer,
    ValueType.AMOUNT: check_amount,
    ValueType.BOOLEAN: check_boolean,
    ValueType.MOMENT: check_moment,
    ValueType.DAY: check_day,
    ValueType.TAGS: check_text,
    ValueType.FIELD: check_field,
    ValueType.OWNER: check_text,
    ValueType.POOL: check_text,
    ValueType.RUN: check_run,
}
"""The function that reads a condition's value, by the type of the attribute."""

BOUND: Mapping[ValueType, Callable[[object], Scalar]] = {**ONE, ValueType.FIELD: check_field_bound}
