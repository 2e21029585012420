"""A public client of the Sell API, as others have written it, does its work on the whole stack
unchanged."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import basecrm
import pytest

from tests.acceptance.stack import Home, Running
from tests.support.invariants import assert_promise

TEAM = ("ann", "bob", "cy")
CLIENTS, EACH = 30, 4

pytestmark = pytest.mark.timeout(400)


def make_pools(here: Home) -> str:
    """A pool for each type of record, and the token of an admin."""
    here.run("user", "add", "Root", "root@example.com", "--admin")
    members: list[str] = []
    for name in TEAM:
        here.run("user", "add", name.title(), f"{name}@example.com")
        members += ["--member", f"{name}@example.com"]
    for record_type in ("lead", "contact", "deal"):
        here.run("pool", "create", f"{record_type}s in turn", "--type", record_type, *members)
    return str(here.facts("user", "token", "root@example.com", "--name", "integration")["token"])


def pool(client: Any, record_type: str) -> int:
    """The id of a pool's user, found as integrations find it."""
    [found] = [
        user for user in client.users.list(per_page=100) if user.name == f"{record_type}s in turn"
    ]
    assert found.system_tags == ["distribution_pool", record_type]
    return int(found.id)


def names(client: Any, records: list[Any]) -> list[str]:
    return [client.users.retrieve(record.owner_id).name for record in records]


def check_leads(client: Any) -> None:
    """Created, read, updated, handed on, paged, filtered, deleted."""
    owner = pool(client, "lead")
    leads = [
        client.leads.create(
            last_name=f"L{number}",
            owner_id=owner,
            tags=["fair"],
            custom_fields={"Size": str(number)},
        )
        for number in range(4)
    ]
    assert names(client, leads) == ["Ann", "Bob", "Cy", "Ann"]

    read = client.leads.retrieve(leads[1].id)
    read.first_name, read.address.city = "Bea", "Oslo"
    updated = client.leads.update(read.id, read)
    assert (updated.first_name, updated.address.city, updated.owner_id, updated.tags) == (
        "Bea",
        "Oslo",
        leads[1].owner_id,
        ["fair"],
    )

    handed_on = client.leads.update(leads[0].id, owner_id=owner)
    assert names(client, [handed_on]) == ["Bob"]

    pages = [
        client.leads.list(page=page, per_page=3, sort_by="last_name:desc") for page in (1, 2, 3)
    ]
    assert [[lead.last_name for lead in page] for page in pages] == [["L3", "L2", "L1"], ["L0"], []]
    assert [lead.id for lead in client.leads.list(**{"address[city]": "Oslo"})] == [updated.id]
    assert [lead.id for lead in client.leads.list(**{"custom_fields[Size]": "3"})] == [leads[3].id]
    assert [
        lead.id
        for lead in client.leads.list(
            ids=f"{leads[2].id},{leads[3].id}", status="New", sort_by="id"
        )
    ] == [
        leads[2].id,
        leads[3].id,
    ]
    assert client.leads.destroy(leads[2].id) is True
    with pytest.raises(basecrm.RequestError) as gone:
        client.leads.retrieve(leads[2].id)
    assert (gone.value.http_status, gone.value.errors[0].code) == (404, "not_found")


def check_contacts_and_deals(client: Any) -> None:
    company = client.contacts.create(
        name="ACME", is_organization=True, owner_id=pool(client, "contact")
    )
    person = client.contacts.create(first_name="Ann", last_name="Lee", contact_id=company.id)
    stage = client.stages.list(name="Qualified")[0]
    deal = client.deals.create(
        name="Big",
        contact_id=person.id,
        value="1250.50",
        stage_id=stage.id,
        owner_id=pool(client, "deal"),
    )

    assert (company.name, company.is_organization, person.name, person.contact_id) == (
        "ACME",
        True,
        "Ann Lee",
        company.id,
    )
    assert (str(deal.value), deal.organization_id, deal.stage_id) == (
        "1250.50",
        company.id,
        stage.id,
    )
    assert names(client, [company, deal]) == ["Ann", "Ann"]
    assert client.contacts.update(company.id, company) == company
    assert client.deals.update(deal.id, hot=True).hot is True
    assert [each.id for each in client.deals.list(hot=True, organization_id=company.id)] == [
        deal.id
    ]
    assert [
        each.id for each in client.contacts.list(is_organization=False, sort_by="last_name:asc")
    ] == [person.id]


def check_conversion(client: Any) -> None:
    """The vendor's client has no service for it, but goes everywhere with its own."""
    source = client.lead_sources.create(name="Web")
    lead = client.leads.create(
        last_name="Hopper", organization_name="Navy", source_id=source.id, tags=["old"]
    )

    _, _, made = client.http_client.post(
        "/lead_conversions", body={"lead_id": lead.id, "owner_id": pool(client, "contact")}
    )

    person, company, deal = (
        client.contacts.retrieve(made.individual_id),
        client.contacts.retrieve(made.organization_id),
        None,
    )
    deal = client.deals.retrieve(made.deal_id)
    assert (person.name, company.name, deal.name, deal.source_id, deal.tags) == (
        "Hopper",
        "Navy",
        "Navy",
        source.id,
        ["old"],
    )
    assert names(client, [person, company, deal]) == ["Bob"] * 3


def check_errors(client: Any) -> None:
    with pytest.raises(basecrm.ResourceError) as refused:
        client.deals.create(name="Nobody's", contact_id=1, owner_id=pool(client, "lead"))
    assert (refused.value.errors[0].field, refused.value.errors[0].code) == (
        "/data/owner_id",
        "incorrect_value",
    )
    with pytest.raises(basecrm.RequestError) as unknown:
        client.leads.list(colour="red")
    assert (unknown.value.http_status, unknown.value.errors[0].code) == (400, "invalid_param")


def check_many_at_once(here: Home, client: Any, client_of: Any) -> None:
    """Thirty clients, each with a connection of its own, at one pool."""
    owner = pool(client, "lead")

    def create(number: int) -> list[int]:
        mine = client_of()
        return [
            mine.leads.create(last_name=f"C{number} {each}", owner_id=owner).owner_id
            for each in range(EACH)
        ]

    with ThreadPoolExecutor(CLIENTS) as threads:
        owners = Counter(
            owner_id for some in threads.map(create, range(CLIENTS)) for owner_id in some
        )

    assert sorted(owners.values()) == [CLIENTS * EACH // len(TEAM)] * len(TEAM)
    assert all(report["holds"] for report in here.facts("verify"))
    with here.system() as system:
        assert_promise(system, quiet=False)


def test_a_public_client_of_the_sell_api_works_unchanged(running: Running) -> None:
    here = running.home

    token = make_pools(here)

    def client_of() -> Any:
        return basecrm.Client(access_token=token, base_url=running.api)

    client = client_of()
    assert client.accounts.self().name == "Evenhand"
    assert client.users.self().email == "root@example.com"
    check_leads(client)
    check_contacts_and_deals(client)
    check_conversion(client)
    check_errors(client)
    check_many_at_once(here, client, client_of)
