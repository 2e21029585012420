"""Parses and checks filters. The first fault ends it, and is raised with its place."""

from collections.abc import Callable, Sequence
from typing import NoReturn, TypeVar

from worker.domain.filters import values
from worker.domain.filters.filterable import (
    ALIASES,
    OPERATORS,
    Filterable,
    ValueType,
    filterable,
    list_attributes,
)
from worker.domain.filters.tree import (
    AllOf,
    AnyOf,
    Condition,
    ConditionValue,
    Filter,
    Not,
    Operator,
    Range,
    Scalar,
)
from worker.domain.records.record_type import RecordType
from worker.domain.storable import is_storable, replace_unstorable
from worker.errors.records import Fault, IncorrectPayload

MOST_DEPTH, MOST_CONDITIONS = 20, 200

MOST_VALUES, MOST_VALUES_IN_ALL = 1_000, 5_000
"""In one list of values, and in all lists of a filter."""

MOST_NAMES, MOST_NAMES_IN_ALL = 100, 500
"""Of owners, pools and imports, which are looked up one by one."""

LONGEST_NAME_CHARACTERS = 340

Read = TypeVar("Read")

_LOOKED_UP = (ValueType.OWNER, ValueType.POOL, ValueType.RUN)
_BOUNDS = {"before": "lt", "after": "gt", "gt": "gt", "gte": "gte", "lt": "lt", "lte": "lte"}


def parse(record_type: RecordType, given: object, at: str = "") -> Filter:
    """The filter that JSON describes, for records of that type. Raises IncorrectPayload. The place
    of its fault begins with `at`."""
    return _Parser(record_type).filter(given, at, 1)


class _Parser:
    """Parses one filter, and counts its conditions and values."""

    def __init__(self, record_type: RecordType) -> None:
        self._record_type = record_type
        self._conditions = self._values = self._names = 0

    def filter(self, given: object, where: str, depth: int) -> Filter:
        """A filter of all the names of an object."""
        if not isinstance(given, dict):
            _refuse(where, 'must be an object such as {"city": {"eq": "Oslo"}}', "invalid_type")
        if "attribute" in given or "parameter" in given:
            return self._parse_leaf(given, where, depth)
        deeper = _go_deeper(depth, where) if len(given) > 1 else depth
        return _join_all(
            [
                self._parse_named(name, each, _extend_place(where, name), deeper)
                for name, each in given.items()
            ]
            or [self._make_empty(where)]
        )

    def _make_empty(self, where: str) -> Filter:
        self._count(where)
        return AllOf(())

    def _parse_named(self, name: str, given: object, where: str, depth: int) -> Filter:
        match name:
            case "and" | "or":
                found = self._parse_several(given, where, _go_deeper(depth, where))
                if name == "or" and not found:
                    _refuse(where, "must hold at least one filter")
                return (
                    AnyOf(found)
                    if name == "or"
                    else AllOf(found)
                    if found
                    else self._make_empty(where)
                )
            case "not":
                return Not(self.filter(given, where, _go_deeper(depth, where)))
            case "filter":
                return self.filter(given, where, _go_deeper(depth, where))
        return self._parse_parameter(
            name, given if isinstance(given, dict) else {"eq": given}, where, where, depth
        )

    def _parse_several(self, given: object, where: str, depth: int) -> tuple[Filter, ...]:
        if not isinstance(given, list):
            _refuse(where, "must be a list of filters", "invalid_type")
        return tuple(
            self.filter(each, _extend_place(where, number), depth)
            for number, each in enumerate(given)
        )

    def _parse_leaf(self, given: dict[str, object], where: str, depth: int) -> Filter:
        if set(given) != {"attribute", "parameter"}:
            _refuse(
                where, 'must be {"attribute": {"name": ...}, "parameter": {...}} and nothing beside'
            )
        attribute, parameter = given["attribute"], given["parameter"]
        if (
            not isinstance(attribute, dict)
            or set(attribute) != {"name"}
            or not isinstance(attribute["name"], str)
        ):
            _refuse(f"{where}/attribute", 'must be {"name": ...}', "invalid_type")
        if not isinstance(parameter, dict):
            _refuse(
                f"{where}/parameter", 'must be an object such as {"eq": "Oslo"}', "invalid_type"
            )
        return self._parse_parameter(
            attribute["name"], parameter, f"{where}/attribute/name", f"{where}/parameter", depth
        )

    def _parse_parameter(
        self, name: str, given: dict[str, object], name_at: str, where: str, depth: int
    ) -> Filter:
        """The filter for one attribute. Several operators must all hold."""
        attribute = self._find_attribute(name, name_at)
        if not given:
            _refuse(
                where,
                f"must say what is asked, with one of {', '.join(OPERATORS[attribute.value_type])}",
                "blank",
            )
        if len(given) > 1:
            _go_deeper(depth, where)
        return _join_all(
            [
                self._parse_condition(attribute, operator, value, _extend_place(where, operator))
                for operator, value in given.items()
            ]
        )

    def _find_attribute(self, name: str, where: str) -> Filterable:
        found = filterable(self._record_type, name)
        if found is None:
            known = ", ".join(
                dict.fromkeys(each.name for each in list_attributes(self._record_type).values())
            )
            _refuse(
                where,
                f"is nothing that a {self._record_type} can be asked for;"
                f" it can for {known}, custom_fields.NAME",
                "unknown",
            )
        if len(name) > LONGEST_NAME_CHARACTERS or not is_storable(name):
            _refuse(where, "is a name that no custom field has", "unknown")
        return found

    def _parse_condition(
        self, attribute: Filterable, name: str, given: object, where: str
    ) -> Filter:
        self._count(where)
        operator = str(ALIASES.get(name, name))
        if operator not in OPERATORS[attribute.value_type]:
            known = ", ".join(OPERATORS[attribute.value_type])
            _refuse(
                where,
                f"is no operator for an attribute that holds {attribute.value_type};"
                f" there are {known}",
                "unknown",
            )
        if attribute.value_type is ValueType.TAGS and operator == Operator.EQ:
            operator, given = Operator.ANY, [given]
        meant, value = self._read_value(attribute.value_type, operator, given, where)
        return Condition(attribute.name, meant, value)

    def _read_value(
        self, value_type: ValueType, operator: str, given: object, where: str
    ) -> tuple[Operator, ConditionValue]:
        """The operator to be stored, and its value."""
        if operator in _BOUNDS:
            return Operator.RANGE, Range(
                **{_BOUNDS[operator]: _read(values.BOUND[value_type], given, where)}
            )
        match operator:
            case "between":
                return Operator.RANGE, _read_between(value_type, given, where)
            case Operator.RANGE:
                return Operator.RANGE, _read_range(value_type, given, where)
            case Operator.ANY | Operator.ALL | Operator.NONE:
                return Operator(operator), self._read_list(value_type, given, where)
            case Operator.CONTAINS | Operator.STARTS_WITH:
                return Operator(operator), _read(values.check_text, given, where)
            case Operator.LAST_DAYS:
                return Operator.LAST_DAYS, _read(values.check_days, given, where)
            case Operator.IS_NULL:
                return Operator.IS_NULL, _read(values.check_boolean, given, where)
        return Operator(operator), _read(values.ONE[value_type], given, where)

    def _read_list(self, value_type: ValueType, given: object, where: str) -> tuple[Scalar, ...]:
        named = value_type in _LOOKED_UP
        most = MOST_NAMES if named else MOST_VALUES
        if not isinstance(given, list) or not given or len(given) > most:
            _refuse(where, f"must be a list of 1 to {most:,} values", "invalid_type")
        self._values, self._names = self._values + len(given), self._names + len(given) * named
        if self._values > MOST_VALUES_IN_ALL or self._names > MOST_NAMES_IN_ALL:
            limits = (
                f"{MOST_VALUES_IN_ALL:,} values, and {MOST_NAMES_IN_ALL} owners, pools and imports,"
            )
            _refuse(where, f"is one list too many: a filter has {limits} in its lists at most")
        read = [
            _read(values.ONE[value_type], each, _extend_place(where, number))
            for number, each in enumerate(given)
        ]
        # 1 and true are two values, but Python takes them for equal.
        return tuple({(type(each), each): each for each in read}.values())

    def _count(self, where: str) -> None:
        self._conditions += 1
        if self._conditions > MOST_CONDITIONS:
            _refuse(where, f"is one condition too many: a filter has {MOST_CONDITIONS} at most")


def _join_all(filters: Sequence[Filter]) -> Filter:
    return filters[0] if len(filters) == 1 else AllOf(tuple(filters))


def _go_deeper(depth: int, where: str) -> int:
    if depth >= MOST_DEPTH:
        _refuse(where, f"is nested too deeply: a filter is {MOST_DEPTH} deep at most")
    return depth + 1


def _read_between(value_type: ValueType, given: object, where: str) -> Range:
    if not isinstance(given, list) or len(given) != 2:
        _refuse(where, "must be a list of two values, the least and the greatest", "invalid_type")
    least, greatest = (
        _read(values.BOUND[value_type], each, _extend_place(where, number))
        for number, each in enumerate(given)
    )
    return _check_alike(Range(gte=least, lte=greatest), where)


def _read_range(value_type: ValueType, given: object, where: str) -> Range:
    if not isinstance(given, dict) or not given or set(given) - {"gt", "gte", "lt", "lte"}:
        _refuse(where, 'must be an object such as {"gte": 1, "lt": 5}', "invalid_type")
    return _check_alike(
        Range(
            **{
                name: _read(values.BOUND[value_type], each, _extend_place(where, name))
                for name, each in given.items()
            }
        ),
        where,
    )


def _check_alike(found: Range, where: str) -> Range:
    """Refuses bounds of both kinds: a custom field is compared as numbers, or as dates."""
    if len({isinstance(bound, str) for bound in found.given.values()}) > 1:
        _refuse(where, "must have numbers or dates as its bounds, not both")
    return found


def _read(read: Callable[[object], Read], given: object, where: str) -> Read:
    try:
        return read(given)
    except ValueError as error:
        _refuse(where, str(error))


def _extend_place(where: str, part: str | int) -> str:
    """A place within that place, as a JSON pointer (RFC 6901)."""
    name = replace_unstorable(str(part)[:LONGEST_NAME_CHARACTERS])
    return f"{where}/{name.replace('~', '~0').replace('/', '~1')}"


def _refuse(where: str, message: str, code: str = "incorrect_value") -> NoReturn:
    raise IncorrectPayload.of("list", [Fault(where, code, message)])
