"""Filters find the same on SQLite, on PostgreSQL, and in a plain reading of what they say."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, insert
from sqlalchemy.dialects import postgresql, sqlite

from worker.domain.filters import as_json, parse
from worker.domain.records.record_type import RecordType
from worker.domain.records.types import DESCRIPTIONS
from worker.domain.runs.runs import RunKind, RunState
from worker.errors.base import EvenhandError
from worker.errors.lists import UnknownCustomField, WrongRunType
from worker.errors.runs import UnknownRun
from worker.errors.turns import UnknownOwner, UnknownPool
from worker.store.lists import smart_lists
from worker.store.people import users
from worker.store.records import labels
from worker.store.runs import kinds, runs
from worker.store.sql.engine import open_engine, reading, writing
from worker.store.tables import RECORDS as TABLES
from worker.store.turns import pools
from worker.store.views import catalog

Record = dict[str, Any]

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)

TEXTS = (
    None, "", "Oslo", "oslo", "OSLO", "Os", "Os%", "O_lo", "%", "_", "\\", "O\\slo", "it's",
    '"quoted"', "a\nb", "été", "ÉTÉ", "ß", "İ",
    "😀", "'; DROP TABLE leads; --", "$.x", "]", "12", "true", "NULL", "New", " Oslo", "2026-03-01",
)  # fmt: skip
FIELD_VALUES: tuple[Any, ...] = (
    "Oslo", "OSLO city", "12", "12.0", "012", "-3.5", "1e3", "1.", ".5", "-", "--1", "1-2", "0.1",
    "12345678901234567", "1234567890123456",
    12, 12.0, -3.5, 0, 0.1, 2**53 + 1, 2**62, True, False, "true", "false", "", "2026-03-01",
    "2026-03-01T10:00:00Z", "2026-13-45",
    "2026-3-1", [], [""], ["Oslo", "12"], ["a%", "_"], ["2026-04-01", "7"], None, {"a": 1},
    [1, True, None], "é", "É", "日本",
)  # fmt: skip
NAMES = (
    "Region",
    "a.b",
    "$.x",
    '"',
    "]",
    "it's",
    "'; DROP TABLE leads; --",
    "a[0]",
    "city",
    "100%",
    "x\\y",
)
TAGS = ("fair", "Fair", "%", "it's", '"', "a,b", "[]", "été")

MOMENTS = tuple(
    NOW + timedelta(days=days, microseconds=less)
    for days in (-400, -31, -30, -7, -1, 0, 1, 90)
    for less in (-1, 0, 1)
)
DAYS = tuple(NOW.date() + timedelta(days=days) for days in (-400, -30, -8, -7, -6, -1, 0, 1, 40))

PEOPLE = ("ann@example.com", "bob@example.com", "gone@example.com")


@pytest.fixture
def engines(sqlite_url: str, postgresql_url: str) -> Iterator[tuple[Engine, Engine]]:
    opened = open_engine(sqlite_url), open_engine(postgresql_url)
    yield opened
    for engine in opened:
        engine.dispose()


@pytest.fixture(autouse=True)
def _it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays the same moment for all three readings."""
    monkeypatch.setattr("worker.store.lists.filters.now", lambda: NOW)


# --- the records ---


def records(record_type: RecordType) -> list[Record]:
    """So many that each odd value stands beside each kind of other."""
    size = 180
    rows = [
        {
            "id": 1 + number,
            "owner_id": 1 + number % 5,
            "pool_id": (None, 4, 4, 5, 6)[number % 5],
            "turn": number or None,
            "creator_id": (None, 1, 2)[number % 3],
            "source": TEXTS[(3 * number + 1) % len(TEXTS)],
            "tags": [tag for at, tag in enumerate(TAGS) if (number * 7919 >> at) & 1 and number % 4]
            * (1 + (number % 3 == 0)),
            "custom_fields": {
                name: FIELD_VALUES[(number * 5 + at * 11) % len(FIELD_VALUES)]
                for at, name in enumerate(NAMES)
                if (number + at) % 5
            },
            "created_at": MOMENTS[number % len(MOMENTS)],
            "updated_at": MOMENTS[(number * 5 + 3) % len(MOMENTS)],
            "deleted_at": NOW if number % 17 == 16 else None,
        }
        for number in range(size)
    ]
    return [row | _own(record_type, number) for number, row in enumerate(rows)]


def _own(record_type: RecordType, number: int) -> Record:
    text = [TEXTS[(number * step + step) % len(TEXTS)] for step in (1, 5, 7, 11)]
    if record_type == "deal":
        return {
            "name": text[0],
            "stage": (None, "Quote", "quote", "Won", "strange")[number % 5],
            "value": (None, 0, 12, 99.5, 1250.25, -3)[number % 6],
            "hot": number % 3 == 0,
            "estimated_close_date": (None, *DAYS)[number % (1 + len(DAYS))],
            "customized_win_likelihood": (None, 0, 50, 100)[number % 4],
        }
    own = dict(zip(("last_name", "email", "address_city", "status"), text, strict=True))
    if record_type == "lead":
        return own | {"unqualified_reason_id": (None, 2**62)[number % 2]}
    shipping = (None, {"city": text[1], "country": None}, {})[number % 3]
    own.pop("status")
    return own | {
        "first_name": text[3],
        "organization_name": text[2],
        "shipping_address": shipping,
        "customer_status": (None, "past")[number % 2],
    }


def fill(engine: Engine) -> None:
    """Three people, three pools of which one is deleted, an import of each type, and odd records of
    all types."""
    with writing(engine) as session:
        for address in PEOPLE:
            users.add(session, address.partition("@")[0], address)
        users.change(session, 3, is_active=False)
        for name in ("Inbound", "ann@example.org", "Old"):
            pools.add(session, users.add(session, name, None, is_pool=True), "lead", "epoch")
        pools.mark_deleted(session, 6, NOW)
        users.change(session, 6, is_active=False)
        for number, record_type in enumerate(RecordType, 1):
            run_id = runs.add(session, RunKind.IMPORT, record_type, 1, None)
            kinds.add_import(
                session,
                run_id,
                folder="",
                file_name="",
                size_bytes=1,
                mapping={},
                first_record_id=20 * number,
            )
            runs.end(session, run_id, RunState.DONE, rows=50, records=45, errors=5)
            unscanned = runs.add(session, RunKind.IMPORT, record_type, 1, None)
            kinds.add_import(session, unscanned, folder="", file_name="", size_bytes=1, mapping={})
            labels.register(session, record_type, {labels.CUSTOM_FIELD: NAMES})
            session.execute(insert(TABLES[record_type]), records(record_type))


RUNS = {"lead": (1, 2), "contact": (3, 4), "deal": (5, 6)}
OWNERS = {
    "ann@example.com": 1,
    "BOB@example.com": 2,
    "gone@example.com": 3,
    "inbound": 4,
    "ann@example.org": 5,
    "Old": 6,
}

# --- what filters say, read in Python ---


def passes(record_type: RecordType, record: Record, asked: dict[str, Any]) -> bool:
    """Whether a record passes a filter in the vendor's form."""
    match asked:
        case {"and": several}:
            return all(passes(record_type, record, each) for each in several)
        case {"or": several}:
            return any(passes(record_type, record, each) for each in several)
        case {"not": one}:
            return not passes(record_type, record, one)
        case {"attribute": {"name": name}, "parameter": parameter}:
            return all(
                says(record_type, record, name, operator, value)
                for operator, value in parameter.items()
            )
    assert asked == {}
    return True


def says(record_type: RecordType, record: Record, name: str, operator: str, value: Any) -> bool:
    if operator == "not_eq":
        return not says(record_type, record, name, "eq", value)
    if operator == "none":
        return not says(record_type, record, name, "any", value)
    if operator == "is_null" and value is False:
        return not says(record_type, record, name, "is_null", True)
    if operator in ("gt", "gte", "lt", "lte"):
        return says(record_type, record, name, "range", {operator: value})
    if name.startswith("custom_fields."):
        return field_says(
            record["custom_fields"].get(name.removeprefix("custom_fields.")), operator, value
        )
    if name == "tags":
        return tags_say(record["tags"], operator, value)
    if name in ("owner", "pool"):
        return whose(record, f"{name}_id", operator, value)
    if name == "import_run":
        return any(
            made_by(record_type, record, run) for run in (value if operator == "any" else [value])
        )
    return plainly(held(record_type, record, name), operator, value)


def held(record_type: RecordType, record: Record, name: str) -> Any:
    """What is compared, which isn't always what is stored."""
    if name == "city":
        return record["address_city"]
    if name.startswith("shipping_address["):
        return (record["shipping_address"] or {}).get(name.partition("[")[2].rstrip("]"))
    if name == "status":
        return "New" if record["status"] is None else record["status"]
    if name == "customer_status":
        return record["customer_status"] or "none"
    if name == "is_organization":
        return record["last_name"] is None
    if name == "value":
        return record["value"] or 0
    return record[name]


def plainly(told: Any, operator: str, value: Any) -> bool:
    if operator == "is_null":
        return told in (None, "")
    if told is None:
        return False
    read = {datetime: moment, date: date.fromisoformat}.get(type(told), lambda same: same)
    match operator:
        case "eq":
            return bool(told == read(value))
        case "any":
            return told in [read(each) for each in value]
        case "contains":
            return folded(value) in folded(told)
        case "starts_with":
            return folded(told).startswith(folded(value))
        case "last_days":
            return lately(told, value)
        case "range":
            return within(told, {name: read(bound) for name, bound in value.items()})
    raise AssertionError(operator)


def lately(told: date, days: int) -> bool:
    now = NOW if isinstance(told, datetime) else NOW.date()
    return now - timedelta(days=days) < told <= now


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def within(told: Any, bounds: dict[str, Any]) -> bool:
    compared = {"gt": lambda bound: told > bound, "gte": lambda bound: told >= bound}
    compared |= {"lt": lambda bound: told < bound, "lte": lambda bound: told <= bound}
    return all(compared[name](bound) for name, bound in bounds.items())


def folded(text: str) -> str:
    return re.sub("[A-Z]", lambda letter: letter[0].lower(), text)


def tags_say(tags: list[str], operator: str, value: Any) -> bool:
    match operator:
        case "any":
            return bool(set(tags) & set(value))
        case "all":
            return set(tags) >= set(value)
        case "is_null":
            return not tags
    raise AssertionError(operator)


def whose(record: Record, column: str, operator: str, value: Any) -> bool:
    if operator == "is_null":
        return record[column] is None
    ids = {name.lower(): user_id for name, user_id in OWNERS.items()}
    return record[column] in [
        ids[name.lower()] for name in (value if operator == "any" else [value])
    ]


def made_by(record_type: RecordType, record: Record, run: int) -> bool:
    first = {"lead": 20, "contact": 40, "deal": 60}[record_type]
    return run % 2 == 1 and first <= record["id"] < first + 45


def field_says(value: Any, operator: str, asked: Any) -> bool:
    said = [
        one
        for one in (value if isinstance(value, list) else [value])
        if isinstance(one, str | int | float)
    ]
    if operator == "is_null":
        return all(one == "" for one in said)
    if operator == "any":
        return any(field_says(value, "eq", one) for one in asked)
    return any(one_says(one, operator, asked) for one in said)


def one_says(one: Any, operator: str, asked: Any) -> bool:
    if operator in ("contains", "starts_with"):
        return isinstance(one, str) and plainly(one, operator, asked)
    if operator == "range":
        days = isinstance(next(iter(asked.values())), str)
        told = (
            (
                one[:10]
                if isinstance(one, str) and re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", one)
                else None
            )
            if days
            else number(one)
        )
        return told is not None and within(told, asked)
    if isinstance(asked, bool) or isinstance(one, bool):
        return spelled(one) == spelled(asked)
    if isinstance(asked, str):
        return one == asked if isinstance(one, str) else number(asked) == float(one)
    return number(one) == float(asked)


def spelled(value: Any) -> Any:
    return (
        str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else None
    )


def number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return (
            float(value)
            if len(value) <= 16 and re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?", value, re.ASCII)
            else None
        )
    return float(value)


# --- filters at random ---

WORDS = st.sampled_from([text for text in TEXTS if text]) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1
)
INTEGERS = st.integers(-3, 200) | st.sampled_from((2**62, 2**63 - 1, -(2**63) + 1, 2**40))
AMOUNTS = st.sampled_from((0, 12, 99.5, 1250.25, -3, 0.1, "12", "99.50")) | st.floats(-1e6, 1e6)
MOMENT_TEXTS = st.sampled_from(
    [*(at.isoformat() for at in MOMENTS), "2026-03-15", "2026-02-13T13:00:00+01:00"]
)
DAY_TEXTS = st.sampled_from([day.isoformat() for day in DAYS])
FIELDS = (
    st.sampled_from(
        [
            value
            for value in FIELD_VALUES
            if value not in ("", None) and isinstance(value, str | int | float)
        ]
    )
    | WORDS
)
FIELD_NUMBERS = st.sampled_from((12, -3.5, 0.1, 0, "12", 2**53, 1234567890123456, 1e3))
FIELD_DAYS = st.sampled_from(("2026-03-01", "2026-02-28", "2026-04-01", "2026-12-31"))


def parameters(one: Any, *operators: str, bound: Any = None) -> st.SearchStrategy[dict[str, Any]]:
    """What may be asked of an attribute, by its operators."""
    bounds = bound or one
    several = st.lists(one, min_size=1, max_size=4)
    by_operator = {
        **dict.fromkeys(("eq", "not_eq", "is", "is_not"), one),
        **dict.fromkeys(("any", "all", "none", "in"), several),
        **dict.fromkeys(("contains", "starts_with"), WORDS),
        **dict.fromkeys(("gt", "gte", "lt", "lte", "before", "after"), bounds),
        "between": st.lists(bounds, min_size=2, max_size=2),
        "range": st.dictionaries(st.sampled_from(("gt", "gte", "lt", "lte")), bounds, min_size=1),
        **dict.fromkeys(("is_null", "is_empty"), st.booleans()),
        "last_days": st.sampled_from((1, 7, 8, 30, 31, 36_500)),
    }
    return st.sampled_from(operators).flatmap(
        lambda operator: by_operator[operator].map(lambda value: {operator: value})
    )


SOME, PARTS, EMPTY = (
    ("eq", "not_eq", "any", "is", "is_not", "in"),
    ("contains", "starts_with"),
    ("is_null", "is_empty"),
)
BOUNDS = ("gt", "gte", "lt", "lte", "between", "range")
TIMES = ("before", "after")

TEXT = parameters(WORDS, *SOME, *PARTS, *EMPTY)
INTEGER = parameters(INTEGERS, *SOME, *BOUNDS, *EMPTY)
MOMENT = parameters(MOMENT_TEXTS, *TIMES, *BOUNDS, *EMPTY, "last_days")
BOOLEAN = parameters(st.booleans(), "eq", "not_eq")
NAMED = st.sampled_from(tuple(OWNERS))

COMMON = {
    **dict.fromkeys(("id", "owner_id", "creator_id"), INTEGER),
    "tags": parameters(st.sampled_from(TAGS), "any", "all", "none", "eq", *EMPTY),
    "owner": parameters(NAMED, *SOME),
    "pool": parameters(st.sampled_from(("Inbound", "ann@example.org", "old")), *SOME, *EMPTY),
    **dict.fromkeys(("created_at", "updated_at"), MOMENT),
    **{
        form.format(name): parameters(FIELDS, *SOME, *PARTS, *EMPTY)
        | parameters(FIELD_NUMBERS, *BOUNDS)
        | parameters(FIELD_DAYS, *BOUNDS, *TIMES)
        for form, name in zip(
            ("custom_fields.{}", "custom_fields[{}]") * len(NAMES), NAMES, strict=False
        )
    },
}
CITY = dict.fromkeys(("city", "address[city]", "address.city"), TEXT)
ASKED: dict[str, dict[str, st.SearchStrategy[dict[str, Any]]]] = {
    "lead": {**COMMON, **CITY, **dict.fromkeys(("last_name", "email", "status", "source"), TEXT),
        "unqualified_reason_id": INTEGER},
    "contact": {
        **COMMON, **CITY,
        **dict.fromkeys(("email", "customer_status"), TEXT),
        **dict.fromkeys(("shipping_address[city]", "shipping_address.country"), TEXT),
        "is_organization": BOOLEAN,
    },
    "deal": {
        **COMMON, **dict.fromkeys(("name", "source", "stage"), TEXT), "hot": BOOLEAN,
        "customized_win_likelihood": INTEGER,
        "value": parameters(AMOUNTS, *SOME, *BOUNDS, *EMPTY),
        "estimated_close_date": parameters(DAY_TEXTS, *SOME, *TIMES, *BOUNDS, *EMPTY, "last_days"),
    },
}  # fmt: skip
for _type, _runs in RUNS.items():
    ASKED[_type]["import_run"] = parameters(st.sampled_from(_runs), "eq", "any")


def filters(record_type: RecordType) -> st.SearchStrategy[dict[str, Any]]:
    """Filters in the vendor's form, in the shorthand, and in both at once."""

    def leaf(name: str) -> st.SearchStrategy[dict[str, Any]]:
        asked = ASKED[record_type][name]
        return asked.flatmap(
            lambda parameter: st.sampled_from(
                ({"attribute": {"name": name}, "parameter": parameter}, {name: parameter})
            )
        )

    leaves = st.sampled_from(sorted(ASKED[record_type])).flatmap(leaf)
    return st.recursive(leaves, _groups, max_leaves=5)


def _groups(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    several = st.lists(inner, max_size=3)
    return (
        several.map(lambda each: {"and": each})
        | several.filter(bool).map(lambda each: {"or": each})
        | inner.map(lambda each: {"not": each})
        | inner.map(lambda each: {"filter": each})
    )


EXAMPLES = 120


@pytest.mark.parametrize("record_type", ["lead", "contact", "deal"])
def test_a_filter_finds_the_same_on_both_databases_as_it_says(
    engines: tuple[Engine, Engine], record_type: RecordType
) -> None:
    for engine in engines:
        fill(engine)
    live = [record for record in records(record_type) if record["deleted_at"] is None]

    with reading(engines[0]) as on_sqlite, reading(engines[1]) as on_postgresql:

        @settings(max_examples=EXAMPLES)
        @given(filters(record_type))
        def check(asked: dict[str, Any]) -> None:
            found = parse(record_type, asked)
            assert parse(record_type, as_json(found)) == found
            expected = [
                record["id"] for record in live if passes(record_type, record, as_json(found))
            ]
            for session in (on_sqlite, on_postgresql):
                rows = session.execute(
                    smart_lists.select_matching(session, record_type, found, "id:asc")
                ).all()
                assert [row.id for row in rows] == expected, session.get_bind().dialect.name
                assert smart_lists.count(session, record_type, found) == len(expected)

        check()


# --- what custom fields say ---

STORED = {
    "text": "12", "written so": "12.0", "number": 12, "other": 13, "yes": True, "told yes": "true",
    "long": "12345678901234567",
    "octal": "012", "list": ["a", "12"], "day": "2026-03-01T10:00:00Z", "nothing": "", "null": None,
    "none": [], "blank": [""],
}  # fmt: skip


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        ({"eq": "12"}, "text, number, list"),
        ({"eq": 12}, "text, written so, number, list"),
        ({"any": ["13", "x"]}, "other"),
        ({"eq": True}, "yes, told yes"),
        ({"eq": "true"}, "yes, told yes"),
        ({"eq": 1}, ""),
        ({"gte": 12}, "text, written so, number, other, list"),
        ({"between": [12.5, 13]}, "other"),
        ({"after": "2026-02-28"}, "day"),
        ({"between": ["2026-03-01", "2026-03-01"]}, "day"),
        ({"before": "2026-03-01"}, ""),
        ({"contains": "2"}, "text, written so, long, octal, list, day"),
        ({"starts_with": "1"}, "text, written so, long, list"),
        ({"is_null": True}, "nothing, null, none, blank, absent"),
    ],
)
def test_custom_fields_are_texts_numbers_and_more(
    engine: Engine, parameter: dict[str, Any], expected: str
) -> None:
    names = [*STORED, "absent"]
    with writing(engine) as session:
        users.add(session, "Ann", "ann@example.com")
        labels.register(session, RecordType.LEAD, {labels.CUSTOM_FIELD: ["F"]})
        common = {"owner_id": 1, "tags": [], "created_at": NOW, "updated_at": NOW}
        fields = [*({"F": value} for value in STORED.values()), {"G": "12"}]
        session.execute(
            insert(TABLES["lead"]),
            [{"id": at, "custom_fields": each} | common for at, each in enumerate(fields, 1)],
        )

    meant = set(expected.split(", ") if expected else ())
    assert {names[number - 1] for number in found(engine, {"custom_fields.F": parameter})} == meant
    assert {
        names[number - 1] for number in found(engine, {"not": {"custom_fields.F": parameter}})
    } == set(names) - meant


# --- what filters can't do ---

TRICKS = (
    "' OR 1=1 --", "'; DROP TABLE leads; --", '"', "$.x", "]", "\\", "%", "_", "?", ":name",
    "%(name)s", "{}", "*", "[a-z]", "Secret",
)  # fmt: skip


def statement(engine: Engine, record_type: RecordType, asked: dict[str, Any]) -> str:
    """The text of the statement that a filter becomes."""
    dialect: Any = {"sqlite": sqlite, "postgresql": postgresql}[engine.dialect.name].dialect()
    with reading(engine) as session:
        return str(
            smart_lists.select_matching(
                session, record_type, parse(record_type, asked), "id:asc"
            ).compile(dialect=dialect)
        )


def found(
    engine: Engine,
    asked: dict[str, Any],
    record_type: RecordType = RecordType.LEAD,
    order: str = "id:asc",
) -> list[int]:
    with reading(engine) as session:
        return list(
            session.scalars(
                smart_lists.select_matching(session, record_type, parse(record_type, asked), order)
            )
        )


def test_what_looks_like_sql_or_a_pattern_means_only_itself(engine: Engine) -> None:
    with writing(engine) as session:
        users.add(session, "Ann", "ann@example.com")
        labels.register(session, RecordType.LEAD, {labels.CUSTOM_FIELD: TRICKS})
        common = {"owner_id": 1, "created_at": NOW, "updated_at": NOW}
        leads = [
            {"id": at, "email": trick, "tags": [trick], "custom_fields": {trick: trick}}
            for at, trick in enumerate(TRICKS, 1)
        ]
        session.execute(insert(TABLES["lead"]), [lead | common for lead in leads])

    for at, trick in enumerate(TRICKS, 1):
        holding = [
            number for number, other in enumerate(TRICKS, 1) if trick.lower() in other.lower()
        ]
        beginning = [
            number
            for number, other in enumerate(TRICKS, 1)
            if other.lower().startswith(trick.lower())
        ]
        for operator, expected in (("eq", [at]), ("contains", holding), ("starts_with", beginning)):
            assert found(engine, {"email": {operator: trick}}) == expected, (operator, trick)
        assert (
            found(engine, {"tags": trick})
            == found(engine, {f"custom_fields.{trick}": trick})
            == [at]
        ), trick
        assert (
            found(engine, {"email": {"any": [trick, "x"]}})
            == found(engine, {"tags": {"all": [trick]}})
            == [at]
        ), trick
        assert found(engine, {f"custom_fields.{trick}": {"contains": "x" + trick}}) == [], trick


def test_no_value_and_no_name_of_a_custom_field_is_part_of_the_statement(engine: Engine) -> None:
    mark = "Mark'\"%]"
    with writing(engine) as session:
        labels.register(session, RecordType.LEAD, {labels.CUSTOM_FIELD: [mark]})
    asked: list[dict[str, Any]] = [
        {"city": {operator: mark}} for operator in ("eq", "not_eq", "contains", "starts_with")
    ] + [
        {f"custom_fields.{mark}": {operator: mark}} for operator in ("eq", "not_eq", "contains",
            "starts_with")
    ] + [
        {name: {"any": [mark, f"{mark}2"]}} for name in ("city", "tags", f"custom_fields.{mark}")
    ] + [
        {"tags": {"all": [mark]}}, {"tags": {"none": [mark]}},
        {f"custom_fields.{mark}": {"between": [12345678, 87654321]}},
        {"id": 12345678}, {f"custom_fields.{mark}": {"gt": "2031-12-31"}},
        {"updated_at": {"before": "2031-12-31"}},
    ]  # fmt: skip

    for each in asked:
        text = statement(engine, RecordType.LEAD, each)
        assert not [part for part in ("Mark", "12345678", "2031") if part in text], each


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        ({"custom_fields.Nowhere": "x"}, UnknownCustomField),
        # Contacts have this field, and leads don't.
        ({"custom_fields.Region": {"is_null": True}}, UnknownCustomField),
        ({"owner": "nobody@example.com"}, UnknownOwner),
        ({"owner": {"any": ["ann@example.com", "Nobody"]}}, UnknownOwner),
        ({"pool": "Nobody"}, UnknownPool),
        ({"pool": "Twice"}, UnknownPool),
        ({"pool": "ann@example.com"}, UnknownPool),
        ({"import_run": 99}, UnknownRun),
        ({"import_run": 2**63 - 1}, UnknownRun),
        ({"import_run": 1}, WrongRunType),
        ({"not": {"or": [{"city": "Oslo"}, {"pool": "Nobody"}]}}, UnknownPool),
    ],
)
def test_what_a_filter_names_and_is_not_there_is_an_error_and_no_empty_list(
    engine: Engine, asked: dict[str, Any], refusal: type[EvenhandError]
) -> None:
    with writing(engine) as session:
        users.add(session, "Ann", "ann@example.com")
        for _ in range(2):
            gone = users.add(session, "Twice", None, is_pool=True)
            pools.add(session, gone, "lead", "epoch")
            pools.mark_deleted(session, gone, NOW)
            users.change(session, gone, is_active=False)
        labels.register(session, RecordType.CONTACT, {labels.CUSTOM_FIELD: ["Region"]})
        kinds.add_import(
            session,
            runs.add(session, RunKind.IMPORT, "deal", 1, None),
            folder="",
            file_name="",
            size_bytes=1,
            mapping={},
        )

    with pytest.raises(refusal):
        found(engine, asked)


def test_a_filter_with_as_much_in_it_as_may_be_is_no_trouble(engine: Engine) -> None:
    fill(engine)
    values = [f"x{number}" for number in range(1_000)]
    wide: dict[str, Any] = {
        "and": [{"city": {"any": values}}] * 3
        + [{f"custom_fields.{NAMES[0]}": {"any": values}}] * 2
    }
    wide["and"] += [{f"custom_fields.{NAMES[0]}": {"not_eq": "7"}}] * 190
    deep: dict[str, Any] = {"city": "Oslo"}
    for _ in range(19):
        deep = {"not": deep}

    with writing(engine) as session:
        made = [runs.add(session, RunKind.IMPORT, "lead", 1, None) for _ in range(500)]
        for run_id in made:
            kinds.add_import(session, run_id, folder="", file_name="", size_bytes=1, mapping={})
    many_runs = [{"import_run": {"any": made[at : at + 100]}} for at in range(0, 500, 100)]

    assert found(engine, wide) == []
    assert (
        found(
            engine,
            {
                "or": [
                    *many_runs,
                    *[{"id": {"range": dict.fromkeys(("gt", "gte", "lt", "lte"), 5)}}] * 195,
                ]
            },
        )
        == []
    )
    assert (
        found(
            engine, {"and": [{"id": {"range": dict.fromkeys(("gt", "gte", "lt", "lte"), 5)}}] * 200}
        )
        == []
    )
    assert found(engine, {"not": {"and": [{"not": {"id": 5}}] * 200}}) == [5]
    assert len(found(engine, deep)) + len(found(engine, {"city": "Oslo"})) == len(found(engine, {}))


# --- the order ---


@pytest.mark.parametrize("record_type", ["lead", "contact", "deal"])
def test_what_is_not_known_comes_last_whatever_the_direction_and_the_oldest_first(
    engine: Engine, record_type: RecordType
) -> None:
    fill(engine)
    order = {"lead": "source", "contact": "first_name", "deal": "estimated_close_date"}[record_type]
    by_id = {record["id"]: record[order] for record in records(record_type)}

    for direction in ("asc", "desc"):
        numbers = found(engine, {}, record_type, f"{order}:{direction}")
        told = [by_id[number] for number in numbers]
        known = [value for value in told if value is not None]
        assert told == known + [None] * (len(told) - len(known))
        assert (
            known == sorted(known, reverse=direction == "desc") or order != "estimated_close_date"
        )
        for value in set(told):
            alike = [number for number in numbers if by_id[number] == value]
            assert alike == sorted(alike)


def test_every_field_that_a_list_may_be_sorted_by_sorts_it(engine: Engine) -> None:
    fill(engine)
    for resource in DESCRIPTIONS.values():
        record_type = resource.record_type
        for name in (
            *resource.sortable,
            *({"lead": ("source",), "deal": ("source", "stage")}.get(record_type, ())),
        ):
            assert sorted(found(engine, {}, record_type, f"{name}:desc")) == found(
                engine, {}, record_type
            )


def test_the_api_goes_on_showing_what_is_not_known_first_where_it_is_descending(
    engine: Engine,
) -> None:
    fill(engine)
    with reading(engine) as session:
        page = catalog.find_page(
            session,
            DESCRIPTIONS[RecordType.DEAL],
            catalog.ListQuery(order="estimated_close_date:desc", per_page=1),
        )

    assert page.items[0]["estimated_close_date"] is None
