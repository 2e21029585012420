"""What custom fields say. A field holds a text, a number, a boolean, or a list of texts, of which
each counts; files bring texts alone.

Names and values are bound, never put into a path.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

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

from worker.domain.filters import Operator, Range, number_told
from worker.store.sql.collation import position

_BOOLEANS = {"true": True, "false": False}

_DECIMAL = "^-?(0|[1-9][0-9]*)([.][0-9]+)?$"
_DAY_BEGINS_IT, _DAY_CHARACTERS = "^[0-9]{4}-[0-9]{2}-[0-9]{2}", 10
_DAY_BEGINS_IT_ON_SQLITE = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*"
_LONGEST_NUMBER = 16


class Said(NamedTuple):
    """One thing that a field says, as expressions: which kind of thing it is, and what it is as a
    text, as a number and as a day, each null where it is no such thing."""

    is_text: ColumnElement[bool]
    is_number: ColumnElement[bool]
    is_boolean: ColumnElement[bool]
    text: ColumnElement[Any]
    number: ColumnElement[Any]
    day: ColumnElement[Any]


def field_says(
    fields: ColumnElement[Any], name: str, operator: Operator, value: Any, *, on_postgresql: bool
) -> ColumnElement[bool]:
    """Whether a custom field says something that an operator other than a negative one wants. This
    is never unknown."""

    def wanted(said: Said) -> ColumnElement[bool]:
        match operator:
            case Operator.CONTAINS:
                return and_(
                    said.is_text, position(said.text, value, on_postgresql=on_postgresql) > 0
                )
            case Operator.STARTS_WITH:
                return and_(
                    said.is_text, position(said.text, value, on_postgresql=on_postgresql) == 1
                )
            case Operator.RANGE:
                return _within(said, value)
            case Operator.IS_NULL:
                return or_(said.is_number, said.is_boolean, and_(said.is_text, said.text != ""))
        return _is_one_of(said, value if operator is Operator.ANY else (value,))

    found = (_exists_on_postgresql if on_postgresql else _exists_on_sqlite)(fields, name, wanted)
    return ~found if operator is Operator.IS_NULL else found


def _is_one_of(said: Said, values: Iterable[Any]) -> ColumnElement[bool]:
    """A text is that text, and the number or boolean that is written so. A number is that number,
    and each text that tells it."""
    values = tuple(values)
    texts = [value for value in values if isinstance(value, str)]
    booleans = [str(value).lower() for value in values if isinstance(value, bool)]
    numbers = [float(value) for value in values if not isinstance(value, str | bool)]
    written = [number for number in map(number_told, texts) if number is not None]
    found: list[ColumnElement[bool]] = []
    if texts or booleans:
        found.append(and_(said.is_text, said.text.in_([*texts, *booleans])))
    if truths := [*booleans, *(text for text in texts if text in _BOOLEANS)]:
        found.append(and_(said.is_boolean, said.text.in_(truths)))
    if written:
        found.append(and_(said.is_number, said.number.in_(written)))
    if numbers:
        found.append(said.number.in_(numbers))
    return or_(false(), *found)


def _within(said: Said, bounds: Range) -> ColumnElement[bool]:
    in_days = any(isinstance(bound, str) for bound in bounds.given.values())
    told = said.day if in_days else said.number
    within = {"gt": told.__gt__, "gte": told.__ge__, "lt": told.__lt__, "lte": told.__le__}
    return and_(
        true(),
        *(within[name](bound if in_days else float(bound)) for name, bound in bounds.given.items()),
    )


# --- where it is found ---

Wanted = Callable[[Said], ColumnElement[bool]]


def _exists_on_postgresql(
    fields: ColumnElement[Any], name: str, wanted: Wanted
) -> ColumnElement[bool]:
    value = func.jsonb_extract_path(fields, name, type_=JSONB)
    several = case(
        (func.jsonb_typeof(value) == "array", value), else_=func.jsonb_build_array(value)
    )
    each = func.jsonb_array_elements(several).table_valued(column("value", JSONB()), name="said")
    kind, text = (
        func.jsonb_typeof(each.c.value),
        each.c.value.op("#>>", return_type=Text())(literal_column("'{}'")),
    )
    is_text, is_number = kind == "string", kind == "number"
    tells_number = and_(func.char_length(text) <= _LONGEST_NUMBER, text.op("~")(_DECIMAL))
    number = case((or_(is_number, and_(is_text, tells_number)), cast(text, Double)))
    day = case(
        (
            and_(is_text, text.op("~")(_DAY_BEGINS_IT)),
            func.left(text, _DAY_CHARACTERS, type_=Text()).collate("C"),
        )
    )
    return exists(
        select(1)
        .select_from(each)
        .where(wanted(Said(is_text, is_number, kind == "boolean", text, number, day)))
    )


def _exists_on_sqlite(fields: ColumnElement[Any], name: str, wanted: Wanted) -> ColumnElement[bool]:
    """A list is looked into; anything else is what it is, beside a list of one that stands in for
    it."""
    columns: tuple[ColumnElement[Any], ...] = column("key"), column("value"), column("type")
    field = func.json_each(fields).table_valued(*columns, name="field")
    inner = case((field.c.type == "array", field.c.value), else_="[0]")
    each = func.json_each(inner).table_valued(*columns, name="said")
    kind = case((field.c.type == "array", each.c.type), else_=field.c.type)
    value = case((field.c.type == "array", each.c.value), else_=field.c.value)
    is_text, is_number, is_boolean = (
        kind == "text",
        kind.in_(("integer", "real")),
        kind.in_(("true", "false")),
    )
    text = case((is_boolean, kind), else_=cast(value, Text))
    plain = text.op("NOT GLOB")("*[^0-9.-]*")
    tells_number = and_(func.length(text) <= _LONGEST_NUMBER, plain, func.json_valid(text) == 1)
    number = case((or_(is_number, and_(is_text, tells_number)), cast(value, Double)))
    day = case(
        (
            and_(is_text, text.op("GLOB")(_DAY_BEGINS_IT_ON_SQLITE)),
            func.substr(text, 1, _DAY_CHARACTERS, type_=Text()),
        )
    )
    said = Said(is_text, is_number, is_boolean, text, number, day)
    return exists(
        select(1).select_from(field.join(each, true())).where(field.c.key == name, wanted(said))
    )
