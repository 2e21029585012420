"""A lead becomes a contact and a deal: one turn for all, in one transaction, once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from tests.api.asking import create_pool, posted
from tests.api.test_captures import capture
from tests.sell.asking import create, fault, items, told
from tests.support.factories import address_of, give_leads
from tests.support.invariants import assert_promise, everything, rows
from worker.domain.audit.reports import CHECKABLE
from worker.flows.audit.verify import verify
from worker.flows.system import System

TOUCHED = ("leads", "contacts", "deals", "conversions", "ledger", "labels")
"""The tables that a conversion touches."""


def convert(client: Any, lead_id: int, **asked: Any) -> Any:
    return client.post("/v2/lead_conversions", json={"data": {"lead_id": lead_id, **asked}})


def made(client: Any, conversion: dict[str, Any]) -> tuple[Any, Any, Any]:
    """The person, the organization and the deal that a conversion made; None for what it didn't."""
    names = (("contacts", "individual_id"), ("contacts", "organization_id"), ("deals", "deal_id"))
    ids = [(path, conversion[name]) for path, name in names]
    person, organization, deal = (
        told(client.get(f"/v2/{path}/{number}")) if number else None for path, number in ids
    )
    return person, organization, deal


def test_a_lead_becomes_a_person_with_its_organization_and_a_deal(
    client: Any, system: System
) -> None:
    facts: dict[str, Any] = {
        "first_name": "Ann",
        "email": "ann@example.com",
        "organization_name": "ACME",
        "tags": ["x"],
        "custom_fields": {"Size": 5},
    }
    source = posted_source(client, "Fair")
    lead = told(create(client, "leads", **facts, address={"city": "Oslo"}, source_id=source))

    conversion = told(convert(client, lead["id"]))

    person, organization, deal = made(client, conversion)
    assert (conversion["lead_id"], conversion["creator_id"]) == (lead["id"], 1)
    assert "owner_id" not in conversion
    assert (person["name"], person["email"], person["contact_id"]) == (
        "Ann Lee",
        "ann@example.com",
        organization["id"],
    )
    assert (person["tags"], person["custom_fields"], person["address"]["city"]) == (
        ["x"],
        {"Size": 5},
        "Oslo",
    )
    assert (
        organization["name"],
        organization["is_organization"],
        organization["address"]["city"],
    ) == ("ACME", True, "Oslo")
    assert (deal["name"], deal["contact_id"], deal["organization_id"]) == (
        "ACME",
        person["id"],
        organization["id"],
    )
    assert (deal["tags"], deal["source_id"], deal["value"], deal["stage_id"], deal["currency"]) == (
        ["x"],
        source,
        0,
        1,
        "USD",
    )
    assert {each["owner_id"] for each in (person, organization, deal)} == {lead["owner_id"]}


def posted_source(client: Any, name: str) -> int:
    return int(told(create(client, "lead_sources", name=name))["id"])


def test_a_lead_makes_what_its_names_say_and_a_deal_unless_told_otherwise(client: Any) -> None:
    only_person, only_company = (
        told(create(client, "leads"))["id"],
        told(create(client, "leads", last_name=None, organization_name="A"))["id"],
    )

    first, second = (
        told(convert(client, only_person, create_deal=False)),
        told(convert(client, only_company)),
    )

    assert [first[name] is None for name in ("individual_id", "organization_id", "deal_id")] == [
        False,
        True,
        True,
    ]
    assert [second[name] is None for name in ("individual_id", "organization_id", "deal_id")] == [
        True,
        False,
        False,
    ]
    assert made(client, second)[2]["contact_id"] == second["organization_id"]
    assert [each["id"] for each in items(client.get("/v2/lead_conversions"))] == [
        second["id"],
        first["id"],
    ]
    assert told(client.get(f"/v2/lead_conversions/{first['id']}")) == first


def test_a_lead_that_is_converted_is_no_lead_any_more(client: Any, system: System) -> None:
    pool = create_pool(client, 2)
    lead_id = told(create(client, "leads", owner_id=pool["id"]))["id"]

    convert(client, lead_id)

    assert items(client.get("/v2/leads")) == []
    assert fault(client.get(f"/v2/leads/{lead_id}"))[:2] == (404, "not_found")
    assert client.get(f"/api/why/lead/{lead_id}").json()["turn"] == 1
    assert_promise(system)


@pytest.mark.parametrize("record_type", ["contact", "deal"])
def test_a_pool_gives_everything_to_its_next_member_in_one_turn(
    client: Any, system: System, record_type: str
) -> None:
    pool = create_pool(client, 3, record_type=record_type)
    lead_ids = [told(create(client, "leads", organization_name="ACME"))["id"] for _ in range(4)]

    conversions = [told(convert(client, lead_id, owner_id=pool["id"])) for lead_id in lead_ids]

    owners = [{each["owner_id"] for each in made(client, conversion)} for conversion in conversions]
    assert "".join(address_of(system, owner)[0] for [owner] in owners) == "abca"
    assert [row["turn"] for row in rows(system, "SELECT turn FROM ledger ORDER BY turn")] == [
        1,
        2,
        3,
        4,
    ]
    for kind, name in (
        ("contact", "individual_id"),
        ("contact", "organization_id"),
        ("deal", "deal_id"),
    ):
        why = client.get(f"/api/why/{kind}/{conversions[1][name]}").json()
        assert (why["turn"], why["cause"], why["claim"]) == (
            2,
            "convert",
            f"lead:{lead_ids[1]}:convert",
        )
        assert why["owner"]["name"] == "B"
    assert [report.holds for report in verify(system)] == [True]
    assert_promise(system)


def test_a_pool_that_shares_something_else_is_refused(client: Any, system: System) -> None:
    leads, deals = (
        create_pool(client, 2),
        posted(client, "/api/pools", name="Deals", record_type="deal", members=["a@example.com"]),
    )
    empty = posted(client, "/api/pools", name="Empty", record_type="contact")
    lead_id = told(create(client, "leads"))["id"]
    before = everything(system)

    refused = [
        convert(client, lead_id, owner_id=leads["id"]),
        convert(client, lead_id, owner_id=empty["id"]),
        convert(client, lead_id, owner_id=deals["id"], create_deal=False),
        convert(client, lead_id, owner_id=999),
    ]

    assert [fault(answer) for answer in refused] == [(422, "incorrect_value", "/data/owner_id")] * 4
    after = everything(system)
    assert [after[table] for table in TOUCHED] == [before[table] for table in TOUCHED]


def test_a_lead_is_converted_once_and_the_first_conversion_is_given_back(
    client: Any, system: System
) -> None:
    pool = create_pool(client, 3, record_type="contact")
    lead_id = told(create(client, "leads"))["id"]

    first, again = (
        convert(client, lead_id, owner_id=pool["id"]),
        convert(client, lead_id, owner_id=pool["id"]),
    )
    another = [
        convert(client, lead_id),
        convert(client, lead_id, owner_id=pool["id"], create_deal=False),
    ]

    assert told(again) == told(first)
    assert [fault(answer)[:2] for answer in another] == [(409, "already_converted")] * 2
    assert len(rows(system, "SELECT turn FROM ledger")) == 1
    assert_promise(system)


def test_ten_who_convert_a_lead_at_once_make_one_conversion_of_one_turn(
    client: Any, system: System
) -> None:
    pool = create_pool(client, 3, record_type="contact")
    lead_id = told(create(client, "leads"))["id"]

    with ThreadPoolExecutor(10) as threads:
        answers = list(
            threads.map(lambda _: convert(client, lead_id, owner_id=pool["id"]), range(10))
        )

    assert {told(answer)["id"] for answer in answers} == {told(answers[0])["id"]}
    assert (
        len(rows(system, "SELECT id FROM contacts"))
        == len(rows(system, "SELECT id FROM deals"))
        == 1
    )
    assert len(rows(system, "SELECT turn FROM ledger")) == 1
    assert_promise(system)


def test_who_isnt_there_or_waits_isnt_converted(client: Any, system: System) -> None:
    posted(client, "/api/pools", name="Empty")
    waiting = capture(client, "Empty").json()["id"]

    assert fault(convert(client, 99)) == (422, "incorrect_value", "/data/lead_id")
    assert fault(convert(client, waiting))[:2] == (422, "lead_waits")
    assert fault(client.post("/v2/lead_conversions", json={"data": {}})) == (
        422,
        "missing",
        "/data/lead_id",
    )


def test_a_ring_that_forgot_is_seeded_before_a_conversion(
    client: Any, system: System, valkey: Any
) -> None:
    create_pool(client, 2)
    contacts = posted(
        client,
        "/api/pools",
        name="Contacts",
        record_type="contact",
        members=["a@example.com", "b@example.com"],
    )
    lead_ids = [told(create(client, "leads"))["id"] for _ in range(3)]
    convert(client, lead_ids[0], owner_id=contacts["id"])
    valkey.flushall()

    second = told(convert(client, lead_ids[1], owner_id=contacts["id"]))

    assert address_of(system, made(client, second)[2]["owner_id"])[0] == "b"
    assert give_leads(system, 2) == "ab"
    assert_promise(system)


def test_verify_sees_a_contact_that_names_the_turn_of_a_conversion_it_wasnt_made_by(
    client: Any, system: System
) -> None:
    pool = create_pool(client, 2, record_type="contact")
    convert(
        client, told(create(client, "leads", organization_name="ACME"))["id"], owner_id=pool["id"]
    )
    stranger = told(create(client, "contacts"))["id"]
    named = text(
        "UPDATE contacts SET pool_id = :pool, turn = 1, owner_id = (SELECT user_id FROM ledger) "
        "WHERE id = :stranger"
    )

    system.transact(
        lambda session: session.execute(named, {"pool": pool["id"], "stranger": stranger})
    )

    [report] = verify(system)
    assert [violation.point for violation in report.violations] == [CHECKABLE]
