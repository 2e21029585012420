"""The grammar of filters: what is taken, in which form it is kept, and what is refused where."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from worker.domain.filters import (
    EVERYTHING,
    AllOf,
    AnyOf,
    Condition,
    Not,
    Operator,
    Range,
    as_json,
    parse,
    read_order,
)
from worker.domain.filters.filterable import OPERATORS, list_attributes
from worker.domain.records.record_type import RecordType
from worker.errors.records import IncorrectPayload

OSLO = Condition("city", Operator.EQ, "Oslo")
ANN = Condition("email", Operator.EQ, "ann@example.com")


def vendors(name: str, **parameter: Any) -> dict[str, Any]:
    """A condition as the vendor writes it."""
    return {"attribute": {"name": name}, "parameter": parameter}


def refused(asked: Any, record_type: RecordType = RecordType.LEAD) -> tuple[str, str]:
    """Where a filter is at fault, and why."""
    with pytest.raises(IncorrectPayload) as refusal:
        parse(record_type, asked)
    [fault] = refusal.value.faults
    assert str(refusal.value) == f"The list can't be taken: {fault.field} {fault.message}."
    return fault.field, fault.message


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, EVERYTHING),
        ({"and": []}, EVERYTHING),
        ({"city": "Oslo"}, OSLO),
        ({"city": {"eq": "Oslo"}}, OSLO),
        (vendors("city", eq="Oslo"), OSLO),
        ({"filter": vendors("city", eq="Oslo")}, OSLO),
        ({"filter": {"filter": {"city": {"is": "Oslo"}}}}, OSLO),
        ({"and": [{"filter": vendors("city", eq="Oslo")}]}, AllOf((OSLO,))),
        ({"or": [{"city": "Oslo"}, {"email": "ann@example.com"}]}, AnyOf((OSLO, ANN))),
        ({"not": {"city": "Oslo"}}, Not(OSLO)),
        ({"city": "Oslo", "email": "ann@example.com"}, AllOf((OSLO, ANN))),
        ({"city": "Oslo", "not": {"email": "ann@example.com"}}, AllOf((OSLO, Not(ANN)))),
        (
            vendors("city", starts_with="O", contains="l"),
            AllOf(
                (
                    Condition("city", Operator.STARTS_WITH, "O"),
                    Condition("city", Operator.CONTAINS, "l"),
                )
            ),
        ),
        ({"address[city]": "Oslo"}, OSLO),
        ({"address.city": "Oslo"}, OSLO),
        ({"custom_fields[a[0].b]": 1}, Condition("custom_fields.a[0].b", Operator.EQ, 1)),
        ({"custom_fields.]": True}, Condition("custom_fields.]", Operator.EQ, True)),
        ({"tags": "fair"}, Condition("tags", Operator.ANY, ("fair",))),
        (
            {"city": {"in": ["Oslo", "Rome", "Oslo"]}},
            Condition("city", Operator.ANY, ("Oslo", "Rome")),
        ),
        (
            {"custom_fields.a": {"any": [1, True, "1", 1]}},
            Condition("custom_fields.a", Operator.ANY, (1, True, "1")),
        ),
        ({"city": {"is_empty": False}}, Condition("city", Operator.IS_NULL, False)),
        ({"city": {"is_not": "Oslo"}}, Condition("city", Operator.NOT_EQ, "Oslo")),
        ({"id": {"gt": 5}}, Condition("id", Operator.RANGE, Range(gt=5))),
        ({"id": {"between": [1, 5]}}, Condition("id", Operator.RANGE, Range(gte=1, lte=5))),
        (
            {"id": {"range": {"gte": 1, "lt": 5}}},
            Condition("id", Operator.RANGE, Range(gte=1, lt=5)),
        ),
        (
            {"created_at": {"after": "2026-03-31"}},
            Condition("created_at", Operator.RANGE, Range(gt=datetime(2026, 3, 31, tzinfo=UTC))),
        ),
        (
            {"created_at": {"before": "2026-03-31T12:00:00+02:00"}},
            Condition(
                "created_at", Operator.RANGE, Range(lt=datetime(2026, 3, 31, 10, tzinfo=UTC))
            ),
        ),
        (
            {"custom_fields.a": {"gt": "12.50"}},
            Condition("custom_fields.a", Operator.RANGE, Range(gt=12.5)),
        ),
        (
            {"custom_fields.a": {"before": "2026-03-31"}},
            Condition("custom_fields.a", Operator.RANGE, Range(lt="2026-03-31")),
        ),
    ],
)
def test_a_filter_is_what_it_says_in_whichever_form(asked: Any, expected: Any) -> None:
    found = parse(RecordType.LEAD, asked)

    assert found == expected
    assert repr(found) == repr(expected)  # since Python holds 1 and true for equal
    assert parse(RecordType.LEAD, json.loads(json.dumps(as_json(found)))) == found


def test_deals_have_amounts_dates_and_stages() -> None:
    asked = {
        "value": {"gte": "99.50"},
        "estimated_close_date": "2026-03-31",
        "stage": "Won",
        "hot": True,
    }

    assert parse(RecordType.DEAL, asked) == AllOf(
        (
            Condition("value", Operator.RANGE, Range(gte=99.5)),
            Condition("estimated_close_date", Operator.EQ, date(2026, 3, 31)),
            Condition("stage", Operator.EQ, "Won"),
            Condition("hot", Operator.EQ, True),
        )
    )


@pytest.mark.parametrize(
    ("asked", "stored"),
    [
        ({}, {}),
        ({"city": "Oslo"}, vendors("city", eq="Oslo")),
        ({"or": [{"city": "Oslo"}, {}]}, {"or": [vendors("city", eq="Oslo"), {}]}),
        ({"not": {"id": {"between": [1, 5]}}}, {"not": vendors("id", range={"gte": 1, "lte": 5})}),
        (
            {"city": "Oslo", "tags": {"none": ["fair"]}},
            {"and": [vendors("city", eq="Oslo"), vendors("tags", none=["fair"])]},
        ),
        (
            {"created_at": {"gt": "2026-03-31"}},
            vendors("created_at", range={"gt": "2026-03-31T00:00:00Z"}),
        ),
        (
            {"created_at": {"gt": "2026-03-31T00:00:00.5Z"}},
            vendors("created_at", range={"gt": "2026-03-31T00:00:00.500000Z"}),
        ),
        ({"custom_fields[Region]": 12.0}, vendors("custom_fields.Region", eq=12)),
        ({"address.city": {"is_not": "Oslo"}}, vendors("city", not_eq="Oslo")),
    ],
)
def test_a_filter_is_stored_in_the_vendors_form(asked: Any, stored: Any) -> None:
    assert as_json(parse(RecordType.LEAD, asked)) == stored
    assert as_json(parse(RecordType.LEAD, stored)) == stored


@pytest.mark.parametrize("record_type", ["lead", "contact", "deal"])
def test_every_attribute_goes_with_every_operator_of_what_it_holds(record_type: RecordType) -> None:
    sample = {
        "text": "x", "an integer": 1, "an amount": 1, "true or false": True,
        "a point in time": "2026-03-31", "a date": "2026-03-31",
        "tags": "x", "an owner": "x", "a pool": "x", "an import": 1,
    }  # fmt: skip
    for name, attribute in list_attributes(record_type).items():
        one = sample[attribute.value_type]
        values = {"between": [one, one], "range": {"gt": one}, "last_days": 7, "is_null": True}
        for operator in OPERATORS[attribute.value_type]:
            value = [one] if operator in ("any", "all", "none") else values.get(operator, one)
            found = parse(record_type, {name: {operator: value}})
            assert parse(record_type, as_json(found)) == found
    assert {"city", "owner", "pool", "import_run", "tags", "created_at"} <= set(
        list_attributes(record_type)
    ) | {"city"}
    assert ("city" in list_attributes(record_type)) == (record_type != "deal")


@pytest.mark.parametrize(
    ("asked", "where", "why"),
    [
        ([], "", "must be an object"),
        ({"and": {}}, "/and", "must be a list of filters"),
        ({"and": ["x"]}, "/and/0", "must be an object"),
        ({"or": []}, "/or", "at least one"),
        ({"not": [1]}, "/not", "must be an object"),
        (
            {"citty": "x"},
            "/citty",
            "is nothing that a lead can be asked for; it can for source, owner, pool",
        ),
        ({"stage": "Won"}, "/stage", "is nothing that a lead can be asked for"),
        ({"name/of~it": "x"}, "/name~1of~0it", "is nothing"),
        ({"address": "x"}, "/address", "is nothing"),
        ({"custom_fields": "x"}, "/custom_fields", "is nothing"),
        ({"custom_fields.": "x"}, "/custom_fields.", "is nothing"),
        ({"custom_fields[]": "x"}, "/custom_fields[]", "is nothing"),
        ({"and": [vendors("city", eq=5)]}, "/and/0/parameter/eq", "must be text"),
        ({"and": [{}, vendors("citty", eq=5)]}, "/and/1/attribute/name", "is nothing"),
        (
            vendors("city"),
            "/parameter",
            "must say what is asked, with one of eq, not_eq, any, contains, starts_with, is_null",
        ),
        ({"attribute": {"name": "city"}}, "", "must be"),
        ({**vendors("city", eq="x"), "not": {}}, "", "nothing beside"),
        ({"attribute": "city", "parameter": {"eq": "x"}}, "/attribute", 'must be {"name": ...}'),
        (
            {"city": {"gt": "x"}},
            "/city/gt",
            "is no operator for an attribute that holds text; there are eq",
        ),
        ({"city": ""}, "/city/eq", "ask with is_null"),
        ({"city": None}, "/city/eq", "must be text"),
        ({"city": ["a"]}, "/city/eq", "must be text"),
        ({"city": "\ud800"}, "/city/eq", "no database stores"),
        ({"city": {"any": ["a", 1]}}, "/city/any/1", "must be text"),
        ({"city": {"any": "a"}}, "/city/any", "must be a list of 1 to 1,000 values"),
        ({"city": {"is_null": "yes"}}, "/city/is_null", "must be true or false"),
        ({"id": True}, "/id/eq", "must be an integer"),
        ({"id": 1.0}, "/id/eq", "must be an integer"),
        ({"id": 2**63}, "/id/eq", "must be an integer"),
        ({"id": {"between": [1, 2, 3]}}, "/id/between", "two values"),
        ({"id": {"between": [1, "2"]}}, "/id/between/1", "must be an integer"),
        ({"id": {"range": {"above": 1}}}, "/id/range", "must be an object"),
        ({"id": {"range": {"gt": None}}}, "/id/range/gt", "must be an integer"),
        (
            {"created_at": {"after": "2026-02-30"}},
            "/created_at/after",
            "must be a date or a point in time",
        ),
        (
            {"created_at": "2026-02-28"},
            "/created_at/eq",
            "is no operator for an attribute that holds a point in time",
        ),
        ({"created_at": {"last_days": 0}}, "/created_at/last_days", "from 1 to 36,500"),
        ({"custom_fields.a": float("nan")}, "/custom_fields.a/eq", "must be a number"),
        ({"custom_fields.a": float("inf")}, "/custom_fields.a/eq", "must be a number"),
        ({"custom_fields.a": {"gt": "many"}}, "/custom_fields.a/gt", "must be a number or a date"),
        ({"custom_fields.a": {"gt": "2026-02-30"}}, "/custom_fields.a/gt", "must be a date"),
        (
            {"custom_fields.a": {"between": [1, "2026-02-28"]}},
            "/custom_fields.a/between",
            "not both",
        ),
        ({"custom_fields." + "x" * 341: 1}, "/custom_fields." + "x" * 326, "no custom field has"),
        ({"custom_fields.\0": 1}, "/custom_fields.?", "no custom field has"),
        ({"import_run": 0}, "/import_run/eq", "must be the number of an import"),
        (
            {"owner": {"is_null": True}},
            "/owner/is_null",
            "is no operator for an attribute that holds an owner",
        ),
    ],
)
def test_a_fault_is_told_with_its_place_and_what_to_do(asked: Any, where: str, why: str) -> None:
    field, message = refused(asked)

    assert (field, why in message) == (where, True), message


def nested(depth: int, inner: Any) -> Any:
    for _ in range(depth):
        inner = {"not": inner}
    return inner


def test_a_filter_has_its_limits() -> None:
    fits: list[Any] = [
        nested(19, {"city": "Oslo"}),
        nested(18, {"city": "Oslo", "email": "x"}),
        {"and": [{"city": "Oslo"}] * 200},
        {"city": {"any": [f"x{number}" for number in range(1_000)]}},
        {"or": [{"city": {"any": ["x"] * 1_000}}] * 5},
        {"and": [{"owner": {"any": ["x"] * 100}}] * 5},
    ]
    exceeds = [
        (nested(20, {"city": "Oslo"}), "nested too deeply"),
        (nested(19, {"city": "Oslo", "email": "x"}), "nested too deeply"),
        (nested(19, {"city": {"contains": "a", "starts_with": "b"}}), "nested too deeply"),
        ({"and": [{"city": "Oslo"}] * 201}, "one condition too many"),
        ({"and": [{}] * 201}, "one condition too many"),
        ({"city": {"any": ["x"] * 1_001}}, "1 to 1,000 values"),
        ({"or": [{"city": {"any": ["x"] * 1_000}}] * 6}, "one list too many"),
        ({"owner": {"any": ["x"] * 101}}, "1 to 100 values"),
        ({"and": [{"import_run": {"any": [1] * 100}}] * 6}, "one list too many"),
    ]

    for asked in fits:
        assert parse(RecordType.LEAD, as_json(parse(RecordType.LEAD, asked))) == parse(
            RecordType.LEAD, asked
        )
    for asked, why in exceeds:
        assert why in refused(asked)[1]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("id", "id:asc"),
        ("last_name:desc", "last_name:desc"),
        (" source:asc ", "source:asc"),
        ("source_id", "source_id:asc"),
    ],
)
def test_an_order_is_a_field_and_a_direction(given: str, expected: str) -> None:
    assert read_order(RecordType.LEAD, given) == expected


@pytest.mark.parametrize(
    "given",
    ["", ":", "tags", "stage", "id:down", "id:asc:asc", "id,name", "address", "custom_fields.a"],
)
def test_any_other_order_is_refused_with_the_fields_that_there_are(given: str) -> None:
    with pytest.raises(
        IncorrectPayload, match="the fields are id, owner_id, creator_id, created_at"
    ):
        read_order(RecordType.LEAD, given, "/order")
