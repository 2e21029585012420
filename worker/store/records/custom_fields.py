"""Conditions on custom fields. A field holds a text, a number, a boolean, or a list of texts. A
list matches if any of its texts does. Files bring only texts.

Names and values are bound, never put into a path.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import (
    ColumnElement,
    Double,
    Text,
    and_,
    case,
    cast,
    column,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB

from worker.domain.filters import Condition, Operator, Range, read_number
from worker.store.sql.collation import position

_BOOLEANS = {"true": True, "false": False}

_DECIMAL = "^-?(0|[1-9][0-9]*)([.][0-9]+)?$"
_STARTS_WITH_DAY, _DAY_CHARACTERS = "^[0-9]{4}-[0-9]{2}-[0-9]{2}", 10
_STARTS_WITH_DAY_ON_SQLITE = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*"
_LONGEST_NUMBER_CHARACTERS = 16

Holds = ColumnElement[bool]
FieldColumn = ColumnElement[Any]
"""The column of the custom fields: JSON, which has a type of its own on either database."""

Sought = TypeVar("Sought")


class FieldValue(NamedTuple):
    """One value of a field, as expressions: its type, and the value as a text, as a number and as a
    day. Each of these is null where the value is no such thing."""

    is_text: Holds
    is_number: Holds
    is_boolean: Holds
    text: ColumnElement[str]
    number: ColumnElement[float]
    day: ColumnElement[str]

    def contains(self, part: str, *, on_postgresql: bool) -> Holds:
        return self.is_text & (position(self.text, part, on_postgresql=on_postgresql) > 0)

    def starts_with(self, start: str, *, on_postgresql: bool) -> Holds:
        return self.is_text & (position(self.text, start, on_postgresql=on_postgresql) == 1)

    def is_something(self) -> Holds:
        return or_(self.is_number, self.is_boolean, self.is_text & (self.text != ""))

    def is_one_of(self, values: Sequence[object]) -> Holds:
        """A text equals that text, and the number or boolean that is written so. A number equals
        that number, and each text that is that number."""
        texts = [value for value in values if isinstance(value, str)]
        booleans = [str(value).lower() for value in values if isinstance(value, bool)]
        numbers = [
            float(value)
            for value in values
            if isinstance(value, int | float) and not isinstance(value, bool)
        ]
        written = [number for number in map(read_number, texts) if number is not None]
        truths = [*booleans, *(text for text in texts if text in _BOOLEANS)]
        return or_(
            false(),
            *_if_any([*texts, *booleans], lambda found: self.is_text & self.text.in_(found)),
            *_if_any(truths, lambda found: self.is_boolean & self.text.in_(found)),
            *_if_any(written, lambda found: self.is_number & self.number.in_(found)),
            *_if_any(numbers, self.number.in_),
        )

    def is_within(self, bounds: Range) -> Holds:
        """Bounds are all days, or all numbers."""
        in_days = any(isinstance(bound, str) for bound in bounds.given.values())
        value: ColumnElement[Any] = self.day if in_days else self.number
        compare = {
            "gt": value.__gt__,
            "gte": value.__ge__,
            "lt": value.__lt__,
            "lte": value.__le__,
        }
        return and_(
            true(),
            *(
                compare[name](bound if in_days else float(bound))
                for name, bound in bounds.given.items()
            ),
        )


def _if_any(values: Sequence[Sought], compare: Callable[[Sequence[Sought]], Holds]) -> list[Holds]:
    return [compare(values)] if values else []


def field_matches(
    fields: FieldColumn, name: str, condition: Condition, *, on_postgresql: bool
) -> Holds:
    """Whether a custom field satisfies a condition whose operator isn't a negative one. It is true
    or false, never unknown."""
    operator, wanted = condition.operator, condition.value

    def matches(value: FieldValue) -> Holds:
        match operator:
            case Operator.CONTAINS:
                return value.contains(wanted, on_postgresql=on_postgresql)
            case Operator.STARTS_WITH:
                return value.starts_with(wanted, on_postgresql=on_postgresql)
            case Operator.RANGE:
                return value.is_within(wanted)
            case Operator.IS_NULL:
                return value.is_something()
        return value.is_one_of(wanted if operator is Operator.ANY else (wanted,))

    found = (_exists_on_postgresql if on_postgresql else _exists_on_sqlite)(fields, name, matches)
    return ~found if operator is Operator.IS_NULL else found


# --- where it is found ---

Matches = Callable[[FieldValue], Holds]


def _exists_on_postgresql(fields: FieldColumn, name: str, matches: Matches) -> Holds:
    value = func.jsonb_extract_path(fields, name, type_=JSONB)
    is_list = func.jsonb_typeof(value) == "array"
    several = case((is_list, value), else_=func.jsonb_build_array(value))
    each = func.jsonb_array_elements(several).table_valued(column("value", JSONB()), name="said")
    kind = func.jsonb_typeof(each.c.value)
    text = each.c.value.op("#>>", return_type=Text())(literal_column("'{}'"))
    is_text, is_number = kind == "string", kind == "number"
    is_short = func.char_length(text) <= _LONGEST_NUMBER_CHARACTERS
    is_written_number = and_(is_text, is_short, text.op("~")(_DECIMAL))
    number = case((or_(is_number, is_written_number), cast(text, Double)))
    first_characters = func.left(text, _DAY_CHARACTERS, type_=Text()).collate("C")
    day = case((and_(is_text, text.op("~")(_STARTS_WITH_DAY)), first_characters))
    found = FieldValue(is_text, is_number, kind == "boolean", text, number, day)
    return exists(select(1).select_from(each).where(matches(found)))


def _exists_on_sqlite(fields: FieldColumn, name: str, matches: Matches) -> Holds:
    """Joins each field with its list; a field that is no list is joined with a list of one
    placeholder, and its own value counts."""
    columns: tuple[ColumnElement[Any], ...] = column("key"), column("value"), column("type")
    field = func.json_each(fields).table_valued(*columns, name="field")
    is_list = field.c.type == "array"
    inner = case((is_list, field.c.value), else_="[0]")
    each = func.json_each(inner).table_valued(*columns, name="said")
    kind = case((is_list, each.c.type), else_=field.c.type)
    value = case((is_list, each.c.value), else_=field.c.value)
    is_text, is_boolean = kind == "text", kind.in_(("true", "false"))
    is_number = kind.in_(("integer", "real"))
    text = case((is_boolean, kind), else_=cast(value, Text))
    is_short = func.length(text) <= _LONGEST_NUMBER_CHARACTERS
    is_plain = text.op("NOT GLOB")("*[^0-9.-]*")
    is_written_number = and_(is_text, is_short, is_plain, func.json_valid(text) == 1)
    number = case((or_(is_number, is_written_number), cast(value, Double)))
    first_characters = func.substr(text, 1, _DAY_CHARACTERS, type_=Text())
    day = case((and_(is_text, text.op("GLOB")(_STARTS_WITH_DAY_ON_SQLITE)), first_characters))
    found = FieldValue(is_text, is_number, is_boolean, text, number, day)
    both = select(1).select_from(field.join(each, true()))
    return exists(both.where(field.c.key == name, matches(found)))
