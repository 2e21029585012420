"""What is sent: how a body must look, and how exactly it is told what is wrong with it."""

import json
from typing import Any

import pytest

from tests.api.asking import faults
from tests.sell.asking import created, names, shown, told, wrong

JSON = {"Content-Type": "application/json"}
UNSTORABLE = ("a\0b", "\ud800", "a\udfffb")


def send(client: Any, body: bytes, path: str = "leads", **headers: str) -> Any:
    return client.post(f"/v2/{path}", content=body, headers=JSON | headers)


def spelt(body: Any) -> bytes:
    """JSON that spells what UTF-8 doesn't have."""
    return json.dumps(body).encode()


def test_an_envelope_says_what_is_in_it(client: Any) -> None:
    answer = client.post(
        "/v2/leads", json={"data": {"last_name": "L"}, "meta": {"type": "lead", "more": [1]}}
    )
    lead = told(answer)["id"]

    assert answer.json()["meta"] == {"type": "lead"}
    assert answer.headers["content-type"] == "application/json"
    assert (
        told(client.post("/v2/leads", json={"data": {"last_name": "L"}, "meta": None}))["id"]
        == lead + 1
    )
    paths = {
        "leads": "lead", "contacts": "contact", "deals": "deal", "users": "user", "tags": "tag",
        "lead_sources": "lead_source",
        "lead_statuses": "lead_status", "lead_conversions": "lead_conversion",
        "pipelines": "pipeline", "stages": "stage",
        "lead/custom_fields": "custom_field", "contact/custom_fields": "custom_field",
        "deal/custom_fields": "custom_field",
    }  # fmt: skip
    person = created(client, "contacts", last_name="P")["id"]
    created(client, "deals", name="D", contact_id=person, tags=["t"], custom_fields={"f": 1})
    created(client, "contacts", last_name="P", custom_fields={"f": 1})
    created(client, "leads", last_name="P", custom_fields={"f": 1})
    created(client, "lead_conversions", lead_id=lead)
    created(client, "lead_sources", name="S")
    for path, kind in paths.items():
        page = client.get(f"/v2/{path}").json()
        assert page["meta"]["type"] == "collection"
        assert {item["meta"]["type"] for item in page["items"]} == {kind}, path


def test_what_is_no_envelope_is_refused(client: Any) -> None:
    bodies = (
        b"",
        b"{",
        b"no",
        b"\xff",
        b"[]",
        b"7",
        b"null",
        b"{}",
        b'{"data": null}',
        b'{"data": []}',
        b'{"data": "x"}',
        b"[" * 100_000,
    )
    lead = created(client, "leads", last_name="L")["id"]

    for body in bodies:
        for answer in (
            send(client, body),
            client.put(f"/v2/leads/{lead}", content=body, headers=JSON),
        ):
            assert wrong(answer) == [(400, None, "invalid_payload")], body[:20]
    assert wrong(client.post("/v2/leads", json={"last_name": "L"})) == [
        (400, None, "invalid_payload"), (400, "/last_name", "unknown"),
    ]  # fmt: skip
    assert wrong(client.post("/v2/leads", data={"last_name": "L"})) == [
        (400, None, "invalid_payload")
    ]
    assert wrong(send(client, b'{"data": {"last_name": "L"}, "more": 1}')) == [
        (422, "/more", "unknown")
    ]
    assert wrong(send(client, b'{"data": {"last_name": "L"}, "meta": 1}')) == [
        (422, "/meta", "invalid_type")
    ]
    assert wrong(
        send(client, b'{"data": {"last_name": "L"}}', **{"Content-Type": "text/plain"})
    ) == [(400, None, "invalid_payload")]
    assert names(client, "leads") == ["L"]


@pytest.mark.parametrize("verb", ["post", "put"])
def test_a_value_of_another_type_is_told_where(client: Any, verb: str) -> None:
    made = {
        "leads": created(client, "leads", last_name="L"),
        "contacts": created(client, "contacts", last_name="L"),
    }
    made["deals"] = created(client, "deals", name="D", contact_id=made["contacts"]["id"])
    bad: list[tuple[str, dict[str, Any], str]] = [
        ("leads", {"last_name": 7}, "/data/last_name"), ("leads", {"email": True}, "/data/email"),
        ("leads", {"owner_id": "1"}, "/data/owner_id"),
        ("leads", {"owner_id": 1.5}, "/data/owner_id"),
        ("leads", {"source_id": True}, "/data/source_id"),
        ("leads", {"tags": "a, b"}, "/data/tags"),
        ("leads", {"tags": ["a", 1]}, "/data/tags/1"),
        ("leads", {"custom_fields": []}, "/data/custom_fields"),
        ("leads", {"address": "Oslo"}, "/data/address"),
        ("leads", {"address": {"city": 1}}, "/data/address/city"),
        ("contacts", {"is_organization": "True"}, "/data/is_organization"),
        ("contacts", {"is_organization": None}, "/data/is_organization"),
        ("contacts", {"billing_address": []}, "/data/billing_address"),
        ("contacts", {"contact_id": "x"}, "/data/contact_id"),
        ("deals", {"value": [1]}, "/data/value"), ("deals", {"value": True}, "/data/value"),
        ("deals", {"value": {}}, "/data/value"),
        ("deals", {"hot": 1}, "/data/hot"),
        ("deals", {"estimated_close_date": 20260331}, "/data/estimated_close_date"),
        ("deals", {"customized_win_likelihood": "50"}, "/data/customized_win_likelihood"),
        ("deals", {"last_stage_change_at": 1}, "/data/last_stage_change_at"),
    ]  # fmt: skip

    for path, attributes, field in bad:
        needed = (
            {}
            if verb == "put"
            else {"last_name": "L"}
            if path != "deals"
            else {"name": "D", "contact_id": made["contacts"]["id"]}
        )
        answer = getattr(client, verb)(
            f"/v2/{path}/{made[path]['id']}" if verb == "put" else f"/v2/{path}",
            json={"data": needed | attributes},
        )

        assert wrong(answer) == [(422, field, "invalid_type")], attributes
        assert faults(answer)[0]["resource"] == path.removesuffix("s")
    assert [shown(client, path, record["id"]) for path, record in made.items()] == list(
        made.values()
    )


def test_a_value_that_cannot_be_is_told_where(client: Any) -> None:
    person = created(client, "contacts", last_name="L")["id"]
    bad: list[tuple[str, dict[str, Any], str]] = [
        ("leads", {"source_id": 99}, "source_id"), ("leads", {"source_id": 2**63}, "source_id"),
        ("leads", {"source_id": 10**400}, "source_id"),
        ("leads", {"owner_id": 99}, "owner_id"), ("leads", {"owner_id": -1}, "owner_id"),
        ("leads", {"email": "x" * 321}, "email"),
        ("leads", {"custom_fields": {"a": {"b": 1}}}, "custom_fields"),
        ("leads", {"custom_fields": {"a": [1]}}, "custom_fields"),
        ("leads", {"custom_fields": {"a": 2**63}}, "custom_fields"),
        ("leads", {"custom_fields": {"a": 1e300}}, "custom_fields"),
        ("contacts", {"customer_status": "nice"}, "customer_status"),
        ("contacts", {"prospect_status": ""}, "prospect_status"),
        ("deals", {"value": "much"}, "value"), ("deals", {"value": "1.250,50"}, "value"),
        ("deals", {"value": 1e15}, "value"),
        ("deals", {"value": 10**400}, "value"), ("deals", {"value": "NaN"}, "value"),
        ("deals", {"stage_id": 0}, "stage_id"),
        ("deals", {"estimated_close_date": "31.3.2026"}, "estimated_close_date"),
        ("deals", {"estimated_close_date": "2026-02-30"}, "estimated_close_date"),
        ("deals", {"customized_win_likelihood": 101}, "customized_win_likelihood"),
        ("deals", {"last_stage_change_at": "noon"}, "last_stage_change_at"),
        ("deals", {"last_stage_change_at": "0001-01-01T00:00:00+14:00"}, "last_stage_change_at"),
    ]  # fmt: skip

    for path, attributes, field in bad:
        needed = {"last_name": "L"} if path != "deals" else {"name": "D", "contact_id": person}
        answer = client.post(f"/v2/{path}", json={"data": needed | attributes})

        assert wrong(answer) == [(422, f"/data/{field}", "incorrect_value")], attributes
    assert (names(client, "leads"), names(client, "deals"), names(client, "contacts")) == (
        [],
        [],
        ["L"],
    )


def test_numbers_that_json_does_not_have_are_refused(client: Any) -> None:
    person = created(client, "contacts", last_name="L")["id"]

    for number in (b"NaN", b"Infinity", b"-Infinity", b"1e999"):
        value = b'{"data": {"name": "D", "contact_id": %d, "value": %b}}' % (person, number)
        field = b'{"data": {"last_name": "D", "custom_fields": {"N": %b}}}' % number
        source = b'{"data": {"last_name": "D", "source_id": %b}}' % number
        assert wrong(send(client, value, "deals")) == [(422, "/data/value", "incorrect_value")]
        assert wrong(send(client, field)) == [(422, "/data/custom_fields", "incorrect_value")]
        assert wrong(send(client, source)) == [(422, "/data/source_id", "invalid_type")]
    assert wrong(
        send(client, b'{"data": {"last_name": "D", "source_id": 1%b}}' % (b"0" * 5_000))
    ) == [(400, None, "invalid_payload")]
    assert names(client, "leads") == names(client, "deals") == []


def test_characters_that_no_database_stores_are_refused_wherever_they_are(client: Any) -> None:
    for bad in UNSTORABLE:
        for attributes in (
            {"last_name": bad},
            {"tags": ["a", bad]},
            {"custom_fields": {"N": bad}},
            {"custom_fields": {bad: "x"}},
            {"custom_fields": {"N": ["a", bad]}},
            {"address": {"city": bad}},
        ):
            answer = send(client, spelt({"data": {"last_name": "L"} | attributes}))

            [(status, field, code)] = wrong(answer)
            assert (status, code) == (422, "incorrect_value")
            assert str(field).startswith(f"/data/{next(iter(attributes))}")
        tag = send(client, spelt({"data": {"name": bad, "resource_type": "lead"}}), "tags")
        assert wrong(tag) == [(422, "/data/name", "incorrect_value")]
        for place in ({"data": {"last_name": "L", bad: 1}}, {"data": {"last_name": "L"}, bad: 1}):
            assert wrong(send(client, spelt(place)))[0][0] in (400, 422)
    assert wrong(client.get("/v2/leads?last_name=a%00b")) == [(400, "last_name", "invalid_param")]
    assert (
        names(client, "leads", {"last_name": "\N{REPLACEMENT CHARACTER}"})
        == names(client, "leads")
        == []
    )


def test_what_is_ignored_may_be_anything_also_under_a_key(client: Any) -> None:
    whatever = {
        "id": 10**400,
        "created_at": "\ud800",
        "creator_id": {"a": [None]},
        "updated_at": 1.5,
    }

    answers = [
        send(client, spelt({"data": {"last_name": "L"} | whatever}), **{"Idempotency-Key": key})
        for key in ("a", "a", "b")
    ]

    assert [told(answer)["id"] for answer in answers] == [1, 1, 2]


def test_all_faults_are_told_at_once(client: Any) -> None:
    types = client.post(
        "/v2/leads",
        json={
            "data": {
                "last_name": 7,
                "tags": [1, "a", None],
                "nickname": "x",
                "address": {"street": "x"},
            }
        },
    )
    values = client.post(
        "/v2/deals",
        json={"data": {"name": "a\0b", "value": "much", "estimated_close_date": "soon"}},
    )

    assert sorted(wrong(types)) == [
        (422, "/data/address/street", "unknown"), (422, "/data/last_name", "invalid_type"),
        (422, "/data/nickname", "unknown"),
        (422, "/data/tags/0", "invalid_type"), (422, "/data/tags/2", "invalid_type"),
    ]  # fmt: skip
    assert sorted(wrong(values)) == [
        (422, "/data/estimated_close_date", "incorrect_value"),
        (422, "/data/name", "incorrect_value"),
        (422, "/data/value", "incorrect_value"),
    ]
    assert {fault["resource"] for fault in faults(types)} == {"lead"}
    assert {fault["resource"] for fault in faults(values)} == {"deal"}


# --- addresses and headers ---


def test_what_is_not_there_is_told_apart_from_what_cannot_be(client: Any) -> None:
    for path in ("leads", "contacts", "deals", "users", "tags", "lead_sources", "lead_conversions"):
        assert wrong(client.get(f"/v2/{path}/999")) == [(404, None, "not_found")]
    for path in ("leads", "contacts", "deals", "tags", "lead_sources"):
        assert wrong(client.put(f"/v2/{path}/999", json={"data": {}})) == [(404, None, "not_found")]
        assert wrong(client.delete(f"/v2/{path}/999")) == [(404, None, "not_found")]
    for path in (
        "nothing",
        "leads/1/notes",
        "tasks",
        "accounts",
        "accounts/1",
        "Leads",
        "stages/1",
        "task/custom_fields",
        "",
    ):
        assert wrong(client.get(f"/v2/{path}")) == [(404, None, "incorrect_path")], path
    for path in ("leads/0", "leads/x", f"leads/{2**63}", "users/-1"):
        assert wrong(client.get(f"/v2/{path}")) == [(400, "id", "invalid_param")]
    for method, path in (
        ("patch", "leads/1"),
        ("delete", "leads"),
        ("put", "leads"),
        ("post", "users"),
        ("post", "stages"),
        ("put", "users/1"),
    ):
        assert wrong(client.request(method, f"/v2/{path}")) == [(405, None, "wrong_method")], path


def test_a_request_must_say_by_which_program_it_is_sent(client: Any) -> None:
    assert wrong(client.get("/v2/users/self", headers={"User-Agent": " "})) == [
        (400, None, "invalid_user_agent")
    ]
    del client.headers["User-Agent"]
    for answer in (
        client.get("/v2/leads"),
        client.post("/v2/leads", json={"data": {"last_name": "L"}}),
        client.get("/v2/accounts/self"),
    ):
        assert wrong(answer) == [(400, None, "invalid_user_agent")]
    assert client.get("/api/pools").status_code == 200
