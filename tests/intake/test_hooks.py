"""Webhooks over HTTP: who may deliver, what becomes of a delivery, and that nothing is stored twice
or lost."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import update
from starlette.testclient import TestClient

from api_stub.app import MOST_BODY_BYTES
from tests.api.asking import create_pool, refusal
from tests.intake.senders import KINDS, NAMED, Sender, add, outcome
from tests.support.factories import an_hour_passes, join, person
from tests.support.invariants import assert_promise, everything, rows
from tests.support.tasks import Tasks
from worker.flows.system import System
from worker.flows.system import system as the_system
from worker.flows.upkeep import sweeps
from worker.settings import Settings, settings
from worker.store.sql.engine import open_engine, writing
from worker.store.tables import deliveries, integrations

EACH = pytest.mark.parametrize("kind", KINDS)


def leads(system: System) -> list[dict[str, Any]]:
    return rows(system, "SELECT * FROM leads ORDER BY id")


# --- who is let in ---


@EACH
def test_what_is_signed_becomes_a_lead_in_turn(
    client: TestClient, stranger: TestClient, system: System, send: Tasks, kind: str
) -> None:
    create_pool(client, members=2)
    sender = add(client, kind, stranger, tags=["web"], source="elsewhere")

    answers = [sender.deliver(number) for number in (1, 2, 3)]

    assert [outcome(answer)["outcome"] for answer in answers] == ["accepted"] * 3
    assert send.names().count("captures.assign") == 3
    send.drain(system)
    why = [client.get(f"/api/why/lead/{outcome(answer)['leads'][0]}").json() for answer in answers]
    assert [(each["turn"], each["owner"]["email"]) for each in why] == [
        (1, "a@example.com"),
        (2, "b@example.com"),
        (3, "a@example.com"),
    ]
    assert {(lead["source"], "web" in lead["tags"]) for lead in leads(system)} == {
        ("elsewhere", True)
    }
    assert_promise(system)


@EACH
def test_what_is_not_signed_is_refused_without_a_hint_and_leaves_no_lead(
    client: TestClient, system: System, kind: str
) -> None:
    create_pool(client)
    sender = add(client, kind)
    body = json.dumps(NAMED[kind](1, "Ann Lee")).encode()
    good = sender.signed(body)
    wrong = [
        {},
        sender._replace(secret="whsec_" + "A" * 32).signed(body),
        {name: "" if name != "Content-Type" else value for name, value in good.items()},
    ]

    answers = [
        client.post(sender.url, content=body, headers={"Authorization": "", **headers})
        for headers in wrong
    ]
    unreadable = client.post(sender.url, content=b"{", headers={"Authorization": ""})

    assert len({refusal(answer) for answer in [*answers, unreadable]}) == 1
    assert refusal(answers[0])[:2] == (401, "bad_signature")
    assert leads(system) == []
    [listed] = client.get(f"/api/integrations/{sender.integration['id']}/deliveries").json()[
        "deliveries"
    ]
    assert (listed["outcome"], listed["repeats"], listed["leads"]) == ("refused", 3, [])


def test_an_unknown_slug_and_a_disabled_integration_are_the_same(
    client: TestClient, system: System
) -> None:
    create_pool(client)
    sender = add(client, "standard")
    client.patch(f"/api/integrations/{sender.integration['id']}", json={"enabled": False})
    before = everything(system)["deliveries"]

    disabled, unknown = sender.deliver(), client.post("/hooks/nowhere", content=b"{}")

    assert refusal(disabled) == refusal(unknown)
    assert refusal(unknown)[:2] == (404, "unknown_hook")
    assert everything(system)["deliveries"] == before
    client.patch(f"/api/integrations/{sender.integration['id']}", json={"enabled": True})
    assert outcome(sender.deliver())["outcome"] == "accepted"


@pytest.mark.parametrize(
    ("body", "words"), [(b"{", "no JSON"), (b"\xff", "no JSON"), (b'{"a": NaN}', "no JSON")]
)
def test_what_is_signed_and_unreadable_is_told_so(
    client: TestClient, body: bytes, words: str
) -> None:
    create_pool(client)
    sender = add(client, "zapier")

    answer = sender.send(body)

    assert refusal(answer)[:2] == (400, "unreadable_delivery")
    assert words in refusal(answer)[2]
    [listed] = client.get(f"/api/integrations/{sender.integration['id']}/deliveries").json()[
        "deliveries"
    ]
    assert listed["outcome"] == "refused"


@EACH
def test_a_body_has_a_limit(client: TestClient, system: System, kind: str) -> None:
    create_pool(client)
    sender = add(client, kind)

    answer = sender.send(b" " * (MOST_BODY_BYTES + 1))

    assert refusal(answer)[:2] == (413, "body_too_large")
    assert rows(system, "SELECT id FROM deliveries") == []


def test_hubspot_signs_the_address_under_which_others_reach_the_api(
    client: TestClient, app: FastAPI
) -> None:
    create_pool(client)
    sender = add(client, "hubspot")
    app.dependency_overrides[settings] = lambda: Settings(public_url="https://leads.example.com")
    body = json.dumps(NAMED["hubspot"](1, "")).encode()

    class Outside(Sender):
        @property
        def url(self) -> str:
            return f"https://leads.example.com{self.integration['path']}?a=%3A%20b"

    signed = Outside(*sender).signed(body)
    address = f"{sender.integration['path']}?a=%3A%20b"

    assert client.post(address, content=body, headers=signed).status_code == 401
    decoded = {**signed, "X-HubSpot-Signature-v3": ""}
    now = signed["X-HubSpot-Request-Timestamp"]
    told = f"POST{Outside(*sender).url.replace('%3A', ':')}".encode() + body + now.encode()
    decoded["X-HubSpot-Signature-v3"] = sender._hmac(told)
    assert client.post(address, content=body, headers=decoded).status_code == 202


def test_zapier_shows_its_secret_in_a_header_or_as_a_password(client: TestClient) -> None:
    create_pool(client)
    sender = add(client, "zapier")
    password = base64.b64encode(f"zap:{sender.secret}".encode()).decode()

    by_password = client.post(
        sender.url, json={"name": "Ann"}, headers={"Authorization": f"Basic {password}"}
    )
    wrong = client.post(
        sender.url, json={"name": "Ann"}, headers={"Authorization": f"Basic {password[:-4]}"}
    )

    assert outcome(by_password)["outcome"] == "accepted"
    assert wrong.status_code == 401


def test_a_rotated_secret_is_good_for_a_day(client: TestClient, system: System) -> None:
    create_pool(client)
    old = add(client, "standard")
    new, newest = (old._replace(secret=f"whsec_{letter * 32}") for letter in "AB")
    address = f"/api/integrations/{old.integration['id']}/rotate"

    rotated = client.post(address, json={"secret": new.secret})

    assert (rotated.status_code, rotated.json()["former_secret_until"] is None) == (200, False)
    assert [sender.deliver().status_code for sender in (old, new)] == [202, 202]
    with writing(system.engine) as session:
        session.execute(
            update(integrations).values(former_until=datetime.now(UTC) - timedelta(seconds=1))
        )
    assert [sender.deliver().status_code for sender in (old, new)] == [401, 202]
    client.post(address, json={"secret": newest.secret})
    assert [sender.deliver().status_code for sender in (old, new, newest)] == [401, 202, 202]


# --- what comes of it ---


def test_zapier_may_bring_several_and_may_send_a_form(client: TestClient, system: System) -> None:
    create_pool(client)
    sender = add(client, "zapier")

    several = sender.send(json.dumps([{"name": "Ann Lee"}, {"x": 1}, {"name": "Bob Ray"}]).encode())
    form = sender.send(
        b"last_name=Fox&Budget=7+000&empty=",
        **{"Content-Type": "application/x-www-form-urlencoded"},
    )

    assert [(each["outcome"], len(each["leads"])) for each in several.json()["deliveries"]] == [
        ("accepted", 1),
        ("invalid", 0),
        ("accepted", 1),
    ]
    assert outcome(form)["outcome"] == "accepted"
    assert [lead["last_name"] for lead in leads(system)] == ["Lee", "Ray", "Fox"]
    assert "7 000" in str(leads(system)[-1]["custom_fields"])


def test_what_makes_no_lead_is_answered_and_kept_with_the_reason(client: TestClient) -> None:
    create_pool(client)
    zendesk, zapier = add(client, "zendesk-support"), add(client, "zapier")

    ignored = outcome(zendesk.send(b'{"event":"ticket.updated","id":123}'))
    empty = outcome(zendesk.send(b""))
    invalid = outcome(zapier.send(b'{"mail": "a@example.com"}'))

    assert [each["outcome"] for each in (ignored, empty, invalid)] == [
        "ignored",
        "ignored",
        "invalid",
    ]
    assert "ticket.updated" in ignored["reason"]
    assert "needs last name" in invalid["reason"]
    page = client.get(f"/api/integrations/{zendesk.integration['id']}/deliveries?limit=1").json()
    assert (page["deliveries"][0]["reason"], page["next"]) == (empty["reason"], empty["id"])
    [older] = client.get(
        f"/api/integrations/{zendesk.integration['id']}/deliveries?before={page['next']}"
    ).json()["deliveries"]
    assert older["reason"] == ignored["reason"]


def test_a_person_may_own_the_leads(client: TestClient, system: System, send: Tasks) -> None:
    create_pool(client)
    sender = add(client, "standard", owner="a@example.com")

    sender.deliver()

    assert send.waiting == []
    assert [lead["owner_id"] for lead in leads(system)] == [person(system, "a@example.com")]


def test_leads_of_an_owner_that_is_no_more_are_stored_and_that_is_said(
    client: TestClient, system: System, send: Tasks
) -> None:
    pool = create_pool(client)
    person(system, "z@example.com")
    to_pool, to_person = add(client, "standard"), add(client, "zapier", owner="z@example.com")
    client.post(f"/api/users/{person(system, 'z@example.com')}/deactivate")
    client.delete(f"/api/pools/{pool['id']}")

    pooled, owned = outcome(to_pool.deliver()), outcome(to_person.deliver())
    send.drain(system)

    assert (
        pooled["reason"]
        == "The pool Inbound is deleted: the lead waits until it is given another owner."
    )
    assert "deactivated" in owned["reason"]
    assert [lead["id"] for lead in client.get("/api/leads/waiting").json()] == pooled["leads"]
    assert len(leads(system)) == 2
    assert_promise(system)


# --- repeats ---


@EACH
def test_what_comes_again_does_nothing_and_is_counted(
    client: TestClient, system: System, kind: str
) -> None:
    create_pool(client)
    sender = add(client, kind)

    first, second = (outcome(sender.deliver(7, key="k1")) for _ in range(2))
    other = outcome(sender.deliver(8, key="k2"))

    assert (first["repeated"], second["repeated"], other["repeated"]) == (False, True, False)
    assert second == first | {"repeated": True}
    assert len(leads(system)) == 2
    [_, listed] = client.get(f"/api/integrations/{sender.integration['id']}/deliveries").json()[
        "deliveries"
    ]
    assert (listed["repeats"], listed["leads"]) == (1, first["leads"])


def test_a_hubspot_event_that_is_regrouped_or_retried_makes_no_second_lead(
    client: TestClient, system: System
) -> None:
    create_pool(client)
    sender = add(client, "hubspot")
    one, two, three = (NAMED["hubspot"](number, "")[0] for number in (1, 2, 3))

    sender.send(json.dumps([one, two, one]).encode())
    again = sender.send(json.dumps([three, two | {"attemptNumber": 1}]).encode())

    assert [each["repeated"] for each in again.json()["deliveries"]] == [False, True]
    assert [lead["last_name"] for lead in leads(system)] == [
        f"HubSpot contact {number}" for number in (1, 2, 3)
    ]


def test_the_same_body_from_zapier_is_a_repeat_for_a_minute(
    client: TestClient, system: System
) -> None:
    create_pool(client)
    sender = add(client, "zapier")

    def again() -> bool:
        answer = client.post(
            sender.url,
            json={"name": "Ann"},
            headers={"X-Evenhand-Secret": sender.secret, "Authorization": ""},
        )
        return bool(outcome(answer)["repeated"])

    assert [again(), again()] == [False, True]
    [kept] = rows(system, "SELECT key FROM deliveries")
    digest, _, minute = kept["key"].partition("@")
    with writing(system.engine) as session:
        session.execute(
            update(deliveries).values(
                key=f"{digest}@{int(minute) - 1}", at=datetime.now(UTC) - timedelta(seconds=30)
            )
        )
    assert again()
    with writing(system.engine) as session:
        session.execute(update(deliveries).values(at=datetime.now(UTC) - timedelta(seconds=61)))
    assert not again()
    assert len(leads(system)) == 2


@EACH
def test_of_many_repeats_at_once_one_makes_the_lead(
    client: TestClient, system: System, send: Tasks, kind: str
) -> None:
    create_pool(client, members=3)
    sender = add(client, kind)
    bodies = [json.dumps(NAMED[kind](number, "Ann Lee")).encode() for number in range(3)]
    calls = [(body, sender.signed(body, f"k{number}")) for number, body in enumerate(bodies)] * 6

    with ThreadPoolExecutor(6) as threads:
        answers = list(
            threads.map(
                lambda each: client.post(sender.url, content=each[0], headers=each[1]), calls
            )
        )

    assert {answer.status_code for answer in answers} == {202}
    assert sum(not outcome(answer)["repeated"] for answer in answers) == 3
    assert len({outcome(answer)["leads"][0] for answer in answers}) == len(leads(system)) == 3
    assert rows(system, "SELECT sum(repeats) AS repeats FROM deliveries") == [{"repeats": 15}]
    send.drain_in_threads(system, 4)
    assert_promise(system)


# --- nothing is lost ---


def test_a_database_that_is_away_is_no_success_and_says_when_to_come_again(
    client: TestClient, app: FastAPI, system: System
) -> None:
    create_pool(client)
    sender = add(client, "standard")
    away = open_engine("postgresql+psycopg://nobody:secret@127.0.0.1:1/none")
    app.dependency_overrides[the_system] = lambda: replace(system, engine=away)

    answer = sender.deliver()

    assert refusal(answer)[:2] == (503, "database_unreachable")
    assert int(answer.headers["retry-after"]) > 0


@EACH
def test_what_was_accepted_is_assigned_although_the_broker_loses_the_task(
    client: TestClient, system: System, send: Tasks, kind: str
) -> None:
    create_pool(client, members=2)
    sender = add(client, kind)
    assert [sender.deliver(number).status_code for number in (1, 2)] == [202, 202]
    send.lose()
    an_hour_passes(system)

    sweeps.sweep(system)
    send.drain(system)

    assert [lead["turn"] for lead in leads(system)] == [1, 2]
    assert_promise(system)


def test_leads_of_a_pool_without_members_wait_until_somebody_joins(
    client: TestClient, system: System, send: Tasks
) -> None:
    create_pool(client, members=0)
    sender = add(client, "zendesk-chat")
    sender.deliver(1), sender.deliver(2)
    send.drain(system)
    assert len(client.get("/api/leads/waiting").json()) == 2

    join(system, "z@example.com")
    send.drain(system)

    assert [lead["turn"] for lead in leads(system)] == [1, 2]
    assert_promise(system)


# --- replaying ---


def test_what_was_invalid_is_replayed_with_another_mapping(
    client: TestClient, system: System, send: Tasks
) -> None:
    create_pool(client)
    sender = add(client, "zapier")
    invalid = outcome(sender.send(b'{"who": {"surname": "Lee"}}'))
    client.patch(
        f"/api/integrations/{sender.integration['id']}",
        json={"mapping": {"last_name": "who.surname"}},
    )

    replayed = client.post(f"/api/deliveries/{invalid['id']}/replay")
    again = client.post(f"/api/deliveries/{invalid['id']}/replay")
    send.drain(system)

    assert (replayed.status_code, replayed.json()["outcome"], replayed.json()["reason"]) == (
        200,
        "accepted",
        None,
    )
    assert refusal(again)[:2] == (409, "not_replayable")
    assert "which is still there" in refusal(again)[2]
    assert [(lead["last_name"], lead["turn"]) for lead in leads(system)] == [("Lee", 1)]
    assert outcome(sender.send(b'{"who": {"surname": "Ray"}}'))["outcome"] == "accepted"
    assert_promise(system)


def test_a_delivery_whose_lead_was_deleted_is_replayed(
    client: TestClient, system: System, send: Tasks
) -> None:
    create_pool(client)
    delivered = outcome(add(client, "standard").deliver())
    send.drain(system)
    client.delete(f"/v2/leads/{delivered['leads'][0]}", headers={"User-Agent": "tests"})

    replayed = client.post(f"/api/deliveries/{delivered['id']}/replay").json()
    send.drain(system)

    assert replayed["leads"] != delivered["leads"]
    assert leads(system)[-1]["turn"] == 2
    assert_promise(system)


def test_what_is_gone_or_was_refused_is_not_replayed(client: TestClient) -> None:
    create_pool(client)
    sender = add(client, "standard")
    client.post(sender.url, content=b"{}")
    [refused] = client.get(f"/api/integrations/{sender.integration['id']}/deliveries").json()[
        "deliveries"
    ]

    assert refusal(client.post(f"/api/deliveries/{refused['id']}/replay"))[:2] == (
        409,
        "not_replayable",
    )
    assert refusal(client.post("/api/deliveries/999/replay"))[:2] == (404, "unknown_delivery")
