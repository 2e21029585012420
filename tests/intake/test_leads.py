"""A captured lead as it comes in, and as it is stored."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.intake.leads import parse_lead
from worker.domain.records.fields import LONGEST_INDEXED_CHARACTERS
from worker.domain.records.types import LEAD
from worker.errors.records import BadLead


def stored(**facts: Any) -> dict[str, Any]:
    """What is stored of a lead called Lee, but for what is blank."""
    values = dict(parse_lead({"last_name": "Lee", **facts}))
    assert values.pop("last_name") == "Lee"
    return {name: value for name, value in values.items() if value}


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("email", "email"),
        ("E-Mail", "email"),
        ("email_address", "email"),
        ("Given Name", "first_name"),
        ("company", "organization_name"),
        ("Zip Code", "address_postal_code"),
        ("lead source", "source"),
    ],
)
def test_a_field_goes_by_its_name_or_an_alias_as_in_a_file(name: str, field: str) -> None:
    assert stored(**{name: " x "}) == {field: "x"}


def test_what_is_no_field_is_kept_as_a_custom_field() -> None:
    assert stored(Budget="12", Größe="12 m²") == {
        "custom_fields": {"Budget": "12", "Größe": "12 m²"}
    }


def test_custom_fields_may_be_named_as_such() -> None:
    named = {"Budget": 12, "VIP": True, "blank": " ", "none": None, "Level": " 3 "}

    assert stored(custom_fields=named, Zone="EU") == {
        "custom_fields": {"Zone": "EU", "Budget": "12", "VIP": "true", "Level": "3"}
    }


def test_of_two_names_for_one_field_the_first_is_taken_and_the_other_kept() -> None:
    assert stored(email="a@example.com", mail="x", **{"Work Email": "b@example.com"}) == {
        "email": "a@example.com",
        "custom_fields": {"mail": "x", "Work Email": "b@example.com"},
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "x"),
        (" x ", "x"),
        (7, "7"),
        (-1.5, "-1.5"),
        (10**30, str(10**30)),
        (True, "true"),
        (False, "false"),
        ("\\N", "\\N"),
    ],
)
def test_a_value_is_stored_as_text(value: Any, text: str) -> None:
    assert stored(phone=value, Extra=value) == {"phone": text, "custom_fields": {"Extra": text}}


@pytest.mark.parametrize("nothing", [None, "", "   "])
def test_nothing_is_stored_as_nothing(nothing: Any) -> None:
    assert stored(phone=nothing, Extra=nothing) == {}


@pytest.mark.parametrize(
    "facts",
    [{"tags": None}, {"tags": []}, {"tags": [" "]}, {"custom_fields": None}, {"custom_fields": {}}],
)
def test_no_tags_and_no_custom_fields_are_none(facts: dict[str, Any]) -> None:
    values = dict(parse_lead({"last_name": "Lee", **facts}))

    assert (values["tags"], values["custom_fields"]) == ([], {})


def test_tags_are_stored_once_each_in_their_order() -> None:
    assert stored(tags=["new", " hot ", "new", ""]) == {"tags": ["new", "hot"]}


@pytest.mark.parametrize("name", ["Labels", "Tags", "tags", "label"])
@pytest.mark.parametrize("value", [["hot", "new"], "hot, new", "hot;new"])
def test_tags_go_by_an_alias_and_as_a_text_too(name: str, value: Any) -> None:
    assert stored(**{name: value}) == {"tags": ["hot", "new"]}


def test_every_lead_has_every_column() -> None:
    columns = {*LEAD.text_fields, "tags", "custom_fields"}

    assert (
        parse_lead({"last_name": "Lee"}).keys()
        == parse_lead({"company": "ACME", "x": 1, "tags": ["a"]}).keys()
        == columns
    )


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, ["last_name", "organization name"]),
        ({"last_name": " "}, ["last_name", "organization name"]),
        ({"first_name": "Ann", "email": "ann@example.com"}, ["last_name"]),
        ({"last_name": ["Lee"]}, ["last_name", "must be text"]),
        ({"last_name": {"x": "y"}}, ["last_name", "must be text"]),
        ({"last_name": "Lee", "Budget": [1]}, ["Budget", "must be text"]),
        (
            {"last_name": "Lee", "email": "x" * (LONGEST_INDEXED_CHARACTERS + 1)},
            ["email", str(LONGEST_INDEXED_CHARACTERS)],
        ),
        ({"last_name": "Lee", "tags": 7}, ["tags", "list"]),
        ({"last_name": "Lee", "tags": {"hot": True}}, ["tags", "list"]),
        ({"last_name": "Lee", "tags": ["hot", 1]}, ["tags", "list"]),
        ({"last_name": "Lee", "custom_fields": "x"}, ["custom_fields", "object"]),
        ({"last_name": "Lee", "custom_fields": ["x"]}, ["custom_fields", "object"]),
        (
            {"last_name": "Lee", "custom_fields": {"Budget": {"from": 1}}},
            ["Budget", "must be text"],
        ),
    ],
)
def test_what_is_no_lead_is_refused_by_the_field_at_fault(
    facts: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(BadLead) as refused:
        parse_lead(facts)

    assert all(word in str(refused.value) for word in words), refused.value


@pytest.mark.parametrize("bad", ["\0", "\ud800"], ids=["NUL", "half a character"])
@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda text: {"first_name": f"A{text}"}, "first_name"),
        (lambda text: {"Budget": text}, "Budget"),
        (lambda text: {f"Bud{text}get": "1"}, "Bud"),
        (lambda text: {"tags": [f"hot{text}"]}, "tags"),
        (lambda text: {"custom_fields": {"Budget": text}}, "custom_fields"),
        (lambda text: {"custom_fields": {f"Bud{text}get": "1"}}, "custom_fields"),
    ],
)
def test_text_that_no_database_stores_is_refused_by_its_field(
    bad: str, make: Any, field: str
) -> None:
    with pytest.raises(BadLead) as refused:
        parse_lead({"last_name": "Lee", **make(bad)})

    assert field in str(refused.value)
    str(refused.value).encode()


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(["last_name", "Email", "tags", "Labels", "custom_fields"]) | st.text(),
        json,
        max_size=6,
    )
)
def test_whatever_comes_in_is_stored_as_text_or_refused(facts: dict[str, Any]) -> None:
    try:
        values = parse_lead(facts)
    except BadLead:
        return

    texts = [values[field] for field in LEAD.text_fields]
    assert all(text is None or isinstance(text, str) for text in texts)
    assert "\0" not in repr([text for text in texts if text])
    assert orjson.loads(orjson.dumps(values)) == values
