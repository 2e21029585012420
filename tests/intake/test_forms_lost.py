"""Nothing that was accepted is lost, and nothing is accepted that isn't stored: whatever is away,
empty or gone."""

import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from api_stub.app import create_app
from tests.acceptance.stack import Home, home
from tests.api.asking import posted, refusal
from tests.api.test_server import api
from tests.intake.asking import LEE, define, page, send, send_json, token
from tests.support.factories import an_hour_passes, join, person
from tests.support.invariants import assert_promise, rows
from tests.support.tasks import SECRET_BOX, Tasks
from worker.flows.system import System
from worker.flows.system import system as the_system
from worker.flows.upkeep import sweeps, tidy
from worker.secret_box import secret_box
from worker.store.sql.engine import open_engine


@pytest.fixture
def away(system: System) -> Iterator[TestClient]:
    """A visitor of an API whose database is away."""
    engine = open_engine("postgresql+psycopg://nobody:secret@127.0.0.1:1/none")
    app = create_app()
    app.dependency_overrides |= {
        the_system: lambda: replace(system, engine=engine),
        secret_box: lambda: SECRET_BOX,
    }
    yield TestClient(app, raise_server_exceptions=False)
    engine.dispose()


def test_a_database_that_is_away_keeps_what_was_typed_on_the_page(
    client: TestClient, away: TestClient, system: System, form: Any
) -> None:
    given = token(form)
    typed = LEE | {"description": 'Line 1\nLine 2 "><script>', "first_name": ""}

    shown, kept, program = (
        away.get("/forms/contact-us"),
        send(away, form, typed, _token=given),
        send_json(away, form),
    )

    assert [answer.status_code for answer in (shown, kept, program)] == [503] * 3
    assert {answer.headers["retry-after"] for answer in (shown, kept, program)} == {"5"}
    assert "frame-ancestors" not in kept.headers["content-security-policy"]
    assert refusal(program)[1] == "database_unreachable"
    assert "nobody:secret" not in kept.text
    assert "<script>" not in kept.text
    hidden = {each["name"]: each["value"] for each in page(kept).all("input")}
    assert hidden == typed | {"_token": given}
    again = client.post(
        "/forms/contact-us", data={str(name): str(value) for name, value in hidden.items()}
    )
    assert again.status_code == 200
    assert [lead["description"] for lead in rows(system, "SELECT description FROM leads")] == [
        typed["description"]
    ]


def test_a_broker_that_is_away_is_nothing_to_the_visitor(
    client: TestClient, system: System, tasks: Tasks, form: Any
) -> None:
    assert send(client, form).status_code == 200

    tasks.lose()
    an_hour_passes(system)
    sweeps.sweep(system)
    tasks.drain(system)
    assert client.get("/api/why/lead/1").json()["turn"] == 1
    assert_promise(system)


def test_leads_of_an_empty_pool_wait_visibly_and_are_given_in_order_when_somebody_joins(
    client: TestClient, system: System, tasks: Tasks, form: Any
) -> None:
    posted(client, "/api/pools", name="Empty")
    empty = define(client, slug="empty", owner="Empty")

    ids = [send_json(client, empty).json()["lead"] for _ in range(3)]
    tasks.drain(system)

    waiting = client.get("/api/leads/waiting?pool=Empty").json()
    assert [(lead["id"], "no members" in lead["reason"]) for lead in waiting] == [
        (lead_id, True) for lead_id in ids
    ]
    join(system, "y@example.com", "z@example.com", name="Empty")
    tasks.drain(system)
    assert [
        client.get(f"/api/why/lead/{lead_id}").json()["owner"]["email"][0] for lead_id in ids
    ] == ["y", "z", "y"]
    assert_promise(system)


def test_leads_are_stored_although_their_pool_is_deleted(
    client: TestClient, system: System, tasks: Tasks, form: Any
) -> None:
    client.delete(f"/api/pools/{form['owner_id']}")

    assert send(client, form).status_code == 200

    tasks.drain(system)
    [delivery] = client.get(f"/api/forms/{form['id']}/deliveries").json()["deliveries"]
    assert (delivery["outcome"], delivery["leads"]) == ("accepted", [1])
    assert (
        delivery["reason"]
        == "The pool Inbound is deleted: the lead waits until it is given another owner."
    )
    assert [lead["id"] for lead in client.get("/api/leads/waiting").json()] == [1]
    assert client.get(f"/api/forms/{form['id']}").json()["owner"] == "Inbound"


def test_leads_are_stored_although_their_owner_is_deactivated(
    client: TestClient, system: System, form: Any
) -> None:
    mine = define(client, slug="mine", owner="a@example.com")
    client.post(f"/api/users/{mine['owner_id']}/deactivate")

    assert send(client, mine).status_code == 200

    [delivery] = client.get(f"/api/forms/{mine['id']}/deliveries").json()["deliveries"]
    assert delivery["reason"] == "A is deactivated, and has got the lead all the same."
    assert rows(system, "SELECT owner_id FROM leads") == [{"owner_id": mine["owner_id"]}]


def test_a_form_goes_to_another_pool_from_now_on(
    client: TestClient, system: System, tasks: Tasks, form: Any
) -> None:
    person(system, "z@example.com")
    posted(client, "/api/pools", name="Other", members=["z@example.com"])
    send(client, form)

    client.patch(f"/api/forms/{form['id']}", json={"owner": "Other"})
    send(client, form)

    tasks.drain(system)
    assert [client.get(f"/api/why/lead/{number}").json()["pool"] for number in (1, 2)] == [
        "Inbound",
        "Other",
    ]


def test_what_was_sent_is_listed_for_30_days(client: TestClient, system: System, form: Any) -> None:
    send(client, form)
    send(client, form, {})
    earlier = (datetime.now(UTC) - timedelta(days=31)).replace(tzinfo=None)
    system.transact(
        lambda session: session.execute(
            text("UPDATE deliveries SET at = :at WHERE id = 1").bindparams(at=earlier)
        )
    )

    tidy.tidy(system)

    assert [
        each["outcome"]
        for each in client.get(f"/api/forms/{form['id']}/deliveries").json()["deliveries"]
    ] == ["invalid"]
    assert len(rows(system, "SELECT id FROM leads")) == 1


# --- the command line, and the API as a process ---


@pytest.fixture
def here(sqlite_url: str, tmp_path: Path) -> Home:
    return home(tmp_path / "home", sqlite_url)


def test_an_operator_defines_a_form_by_command_shows_it_closes_it_and_deletes_it(
    here: Home,
) -> None:
    here.run("user", "add", "Ann", "ann@example.com")
    here.run("pool", "create", "Inbound", "--member", "ann@example.com")
    more = (
        "--source",
        "Web",
        "--tag",
        "a",
        "--tag",
        "b",
        "--origin",
        "https://a.com",
        "--thanks",
        "Bye",
    )

    usual = here.facts("form", "add", "Contact us", "--owner", "Inbound", *more)
    own = here.facts(
        "form",
        "add",
        "Ask",
        "--owner",
        "ann@example.com",
        "--field",
        "Name=surname*",
        "--field",
        "Size=Size:select(S|L)",
    )
    shown = here.run("form", "show", "Contact us").stdout

    assert [field["label"] for field in usual["fields"]] == [
        "First name",
        "Last name",
        "Email",
        "Company",
        "Message",
    ]
    assert (usual["source"], usual["tags"], usual["origins"], usual["thanks"]) == (
        "Web",
        ["a", "b"],
        ["https://a.com"],
        "Bye",
    )
    assert [(field["name"], field["type"], field["required"]) for field in own["fields"]] == [
        ("last_name", "text", True),
        ("Size", "select", False),
    ]
    assert usual["iframe"] in shown
    assert usual["html"] in shown
    assert "http://127.0.0.1:8000/forms/contact-us" in here.run("form", "list").stdout
    here.run("form", "disable", "ASK")
    assert [form["enabled"] for form in here.facts("form", "list")] == [True, False]
    here.run("form", "enable", "ask")
    assert here.facts("form", "deliveries", "ask") == []
    here.run("form", "delete", "ask")
    here.run("form", "show", "ask", fails=2)
    assert (
        "no pool and no active user"
        in here.run("form", "add", "Web", "--owner", "Nobody", fails=2).stderr
    )
    assert (
        "Email=email:email*"
        in here.run("form", "add", "Web", "--owner", "Inbound", "--field", "Email", fails=2).stderr
    )


@pytest.mark.parametrize(
    ("proxies", "statuses"), [("", [422, 422, 429]), ("10.0.0.1, 127.0.0.0/8", [422, 422, 422])]
)
def test_a_proxy_is_believed_if_the_settings_name_it(
    here: Home, valkey_url: str, valkey: Any, tmp_path: Path, proxies: str, statuses: list[int]
) -> None:
    here.run("user", "add", "Ann", "ann@example.com")
    here.run("form", "add", "Web", "--owner", "ann@example.com")
    database = here.environment["EVENHAND_DATABASE_URL"]
    settings = {
        "EVENHAND_DATABASE_URL": database,
        "EVENHAND_REDIS_URL": valkey_url,
        "EVENHAND_FORM_RATE_LIMIT": "2/hour",
    }

    with api(tmp_path, **settings, EVENHAND_TRUSTED_PROXIES=proxies) as port:
        answers = [post(port, f"192.0.2.{number}") for number in range(3)]

    assert answers == statuses


def post(port: int, forwarded_for: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Content-Type": "application/json", "X-Forwarded-For": forwarded_for}
    try:
        connection.request("POST", "/forms/web", json.dumps({"fields": {}, "token": ""}), headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_form_that_is_deleted_while_others_send_takes_no_lead_that_it_has_answered_for(
    client: TestClient, system: System, form: Any
) -> None:
    with ThreadPoolExecutor(4) as threads:
        sent = [threads.submit(send_json, client, form) for _ in range(12)]
        deleted = threads.submit(client.delete, f"/api/forms/{form['id']}")
        answers = [answer.result() for answer in sent]

    assert deleted.result().status_code == 204
    accepted = [answer.json()["lead"] for answer in answers if answer.status_code == 202]
    assert {answer.status_code for answer in answers} <= {202, 404}
    assert [lead["id"] for lead in rows(system, "SELECT id FROM leads ORDER BY id")] == sorted(
        accepted
    )
    assert rows(system, "SELECT id FROM deliveries") == []
