"""What there is beside records and labels: the account, the users, pipelines, stages, statuses and
the names of custom fields."""

from typing import Any

from sqlalchemy import insert

from tests.api.asking import create_pool
from tests.sell.asking import created, listed, names, shown, told, updated
from worker.domain.records.types import RESOURCES
from worker.domain.resources import ACCOUNT, USER
from worker.flows.system import System
from worker.store.sql.clock import now
from worker.store.sql.engine import writing
from worker.store.tables import pipelines, stages


def test_the_account_tells_its_currency_and_since_when_it_is(client: Any) -> None:
    answer = client.get("/v2/accounts/self")

    account = told(answer)
    assert answer.json()["meta"] == {"type": "account"}
    assert set(account) == set(ACCOUNT.by_name)
    assert (account["id"], account["currency"], account["timezone"]) == (1, "USD", "UTC")
    assert account["created_at"] == shown(client, "users", 1)["created_at"]


def test_everybody_is_shown_who_they_are(client: Any, member: Any) -> None:
    root, me = shown(client, "users", "self"), shown(member, "users", "self")

    assert (root["id"], root["email"], root["role"]) == (1, "root@example.com", "admin")
    assert (me["email"], me["role"], me["name"]) == ("member@example.com", "user", "Member")
    assert me == shown(client, "users", me["id"])
    assert set(me) == set(USER.by_name)
    plain = {
        "confirmed": True,
        "status": "active",
        "invited": False,
        "detached": False,
        "sell_login_disabled": False,
    }
    assert {name: me[name] for name in plain} == plain
    assert (me["system_tags"], me["roles"], me["group"], me["identity_type"], me["deleted_at"]) == (
        [],
        [],
        None,
        "user",
        None,
    )


def test_a_pool_is_a_user_by_the_same_id(client: Any) -> None:
    pool = create_pool(client, record_type="deal")

    user = shown(client, "users", pool["id"])

    assert (user["name"], user["system_tags"]) == ("Inbound", ["distribution_pool", "deal"])
    assert (user["email"], user["sell_login_disabled"], user["identity_type"]) == (
        None,
        True,
        "integration",
    )


def test_there_is_a_pipeline_with_its_stages(client: Any) -> None:
    [pipeline], found = listed(client, "pipelines"), listed(client, "stages")

    assert (pipeline["id"], pipeline["name"], pipeline["disabled"]) == (1, "Sales Pipeline", False)
    shown = ("name", "category", "position", "likelihood", "active")
    assert [tuple(stage[name] for name in shown) for stage in found] == [
        ("Incoming", "incoming", 1, 10, True), ("Qualified", "qualified", 2, 25, True),
        ("Quote", "quote", 3, 50, True),
        ("Closure", "closure", 4, 75, True), ("Won", "won", 5, 100, False),
        ("Lost", "lost", 6, 0, False),
        ("Unqualified", "unqualified", 7, 0, False),
    ]  # fmt: skip
    assert {stage["pipeline_id"] for stage in found} == {1}
    assert listed(client, "stages", {"pipeline_id": 2}) == []


def test_stages_are_those_of_the_first_pipeline_unless_another_is_named(
    client: Any, system: System
) -> None:
    with writing(system.engine) as session:
        moments = {"created_at": now(), "updated_at": now()}
        session.execute(insert(pipelines).values(name="Renewals", **moments))
        facts = {"category": "incoming", "position": 1, "likelihood": 5, "active": True}
        session.execute(insert(stages).values(pipeline_id=2, name="Due", **facts, **moments))

    assert len(names(client, "stages")) == 7
    assert names(client, "stages", {"pipeline_id": 2}) == ["Due"]
    assert names(client, "stages", {"name": "Due"}) == []
    contact = created(client, "contacts", last_name="L")["id"]
    deal = created(client, "deals", name="D", contact_id=contact)
    assert deal["stage_id"] == 1
    assert updated(client, "deals", deal["id"], stage_id=8)["stage_id"] == 8


def test_statuses_and_the_names_of_custom_fields_are_listed_as_they_come_up(client: Any) -> None:
    person = created(client, "contacts", last_name="P", custom_fields={"Size": 1})["id"]
    lead = created(
        client,
        "leads",
        last_name="L",
        status="Called twice",
        custom_fields={"Region": "EU", "Gone": None},
    )["id"]
    created(client, "deals", name="D", contact_id=person, custom_fields={"Term": "long"})
    updated(client, "leads", lead, custom_fields={"Region": None, "Zone": "1"}, status="working")

    assert names(client, "lead_statuses") == [
        "New",
        "Working",
        "Unqualified",
        "Converted",
        "Called twice",
        "working",
    ]
    assert [names(client, f"{kind}/custom_fields") for kind in ("lead", "contact", "deal")] == [
        ["Region", "Zone"],
        ["Size"],
        ["Term"],
    ]
    [field] = listed(client, "deal/custom_fields")
    assert (field["type"], field["resource_type"]) == ("string", "deal")


def test_every_item_holds_all_that_its_resource_says(client: Any) -> None:
    lead = created(client, "leads", last_name="L", tags=["t"], custom_fields={"f": 1})["id"]
    created(client, "lead_conversions", lead_id=lead)
    for path in ("leads", "contacts"):
        created(client, path, last_name="L", custom_fields={"f": 1})
    created(client, "deals", name="D", contact_id=1, custom_fields={"f": 1})
    created(client, "lead_sources", name="S")

    for resource in RESOURCES:
        [first, *_] = listed(client, resource.path)
        assert list(first) == list(resource.by_name), resource.path
