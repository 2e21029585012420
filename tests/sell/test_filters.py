"""The filters of lists: each finds exactly what it says, and nothing that it is tricked into."""

from typing import Any

from tests.api.asking import create_pool
from tests.sell.asking import created, listed, names, updated, wrong
from tests.support.factories import person
from worker.domain.records.types import CONTACT, DEAL, LEAD, RESOURCES
from worker.domain.resources import LEAD_SOURCE, TAG, USER, Resource
from worker.flows.system import System

OSLO = {"city": "Oslo", "country": "NO", "postal_code": "0150"}
ROME = {"city": "Rome", "country": "IT", "postal_code": "00100"}
_CITY = {f"address[{part}]": text for part, text in OSLO.items()}
PIPELINE, STAGE = (
    next(resource for resource in RESOURCES if resource.path == path)
    for path in ("pipelines", "stages")
)


def check_each(client: Any, resource: Resource, found: dict[str, Any], expected: list[str]) -> None:
    """Each filter that the resource declares finds the same, alone and with all others."""
    assert set(found) == set(resource.filters)
    for name, value in found.items():
        assert names(client, resource.path, {name: value}) == expected, name
    assert names(client, resource.path, found) == expected


def test_leads_are_found_by_each_filter(client: Any, member: Any) -> None:
    source = created(client, "lead_sources", name="Fair")["id"]
    said = {
        "email": "a@x",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "organization_name": "Analytics",
        "status": "Working",
    }
    created(client, "leads", last_name="Other", first_name="ada", email="b@x", address=ROME)
    created(
        client,
        "leads",
        last_name="Another",
        organization_name="Analytics Ltd",
        address={"state": "Oslo"},
    )
    lead = created(member, "leads", **said, address=OSLO, source_id=source)

    whose = {"creator_id": lead["creator_id"], "owner_id": lead["owner_id"], "source_id": source}
    check_each(client, LEAD, said | whose | _CITY, ["Lovelace"])
    assert names(client, "leads", {"status": "New"}) == ["Other", "Another"]
    assert names(client, "leads", {"first_name": "Ada", "status": "New"}) == []
    assert (
        names(client, "leads", {"owner_id": 999}) == names(client, "leads", {"owner_id": -1}) == []
    )


def test_contacts_are_found_by_each_filter(client: Any, member: Any) -> None:
    company = created(client, "contacts", is_organization=True, name="Analytics", address=ROME)[
        "id"
    ]
    said = {"email": "a@x", "first_name": "Ada", "last_name": "Lovelace"}
    created(client, "contacts", last_name="Aardvark", billing_address=OSLO)
    contact = created(member, "contacts", **said, contact_id=company, address=OSLO)
    created(member, "contacts", is_organization=True, name="Ada", address=ROME)

    person = said | {"name": "Ada Lovelace", "contact_id": company, "owner_id": contact["owner_id"]}
    found = {name: value for name, value in (person | _CITY).items() if name != "owner_id"}
    assert names(
        client, "contacts", {"owner_id": contact["owner_id"], "is_organization": "False"}
    ) == ["Ada Lovelace"]
    for name, value in found.items():
        assert names(client, "contacts", {name: value}) == ["Ada Lovelace"], name
    assert {*found, "owner_id", "is_organization"} == set(CONTACT.filters)
    for yes in ("True", "true", "1"):
        assert names(client, "contacts", {"is_organization": yes}) == ["Analytics", "Ada"]
    for no in ("False", "false", "0"):
        assert names(client, "contacts", {"is_organization": no}) == ["Aardvark", "Ada Lovelace"]
    assert names(client, "contacts", {"name": "Analytics"}) == ["Analytics"]
    assert wrong(client.get("/v2/contacts?is_organization=perhaps")) == [
        (400, "is_organization", "invalid_param")
    ]


def test_deals_are_found_by_each_filter(client: Any, member: Any) -> None:
    company = created(client, "contacts", is_organization=True, name="O")["id"]
    employee = created(client, "contacts", last_name="P", contact_id=company)["id"]
    loner = created(client, "contacts", last_name="Q")["id"]
    source = created(client, "lead_sources", name="Fair")["id"]
    created(
        client,
        "deals",
        name="Other",
        contact_id=loner,
        stage_id=1,
        estimated_close_date="2026-04-01",
    )
    said = {
        "contact_id": employee,
        "hot": True,
        "source_id": source,
        "stage_id": 3,
        "estimated_close_date": "2026-03-31",
    }
    deal = created(member, "deals", name="Meant", **said)

    whose = {
        "creator_id": deal["creator_id"],
        "owner_id": deal["owner_id"],
        "organization_id": company,
    }
    check_each(client, DEAL, said | whose | {"hot": "True"}, ["Meant"])
    assert (
        names(client, "deals", {"hot": "False"})
        == names(client, "deals", {"stage_id": 1})
        == ["Other"]
    )
    created(client, "deals", name="With the company itself", contact_id=company)
    assert names(client, "deals", {"organization_id": company}) == [
        "Meant",
        "With the company itself",
    ]
    assert (
        names(client, "deals", {"organization_id": employee})
        == names(client, "deals", {"organization_id": loner})
        == []
    )


def test_a_date_that_is_none_finds_nothing_and_is_refused(client: Any) -> None:
    for bad in (
        "2026-02-30",
        "2026-2-3",
        "31.03.2026",
        "\u0662\u0660\u0662\u0666-01-01",
        "2026-03-31T00:00:00Z",
        "0000-01-01",
        "",
    ):
        answer = client.get("/v2/deals", params={"estimated_close_date": bad})

        assert wrong(answer) == [(400, "estimated_close_date", "invalid_param")], bad


def test_users_are_found_by_each_filter_and_pools_are_users(client: Any, system: System) -> None:
    create_pool(client, members=2)
    person(system, "b2@example.com")
    client.post(f"/api/users/{person(system, 'gone@example.com')}/deactivate")

    said = {
        "confirmed": "True",
        "email": "root@example.com",
        "name": "Root",
        "role": "admin",
        "status": "active",
    }
    found = {name: names(client, "users", {name: value}) for name, value in said.items()}
    assert set(said) == set(USER.filters)
    assert found.pop("confirmed") == ["Root", "A", "B", "Inbound", "B2", "Gone"]
    assert found.pop("status") == ["Root", "A", "B", "Inbound", "B2"]
    assert list(found.values()) == [["Root"]] * 3
    assert names(client, "users", {"confirmed": "False"}) == []
    assert names(client, "users", {"status": "inactive"}) == ["Gone"]
    [pool] = listed(client, "users", {"name": "Inbound"})
    assert (pool["email"], pool["identity_type"], pool["system_tags"]) == (
        None,
        "integration",
        ["distribution_pool", "lead"],
    )
    assert (pool["status"], pool["role"], pool["sell_login_disabled"]) == ("active", "user", True)
    client.delete(f"/api/pools/{pool['id']}")
    [gone] = listed(client, "users", {"name": "Inbound"})
    assert (gone["status"], gone["deleted_at"] is None) == ("inactive", False)


def test_labels_stages_and_pipelines_are_found_by_each_filter(client: Any, member: Any) -> None:
    for path, more in (("lead_sources", {}), ("tags", {"resource_type": "lead"})):
        created(client, path, name="Other", **more)
    created(member, "lead_sources", name="Meant")
    tag = created(member, "tags", name="Meant", resource_type="deal")

    check_each(client, LEAD_SOURCE, {"name": "Meant"}, ["Meant"])
    check_each(
        client,
        TAG,
        {"name": "Meant", "creator_id": tag["creator_id"], "resource_type": "deal"},
        ["Meant"],
    )
    check_each(client, PIPELINE, {"name": "Sales Pipeline"}, ["Sales Pipeline"])
    assert names(client, "stages", {"active": "False"}) == ["Won", "Lost", "Unqualified"]
    assert names(client, "stages", {"active": "True", "name": "Quote", "pipeline_id": 1}) == [
        "Quote"
    ]
    assert len(names(client, "stages")) == 7
    assert names(client, "stages", {"pipeline_id": 2}) == []
    assert set(STAGE.filters) == {"active", "name", "pipeline_id"}


# --- custom fields ---

ODD = (
    "Region", "region", "A b", 'say "hi"', "it's", "a.b", "$.a", "100%", "%s", "%(x)s", ":moment",
    "a[0", "[", "]", "Budget [EUR]", "a][b",
    "line\nbreak", "{}",
    "back\\slash", "a/b",     "été", "日本", "😀", "a&b=c", "#", "'; DROP TABLE leads; --",
    "' OR '1'='1", "$[*]", "x" * 320,
)  # fmt: skip


def test_custom_fields_are_found_by_names_however_odd(client: Any) -> None:
    created(client, "leads", last_name="Meant", custom_fields={name: name.strip() for name in ODD})
    created(
        client, "leads", last_name="Other", custom_fields=dict(zip(ODD, ODD[::-1], strict=True))
    )

    for name, other in zip(ODD, ODD[::-1], strict=True):
        assert names(client, "leads", {f"custom_fields[{name}]": name}) == (
            ["Meant"] if name != other else ["Meant", "Other"]
        ), name
    assert names(client, "leads", {"custom_fields[a.b]": "a.b", "custom_fields[$.a]": "a.b"}) == []
    for name in ("a", "0", "a.b.c", "*", "%", "_egion", "x" * 319):
        assert [names(client, "leads", {f"custom_fields[{name}]": odd}) for odd in ODD[:3]] == [
            []
        ] * 3
    assert len(names(client, "contact/custom_fields")) == 0
    assert set(names(client, "lead/custom_fields")) == set(ODD)


def test_custom_fields_are_found_by_text_number_and_boolean(client: Any) -> None:
    values = {
        "text": "7",
        "integer": 7,
        "decimal": 1.5,
        "yes": True,
        "no": False,
        "long": 2**53 + 1,
        "list": ["a", "b"],
        "quoted": '"7"',
    }
    for name, value in values.items():
        created(client, "contacts", last_name=name, custom_fields={"N": value, "other": 7})

    def found(text: str) -> list[str]:
        return sorted(names(client, "contacts", {"custom_fields[N]": text}))

    assert found("7") == ["integer", "text"]
    assert (found("1.5"), found("true"), found("false")) == (["decimal"], ["yes"], ["no"])
    assert (found(str(2**53 + 1)), found('"7"')) == (["long"], ["quoted"])
    assert found("1") == found("0") == found("null") == found("") == found("a") == []


def test_what_looks_like_sql_or_a_pattern_is_plain_text(client: Any) -> None:
    tricks = (
        "' OR 1=1 --",
        "%",
        "_",
        "\\",
        "'); DROP TABLE leads; --",
        "* ",
        "{}",
        ":name",
        "%(name)s",
        "NULL",
    )
    created(client, "leads", last_name="Plain", status="Working", custom_fields={"a": "b"})
    source = created(client, "lead_sources", name="Fair")["id"]

    for trick in tricks:
        for parameter in (
            "last_name",
            "status",
            "email",
            "address[city]",
            "custom_fields[a]",
            f"custom_fields[{trick}]",
        ):
            assert names(client, "leads", {parameter: trick}) == [], (parameter, trick)
        assert (
            created(client, "leads", last_name="Tricked", status=trick)["status"] == trick.strip()
        )
        updated(client, "lead_sources", source, name=trick)
    found = [name for trick in tricks for name in names(client, "leads", {"status": trick.strip()})]
    assert found == ["Tricked"] * len(tricks)
    assert names(client, "leads", {"status": "Working"}) == ["Plain"]
