"""What a request says, made ready to be stored, or refused field by field."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from worker.domain.records.editing import find_changes, normalize
from worker.domain.records.types import CONTACT, DEAL, LEAD
from worker.domain.resources import TAG, AttributeKind, Resource
from worker.domain.resources.faults import at, check_needed
from worker.errors.records import Fault, IncorrectPayload


def faults(resource: Resource, **given: Any) -> list[tuple[str, str]]:
    with pytest.raises(IncorrectPayload) as raised:
        normalize(resource, given)
    assert raised.value.facts["resource"] == resource.type
    assert all(
        fault.message and fault.message in str(raised.value) for fault in raised.value.faults
    )
    return [(fault.field, fault.code) for fault in raised.value.faults]


@pytest.mark.parametrize(
    ("resource", "name", "given", "kept"),
    [
        (LEAD, "last_name", "  Lee\n", "Lee"), (LEAD, "last_name", " \t", None),
        (LEAD, "last_name", None, None),
        (LEAD, "email", "x" * 320, "x" * 320), (LEAD, "status", "x" * 5_000, "x" * 5_000),
        (LEAD, "owner_id", 7, 7),
        (LEAD, "source_id", None, None), (CONTACT, "is_organization", False, False),
        (CONTACT, "customer_status", " past ", "past"),
        (CONTACT, "customer_status", "", None), (TAG, "resource_type", "deal", "deal"),
        (DEAL, "value", 7, 7.0), (DEAL, "value", "1,250.5", 1250.5), (DEAL, "value", None, 0.0),
        (DEAL, "value", " ", 0.0),
        (DEAL, "value", 0.1 + 0.2, 0.3), (DEAL, "value", 1e-17, 0.0), (DEAL, "value", -2.5, -2.5),
        (DEAL, "value", 0, 0.0),
        (DEAL, "value", 10**15 - 1, 10.0**15 - 1), (DEAL, "customized_win_likelihood", 50, 50),
        (DEAL, "estimated_close_date", " 2026-03-31 ", date(2026, 3, 31)),
        (DEAL, "estimated_close_date", " ", None),
        (DEAL, "last_stage_change_at", "2026-03-31T12:00:00Z",
            datetime(2026, 3, 31, 12, tzinfo=UTC)),
        (DEAL, "last_stage_change_at", "2026-03-31T12:00:00",
            datetime(2026, 3, 31, 12, tzinfo=UTC)),
        (DEAL, "last_stage_change_at", "2026-03-31T12:00:00.5+02:00",
            datetime(2026, 3, 31, 10, 0, 0, 500_000, tzinfo=UTC)),
        (DEAL, "last_stage_change_at", "", None), (DEAL, "last_stage_change_at", None, None),
        (LEAD, "tags", [" b ", "a", "b", "", "B"], ["b", "a", "B"]), (LEAD, "tags", None, []),
        (LEAD, "tags", ["x" * 400], ["x" * 400]),
        (LEAD, "address", {"city": " Oslo ", "line1": " ", "state": None},
            {"city": "Oslo", "line1": None, "state": None}),
        (LEAD, "address", None, {}), (LEAD, "address", {}, {}), (LEAD, "custom_fields", None, {}),
        (LEAD, "custom_fields", {"a": " x ", "b": " ", "c": None, " ": 1, "": 2},
            {"a": "x", "b": None, "c": None}),
        (LEAD, "custom_fields", {"a": 1, "b": 1.5, "c": True}, {"a": 1, "b": 1.5, "c": True}),
        (LEAD, "custom_fields", {"d": [" x ", ""], "e": []}, {"d": [" x ", ""], "e": []}),
        (LEAD, "custom_fields", {"a": 2**63 - 1, "b": 1 - 2**63, " a ": ""},
            {"a": 2**63 - 1, "b": 1 - 2**63, " a ": None}),
    ],
)  # fmt: skip
def test_each_kind_of_value_has_one_form(
    resource: Resource, name: str, given: Any, kept: Any
) -> None:
    values = normalize(resource, {name: given})

    assert values == {name: kept}
    assert type(values[name]) is type(kept)
    assert normalize(resource, {name: given}) == values


@pytest.mark.parametrize(
    ("resource", "name", "given"),
    [
        (LEAD, "last_name", "a\0b"), (LEAD, "last_name", "\ud800"), (LEAD, "email", "x" * 321),
        (CONTACT, "customer_status", "Past"),
        (TAG, "resource_type", "task"), (DEAL, "value", "much"), (DEAL, "value", 10**15),
        (DEAL, "value", float("nan")),
        (DEAL, "value", float("inf")), (DEAL, "value", 1e300), (DEAL, "value", "1e3"),
        (DEAL, "estimated_close_date", "2026-02-29"),
        (DEAL, "estimated_close_date", "31.3.2026"), (DEAL, "last_stage_change_at", "noon"),
        (DEAL, "last_stage_change_at", " "),
        (DEAL, "last_stage_change_at", "9999-12-31T23:00:00-14:00"), (LEAD, "tags", ["a", "b\0"]),
        (LEAD, "address", {"city": "\0"}),
        (LEAD, "custom_fields", {"a\0": 1}), (LEAD, "custom_fields", {"a": "\udfff"}),
        (LEAD, "custom_fields", {"a": ["\0"]}),
        (LEAD, "custom_fields", {"a": {}}), (LEAD, "custom_fields", {"a": [1]}),
        (LEAD, "custom_fields", {"a": [None]}),
        (LEAD, "custom_fields", {"a": float("nan")}), (LEAD, "custom_fields", {"a": float("-inf")}),
        (LEAD, "custom_fields", {"a": 2**63}), (LEAD, "custom_fields", {"a": 1e19}),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused_with_its_field(
    resource: Resource, name: str, given: Any
) -> None:
    assert faults(resource, **{name: given}) == [(f"/data/{name}", "incorrect_value")]


def test_every_fault_is_told_in_the_order_of_the_attributes() -> None:
    found = faults(
        DEAL, value="much", name="a\0", hot=True, tags=["\0"], estimated_close_date="soon"
    )

    assert found == [
        (at(name), "incorrect_value") for name in ("tags", "name", "value", "estimated_close_date")
    ]


def test_what_is_not_named_or_cannot_be_set_is_left_out() -> None:
    assert normalize(LEAD, {}) == {}
    assert normalize(
        LEAD, {"id": 7, "created_at": "x", "creator_id": 7, "nothing": 1, "title": "Dr"}
    ) == {"title": "Dr"}
    assert normalize(DEAL, {"organization_id": 7, "added_at": 1, "dropbox_email": "x"}) == {}


def test_only_what_says_something_else_than_what_is_shown_is_find_changes() -> None:
    facts = {
        "name": "D", "value": "10.50", "hot": False, "tags": ["a"], "custom_fields": {"n": 1},
        "estimated_close_date": None, "stage_id": 1,
        "last_stage_change_at": "2026-03-31T12:00:00Z",
    }  # fmt: skip

    assert find_changes(DEAL, normalize(DEAL, facts), facts) == {}
    assert find_changes(DEAL, normalize(DEAL, {"value": 10.5, "name": " D "}), facts) == {}
    new = {
        "value": "10.51",
        "tags": ["a", "b"],
        "custom_fields": {"n": None},
        "estimated_close_date": "2026-03-31",
        "stage_id": 2,
    }
    assert find_changes(DEAL, normalize(DEAL, facts | new), facts) == normalize(DEAL, new)
    beyond_what_requests_may_say = facts | {"value": 10**15}
    assert find_changes(DEAL, {"value": 5.0}, beyond_what_requests_may_say) == {"value": 5.0}


def test_what_is_needed_is_missing_or_blank() -> None:
    def fault(given: dict[str, Any], *names: str) -> Fault:
        with pytest.raises(IncorrectPayload) as raised:
            check_needed(LEAD, given, names)
        [found] = raised.value.faults
        return found

    check_needed(
        LEAD, {"last_name": None, "organization_name": "O"}, ("last_name", "organization_name")
    )
    assert fault({}, "last_name", "organization_name")[:2] == ("/data/last_name", "missing")
    assert fault({"organization_name": None}, "last_name", "organization_name")[:2] == (
        "/data/last_name",
        "blank",
    )
    assert fault({"name": ""}, "name")[:2] == ("/data/name", "blank")
    assert (
        fault({}, "last_name", "organization_name").message
        == "is needed: a lead needs a last name or organization name"
    )


def test_every_kind_that_can_be_written_is_normalize() -> None:
    plain = {
        AttributeKind.TEXT,
        AttributeKind.INTEGER,
        AttributeKind.PERCENT,
        AttributeKind.BOOLEAN,
    }
    for resource in (LEAD, CONTACT, DEAL, TAG):
        for attribute in resource.writable:
            if attribute.kind not in plain:
                assert normalize(resource, {attribute.name: None}) == {
                    attribute.name: {
                        AttributeKind.AMOUNT: 0.0,
                        AttributeKind.NAMES: [],
                        AttributeKind.ADDRESS: {},
                        AttributeKind.FIELDS: {},
                    }.get(attribute.kind)
                }
