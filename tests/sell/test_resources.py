"""Contacts, deals and leads: what they need, what they are by default, and what an update
changes."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.sell.asking import created, names, shown, told, updated, wrong
from worker.domain.records.types import CONTACT, DEAL, LEAD
from worker.domain.resources import Resource
from worker.flows.system import System
from worker.store.sql.engine import writing

PARTS = {
    "line1": "1 High St",
    "city": "Oslo",
    "postal_code": "0150",
    "state": "Oslo",
    "country": "NO",
}
UNKNOWN = dict.fromkeys(PARTS)
LONG_AGO = "2020-01-01T00:00:00Z"


def refused(client: Any, path: str, **attributes: Any) -> list[tuple[int, str | None, str]]:
    return wrong(client.post(f"/v2/{path}", json={"data": attributes}))


def not_updated(
    client: Any, path: str, number: int, **attributes: Any
) -> list[tuple[int, str | None, str]]:
    return wrong(client.put(f"/v2/{path}/{number}", json={"data": attributes}))


def make_old(system: System, table: str) -> None:
    """So that a change shows in the moment of the last update."""
    with writing(system.engine) as session:
        moment = "2020-01-01 00:00:00.123456" + (
            "" if system.engine.dialect.name == "sqlite" else "+00"
        )
        session.execute(text(f"UPDATE {table} SET updated_at = '{moment}'"))


def deal(client: Any, **attributes: Any) -> dict[str, Any]:
    contact = created(client, "contacts", last_name="Buyer")["id"]
    return created(client, "deals", **{"name": "Deal", "contact_id": contact} | attributes)


# --- what is needed ---


def test_a_lead_needs_a_last_name_or_an_organization(client: Any) -> None:
    assert (
        refused(client, "leads")
        == refused(client, "leads", first_name="Ada")
        == [(422, "/data/last_name", "missing")]
    )
    assert refused(client, "leads", last_name=" ", organization_name=None) == [
        (422, "/data/last_name", "blank")
    ]
    lead = created(client, "leads", organization_name="Analytics")
    assert (lead["last_name"], lead["organization_name"]) == (None, "Analytics")
    assert not_updated(client, "leads", lead["id"], organization_name="") == [
        (422, "/data/last_name", "blank")
    ]
    moved = updated(client, "leads", lead["id"], organization_name=None, last_name=" Lovelace ")
    assert (moved["last_name"], moved["organization_name"]) == ("Lovelace", None)
    assert not_updated(client, "leads", lead["id"], last_name=None) == [
        (422, "/data/last_name", "blank")
    ]
    assert shown(client, "leads", lead["id"]) == moved


def test_a_person_needs_a_last_name_and_an_organization_a_name(client: Any) -> None:
    assert refused(client, "contacts", first_name="Ada", name="Ada") == [
        (422, "/data/last_name", "missing")
    ]
    assert refused(client, "contacts", is_organization=False, last_name="") == [
        (422, "/data/last_name", "blank")
    ]
    assert refused(client, "contacts", is_organization=True, last_name="Ada") == [
        (422, "/data/name", "missing")
    ]
    assert refused(client, "contacts", is_organization=True, name=" ") == [
        (422, "/data/name", "blank")
    ]
    person = created(
        client,
        "contacts",
        first_name="Ada",
        last_name="Lovelace",
        name="Somebody else",
        is_organization=False,
    )
    company = created(
        client, "contacts", is_organization=True, name="Analytics", last_name="ignored"
    )

    assert (person["name"], person["is_organization"], person["last_name"]) == (
        "Ada Lovelace",
        False,
        "Lovelace",
    )
    assert (company["name"], company["is_organization"], company["last_name"]) == (
        "Analytics",
        True,
        None,
    )
    assert not_updated(client, "contacts", person["id"], last_name=None) == [
        (422, "/data/last_name", "blank")
    ]
    assert not_updated(client, "contacts", company["id"], name=None) == [
        (422, "/data/name", "blank")
    ]
    assert not_updated(client, "contacts", company["id"], name=" ", is_organization=True) == [
        (422, "/data/name", "blank")
    ]
    assert (
        updated(client, "contacts", company["id"], last_name="ignored", phone="1")["name"]
        == "Analytics"
    )
    assert (
        updated(client, "contacts", company["id"], name="Analytics Ltd", is_organization=True)[
            "name"
        ]
        == "Analytics Ltd"
    )
    assert (
        updated(client, "contacts", person["id"], name="ignored", last_name="King")["name"]
        == "Ada King"
    )


def test_what_a_contact_is_is_settled_when_it_is_created(client: Any) -> None:
    person, company = (
        created(client, "contacts", last_name="P"),
        created(client, "contacts", is_organization=True, name="O"),
    )

    for contact in (person, company):
        flag = {"is_organization": not contact["is_organization"], "name": "N", "last_name": "N"}
        assert not_updated(client, "contacts", contact["id"], **flag) == [
            (422, "/data/is_organization", "incorrect_value")
        ]
        assert told(client.put(f"/v2/contacts/{contact['id']}", json={"data": contact})) == contact


def test_a_contact_is_with_an_organization_and_no_person(client: Any) -> None:
    person, company = (
        created(client, "contacts", last_name="P")["id"],
        created(client, "contacts", is_organization=True, name="O")["id"],
    )
    employee = created(client, "contacts", last_name="E", contact_id=company)
    daughter = created(
        client, "contacts", is_organization=True, name="D", parent_organization_id=company
    )

    assert (employee["contact_id"], daughter["parent_organization_id"]) == (company, company)
    for name in ("contact_id", "parent_organization_id"):
        for number in (person, 999, -1, 0):
            assert refused(client, "contacts", last_name="X", **{name: number}) == [
                (422, f"/data/{name}", "incorrect_value")
            ]
    assert updated(client, "contacts", employee["id"], contact_id=None)["contact_id"] is None


def test_a_deal_needs_a_name_and_a_contact_that_is_there(client: Any) -> None:
    company = created(client, "contacts", is_organization=True, name="O")["id"]
    employee = created(client, "contacts", last_name="E", contact_id=company)["id"]
    gone = created(client, "contacts", last_name="G")["id"]
    client.delete(f"/v2/contacts/{gone}")

    assert refused(client, "deals", contact_id=company) == [(422, "/data/name", "missing")]
    assert refused(client, "deals", contact_id=company, name=" ") == [(422, "/data/name", "blank")]
    assert refused(client, "deals", name="D") == [(422, "/data/contact_id", "missing")]
    assert refused(client, "deals", name="D", contact_id=None) == [
        (422, "/data/contact_id", "blank")
    ]
    for number in (gone, 999, 0):
        assert refused(client, "deals", name="D", contact_id=number) == [
            (422, "/data/contact_id", "incorrect_value")
        ]
    made = created(client, "deals", name="D", contact_id=employee)
    assert (made["contact_id"], made["organization_id"]) == (employee, company)
    assert updated(client, "deals", made["id"], contact_id=company)["organization_id"] == company
    assert not_updated(client, "deals", made["id"], contact_id=None) == [
        (422, "/data/contact_id", "blank")
    ]
    assert not_updated(client, "deals", made["id"], name=None) == [(422, "/data/name", "blank")]


# --- values and defaults ---


@pytest.mark.parametrize(
    ("path", "given", "expected"),
    [
        ("leads", {"last_name": "L"}, {"status": "New", "source_id": None, "address": UNKNOWN}),
        (
            "contacts",
            {"last_name": "L"},
            {"is_organization": False, "customer_status": "none", "billing_address": UNKNOWN},
        ),
    ],
)
def test_what_is_not_said_is_by_default(
    client: Any, path: str, given: dict[str, Any], expected: dict[str, Any]
) -> None:
    record = created(client, path, **given)
    again = (
        created(client, path, **given, status="" if path == "leads" else None)
        if path == "leads"
        else record
    )

    common = {"owner_id": 1, "creator_id": 1, "tags": [], "custom_fields": {}, "email": None}
    assert {name: record[name] for name in (*common, *expected)} == common | expected
    assert record["created_at"] == record["updated_at"]
    assert again.get("status") == expected.get("status")
    assert set(record) == set((LEAD if path == "leads" else CONTACT).by_name)


def test_a_deal_begins_in_the_first_stage_in_the_accounts_currency_and_is_worth_something(
    client: Any,
) -> None:
    made = deal(client, owner_id=None, currency="", stage_id=None)

    assert set(made) == set(DEAL.by_name)
    preset = ("owner_id", "value", "currency", "stage_id", "hot", "last_stage_change_at")
    assert {name: made[name] for name in preset} == {
        "owner_id": 1, "value": 0, "currency": "USD", "stage_id": 1, "hot": False,
        "last_stage_change_at": None,
    }  # fmt: skip
    assert (made["added_at"], made["organization_id"], made["dropbox_email"]) == (
        made["created_at"],
        None,
        None,
    )
    for sent, value in (
        (7, 7), ("7", 7), (7.0, 7), ("7.00", 7), (7.5, "7.50"), ("1,250.25", "1250.25"), ("$5", 5),
        (" 3 ", 3), (-3.25, "-3.25"), (0, 0),
        ("", 0), (5.551115123125783e-17, 0), (None, 0), ("999999999999999", 999999999999999),
        (0.1 + 0.2, "0.30"),
    ):  # fmt: skip
        changed = updated(client, "deals", made["id"], value=sent)["value"]
        assert (changed, type(changed)) == (value, type(value)), sent
    assert deal(client, value="12.30")["value"] == "12.30"
    assert deal(client, currency="EUR")["currency"] == "EUR"


def test_a_change_of_stage_is_noted(client: Any, member: Any) -> None:
    mine = deal(member)

    moved = updated(client, "deals", mine["id"], stage_id=3)
    same = updated(client, "deals", mine["id"], stage_id=3, hot=True)
    back = told(client.put(f"/v2/deals/{mine['id']}", json={"data": same | {"stage_id": 1}}))
    dated = updated(
        client, "deals", mine["id"], stage_id=2, last_stage_change_at="2026-03-31T12:00:00+02:00"
    )

    assert (moved["stage_id"], moved["last_stage_change_by_id"]) == (3, 1)
    assert moved["last_stage_change_at"] == moved["updated_at"]
    assert (same["last_stage_change_at"], same["hot"]) == (moved["last_stage_change_at"], True)
    assert back["last_stage_change_at"] == back["updated_at"]
    assert dated["last_stage_change_at"] == "2026-03-31T10:00:00Z"
    assert not_updated(client, "deals", mine["id"], stage_id=99) == [
        (422, "/data/stage_id", "incorrect_value")
    ]


def test_tags_are_replaced_and_custom_fields_and_addresses_are_joined(client: Any) -> None:
    fields = {
        "Size": 7,
        "Region": "EU",
        "VIP": True,
        "Share": 1.5,
        "Colors": ["red", "blue"],
        "": "nameless",
        "Blank": " ",
    }
    made = created(
        client,
        "contacts",
        last_name="L",
        tags=["b", " a ", "b", ""],
        custom_fields=fields,
        address={"city": "Oslo"},
    )

    assert (made["tags"], made["address"]) == (["b", "a"], UNKNOWN | {"city": "Oslo"})
    assert made["custom_fields"] == {
        "Size": 7,
        "Region": "EU",
        "VIP": True,
        "Share": 1.5,
        "Colors": ["red", "blue"],
    }
    more = {
        "address": PARTS,
        "billing_address": {"city": "Rome"},
        "custom_fields": {"Size": None, "Region": "US", "New": " x "},
    }
    joined = updated(client, "contacts", made["id"], tags=["c"], **more)
    assert (joined["tags"], joined["address"], joined["billing_address"]) == (
        ["c"],
        PARTS,
        UNKNOWN | {"city": "Rome"},
    )
    assert joined["custom_fields"] == {
        "Region": "US",
        "VIP": True,
        "Share": 1.5,
        "Colors": ["red", "blue"],
        "New": "x",
    }
    less = {
        "address": {"city": None, "line1": " "},
        "billing_address": {"line1": "2 Low St"},
        "custom_fields": {},
    }
    rest = updated(client, "contacts", made["id"], tags=None, **less)
    assert (rest["tags"], rest["custom_fields"]) == ([], joined["custom_fields"])
    assert rest["address"] == PARTS | {"city": None, "line1": None}
    assert rest["billing_address"] == UNKNOWN | {"city": "Rome", "line1": "2 Low St"}
    for value in (1, True, 1.0, "1"):
        found = updated(client, "contacts", made["id"], custom_fields={"VIP": value})[
            "custom_fields"
        ]["VIP"]
        assert (found, type(found)) == (value, type(value))
    rest = updated(client, "contacts", made["id"], custom_fields={"VIP": True})
    nothing = dict.fromkeys(("address", "billing_address", "shipping_address", "custom_fields"))
    again = updated(client, "contacts", made["id"], **nothing)
    assert again == rest | {"updated_at": again["updated_at"]}


# --- sent back as a whole ---


def filled(client: Any, resource: Resource) -> dict[str, Any]:
    """A record of which as much is known as can be."""
    company = created(client, "contacts", is_organization=True, name="O")["id"]
    source = created(client, "lead_sources", name="Fair")["id"]
    texts = [name for name, each in resource.by_name.items() if each.kind == "text"]
    every: dict[str, Any] = {name: f" {name} " for name in texts} | {
        "tags": ["a"], "custom_fields": {"N": 1.5}, "address": PARTS,
        "billing_address": {"city": "Rome"}, "is_organization": False,
        "contact_id": company, "parent_organization_id": company, "customer_status": "current",
        "prospect_status": "past",
        "currency": "EUR", "value": "10.50", "hot": True, "stage_id": 2, "source_id": source,
        "estimated_close_date": "2026-03-31",
        "customized_win_likelihood": 50, "loss_reason_id": 1, "unqualified_reason_id": 2,
    }  # fmt: skip
    given = {
        attribute.name: every[attribute.name]
        for attribute in resource.writable
        if attribute.name in every
    }
    return created(client, resource.path, **given)


@pytest.mark.parametrize("resource", [LEAD, CONTACT, DEAL], ids=lambda resource: resource.path)
def test_a_record_sent_back_as_it_came_is_unchanged(
    client: Any, system: System, resource: Resource
) -> None:
    full, bare = (
        filled(client, resource),
        created(client, resource.path, last_name="L") if resource is not DEAL else deal(client),
    )
    if resource is DEAL:
        updated(client, "deals", full["id"], stage_id=3)
    make_old(system, resource.path)

    for number in (full["id"], bare["id"]):
        before = shown(client, resource.path, number)
        assert before["updated_at"] == LONG_AGO
        assert (
            told(
                client.put(
                    f"/v2/{resource.path}/{number}",
                    json={"data": before, "meta": {"type": resource.type}},
                )
            )
            == before
        )
        changed = told(
            client.put(
                f"/v2/{resource.path}/{number}",
                json={"data": before | {"custom_fields": {"N": "other"}}},
            )
        )
        moments = ("updated_at", "last_activity_at") if resource is DEAL else ("updated_at",)
        assert changed["updated_at"] > LONG_AGO
        assert changed == before | {name: changed[name] for name in moments} | {
            "custom_fields": {"N": "other"}
        }


def test_what_a_file_gave_and_the_api_shows_otherwise_stays_when_it_is_sent_back(
    client: Any, system: System
) -> None:
    known, imported = deal(client, value=5), deal(client)
    client.delete(f"/v2/contacts/{imported['contact_id']}")
    with writing(system.engine) as session:
        of_a_file = (
            "stage = 'negotiation', value = NULL, source = 'nowhere', currency = NULL, "
            "last_stage_change_at = created_at"
        )
        session.execute(text(f"UPDATE deals SET {of_a_file} WHERE id = {imported['id']}"))

    before = shown(client, "deals", imported["id"])
    told(client.put(f"/v2/deals/{imported['id']}", json={"data": before | {"name": "Renamed"}}))

    assert (before["stage_id"], before["value"], before["source_id"]) == (1, 0, None)
    with system.reading() as session:
        row = session.execute(text(f"SELECT * FROM deals WHERE id = {imported['id']}")).one()
    assert (row.name, row.stage, row.value, row.source, row.last_stage_change_by_id) == (
        "Renamed",
        "negotiation",
        None,
        "nowhere",
        None,
    )
    assert shown(client, "deals", known["id"]) == known


def test_names_too_long_for_an_index_can_be_sent_back(client: Any) -> None:
    long = "x" * 400
    made = created(
        client,
        "leads",
        last_name=long,
        status=long,
        tags=[long],
        custom_fields={long: long},
        description="y" * 50_000,
    )

    again = told(client.put(f"/v2/leads/{made['id']}", json={"data": made}))

    assert again == made
    assert (made["status"], made["tags"], made["custom_fields"]) == (long, [long], {long: long})
    assert long not in [
        *names(client, "tags"),
        *names(client, "lead_statuses"),
        *names(client, "lead/custom_fields"),
    ]


def test_what_cannot_be_set_is_ignored_and_what_is_not_named_stays(client: Any) -> None:
    made = filled(client, DEAL)
    read_only = {
        attribute.name: "whatever" for attribute in DEAL.attributes if not attribute.writable
    }

    changed = updated(client, "deals", made["id"], **read_only, name="Renamed")

    assert len(read_only) > 8
    assert changed == made | {
        name: changed[name] for name in ("updated_at", "last_activity_at")
    } | {"name": "Renamed"}
    assert updated(client, "deals", made["id"]) == changed
    assert (
        updated(client, "deals", made["id"], hot=False, estimated_close_date=None)[
            "estimated_close_date"
        ]
        is None
    )
