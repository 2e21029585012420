"""Lists of the Sell-compatible API: their pages, their orders, and what is refused."""

from typing import Any

import pytest

from tests.api.asking import create_pool, faults
from tests.sell.asking import created, listed, names, updated, wrong
from worker.domain.records.types import LEAD, RESOURCES
from worker.domain.resources import ACCOUNT, TAG, Attribute, AttributeKind, Resource

# --- pages ---


def test_pages_link_to_each_other_and_the_last_has_no_next(client: Any) -> None:
    for number in range(5):
        created(client, "leads", last_name=f"L{number}", status="A & B")
    address = "http://testserver/v2/leads?status=A+%26+B&per_page=2"

    first, second, last, beyond = (
        client.get(f"{address}&page={number}").json() for number in range(1, 5)
    )

    pages = (first, second, last, beyond)
    assert [[item["data"]["last_name"] for item in page["items"]] for page in pages] == [
        ["L0", "L1"], ["L2", "L3"], ["L4"], [],
    ]  # fmt: skip
    assert [page["meta"]["count"] for page in (first, second, last, beyond)] == [2, 2, 1, 0]
    assert {page["meta"]["type"] for page in (first, second, last, beyond)} == {"collection"}
    assert [item["meta"] for item in first["items"]] == [{"type": "lead"}] * 2
    assert [sorted(page["meta"]["links"]) for page in (first, second, last)] == [
        ["first_page", "next_page", "self"], ["first_page", "next_page", "prev_page", "self"],
        ["first_page", "prev_page", "self"],
    ]  # fmt: skip
    assert second["meta"]["links"]["self"] == f"{address}&page=2"
    assert client.get(first["meta"]["links"]["next_page"]).json() == second | {
        "meta": client.get(f"{address}&page=2").json()["meta"]
    }
    assert client.get(last["meta"]["links"]["prev_page"]).json()["items"] == second["items"]
    assert client.get(last["meta"]["links"]["first_page"]).json()["items"] == first["items"]


def test_a_page_holds_25_unless_asked_otherwise_and_a_hundred_at_most(client: Any) -> None:
    for number in range(102):
        created(client, "lead_sources", name=f"S{number}")

    plain, most = (
        client.get("/v2/lead_sources").json(),
        client.get("/v2/lead_sources?per_page=100").json(),
    )

    assert (plain["meta"]["count"], most["meta"]["count"]) == (25, 100)
    assert "page=2" in plain["meta"]["links"]["next_page"]
    assert len(client.get(most["meta"]["links"]["next_page"]).json()["items"]) == 2
    assert wrong(client.get("/v2/lead_sources?per_page=101")) == [
        (400, "per_page", "invalid_param")
    ]


# --- orders ---


def test_each_list_has_the_order_that_clients_expect(client: Any) -> None:
    for name in ("C", "A", "B"):
        person = created(client, "contacts", last_name=name)["id"]
        lead = created(client, "leads", last_name=name)["id"]
        for path in ("leads", "contacts"):
            created(client, path, last_name=f"{path} {name}")
        deal = created(client, "deals", name=name, contact_id=person)
        created(client, "lead_sources", name=name)
        tag = created(client, "tags", name=name, resource_type="lead")
        created(client, "lead_conversions", lead_id=lead, create_deal=False)
    [oldest_lead, *_], [oldest_tag, *_] = listed(client, "leads"), listed(client, "tags")
    updated(client, "leads", oldest_lead["id"], title="Dr")
    updated(client, "tags", oldest_tag["id"], name="C again")
    updated(client, "deals", deal["id"] - 2, name="C again")

    assert names(client, "leads") == ["leads A", "leads B", "leads C"]
    assert names(client, "contacts", {"first_name": ""}) == []
    assert names(client, "contacts") == sorted(names(client, "contacts"))
    assert names(client, "deals") == ["C again", "A", "B"]
    assert names(client, "lead_sources") == ["C", "A", "B"]
    assert names(client, "tags") == ["A", "B", "C again"]
    assert [conversion["lead_id"] for conversion in listed(client, "lead_conversions")] == [
        lead,
        lead - 2,
        lead - 4,
    ]
    assert names(client, "lead_statuses") == ["New", "Working", "Unqualified", "Converted"]
    assert names(client, "stages")[:2] == ["Incoming", "Qualified"]
    assert tag["resource_type"] == "lead"


def test_every_order_is_kept_in_both_directions_and_the_older_go_first_among_equals(
    client: Any,
) -> None:
    create_pool(client)
    company = created(
        client, "contacts", is_organization=True, name="Zeta", address={"city": "Oslo"}
    )["id"]
    source = created(client, "lead_sources", name="Fair")["id"]
    for number, value in enumerate((3, "10.50", 3)):
        who = {
            "last_name": f"L{number % 2}",
            "first_name": "F" if number else None,
            "email": "e@x" if number else None,
        }
        person = created(client, "contacts", contact_id=company if number else None, **who)["id"]
        created(
            client,
            "deals",
            name="D",
            contact_id=person,
            value=value,
            hot=number == 1,
            stage_id=number + 1,
        )
        lead = created(
            client,
            "leads",
            status="Working" if number else None,
            source_id=source if number else None,
            **who,
        )["id"]
        created(client, "lead_conversions", lead_id=lead)
        created(
            client,
            "leads",
            status="Working" if number else None,
            source_id=source if number else None,
            **who,
        )
        created(client, "tags", name=f"T{number}", resource_type="lead")

    for resource in RESOURCES:
        by_id = listed(client, resource.path, {"sort_by": "id"})
        assert [item["id"] for item in by_id] == sorted(item["id"] for item in by_id)
        for name in resource.sortable:
            _check_order(client, resource, resource.by_name[name], by_id)


def _check_order(
    client: Any, resource: Resource, attribute: Attribute, by_id: list[dict[str, Any]]
) -> None:
    for direction in ("asc", "desc"):
        found = listed(client, resource.path, {"sort_by": f"{attribute.name}:{direction}"})
        expected = sorted(
            by_id, key=lambda item: _rank(attribute, item), reverse=direction == "desc"
        )
        assert [_rank(attribute, item) for item in found] == [
            _rank(attribute, item) for item in expected
        ]
        # A moment is kept with more digits than the seconds that are shown.
        if attribute.kind is not AttributeKind.MOMENT:
            assert found == expected, (resource.path, attribute.name, direction)


def _rank(attribute: Attribute, item: dict[str, Any]) -> tuple[bool, Any]:
    """What is not known comes after all that is."""
    value = item[attribute.name]
    return value is None, float(
        value
    ) if attribute.kind is AttributeKind.AMOUNT else value or 0 if value is None else value


# --- which ---


def test_ids_choose_what_is_listed(client: Any) -> None:
    one, two, three = (created(client, "leads", last_name=name)["id"] for name in ("A", "B", "C"))
    create_pool(client)
    client.delete(f"/v2/leads/{two}")

    assert names(client, "leads", {"ids": f"{three},{two},{one},999"}) == ["A", "C"]
    assert names(client, "leads", {"ids": one, "last_name": "C"}) == []
    assert names(client, "users", {"ids": 1}) == ["Root"]
    for bad in ("", "1,", "a", "1 2", "-1", "1;2", ",".join(["1"] * 101)):
        assert wrong(client.get("/v2/leads", params={"ids": bad})) == [
            (400, "ids", "invalid_param")
        ], bad


def test_what_is_deleted_is_in_no_list_and_is_nowhere_else(client: Any) -> None:
    person, company = (
        created(client, "contacts", last_name="P"),
        created(client, "contacts", is_organization=True, name="O"),
    )
    records = {
        "leads": created(client, "leads", last_name="L")["id"],
        "deals": created(client, "deals", name="D", contact_id=person["id"])["id"],
        "contacts": company["id"],
        "tags": created(client, "tags", name="T", resource_type="deal")["id"],
        "lead_sources": created(client, "lead_sources", name="S")["id"],
    }

    for path, number in records.items():
        answer = client.delete(f"/v2/{path}/{number}")
        assert (answer.status_code, answer.content, answer.headers.get("content-type")) == (
            204,
            b"",
            None,
        )

    for path, number in records.items():
        assert number not in [item["id"] for item in listed(client, path)]
        assert listed(client, path, {"ids": number}) == []
        for again in (
            client.get,
            client.delete,
            lambda address: client.put(address, json={"data": {}}),
        ):
            assert wrong(again(f"/v2/{path}/{number}")) == [(404, None, "not_found")]


# --- what is refused ---


@pytest.mark.parametrize("resource", [LEAD, TAG], ids=lambda resource: resource.path)
def test_a_parameter_that_does_not_exist_or_fit_is_named(client: Any, resource: Resource) -> None:
    bad = [
        ("page", "0"), ("page", "x"), ("page", "1.5"), ("page", "9999999"), ("per_page", "0"),
        ("per_page", ""),
        ("sort_by", "tags"), ("sort_by", "name:up"), ("sort_by", "id:asc:desc"),
        ("sort_by", "id; DROP TABLE leads"), ("sort_by", ""),
        ("creator_id", "x"), ("creator_id", "1.5"), ("creator_id", ""), ("creator_id", str(2**63)),
        ("nothing", "1"), ("address_city", "Oslo"), ("address[street]", "x"),
        ("custom_fields", "x"), ("custom_fields[]", "x"),
        ("custom_fields[\0]", "x"), ("custom_fields[a]", "\0"),
        ("custom_fields[a", "x"), ("custom_fields[a]b", "x"), ("Status", "x"), ("%00", "x"),
        ("' OR 1=1 --", "x"),
    ]  # fmt: skip
    created(client, "leads", last_name="A", custom_fields={"a": "x"})

    for name, value in bad:
        answer = client.get(f"/v2/{resource.path}", params={name: value})

        assert wrong(answer) == [(400, name, "invalid_param")], (name, value)
        assert [fault["resource"] for fault in faults(answer)] == [resource.type]
    assert wrong(client.get(f"/v2/{resource.path}?page=0&per_page=0&nothing=1"))[0][0] == 400
    assert len(listed(client, "leads")) == 1


def test_what_is_no_list_takes_no_parameters(client: Any) -> None:
    lead = created(client, "leads", last_name="A")["id"]

    for answer in (
        client.get(f"/v2/leads/{lead}?page=1"),
        client.get(f"/v2/{ACCOUNT.path}/self?page=1"),
        client.get("/v2/users/self?page=1"),
        client.post("/v2/leads?page=1", json={"data": {"last_name": "B"}}),
        client.put(f"/v2/leads/{lead}?page=1", json={"data": {"last_name": "B"}}),
        client.delete(f"/v2/leads/{lead}?page=1"),
    ):
        assert wrong(answer) == [(400, "page", "invalid_param")]
    assert names(client, "leads") == ["A"]
