"""Leads that are captured over HTTP, those that wait, and runs that are cancelled and retried."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from api_stub.app import MOST_BODY_BYTES
from tests.api.asking import create_pool, posted, refusal, upload
from tests.support.factories import an_hour_passes, antidote, join, poison
from tests.support.invariants import assert_promise, everything, rows
from tests.support.tasks import Tasks, run
from worker.flows.system import System
from worker.flows.system import system as the_system
from worker.flows.upkeep import sweeps
from worker.store.leases import MOST_ATTEMPTS
from worker.store.sql.engine import open_engine


def capture(client: Any, pool: str = "Inbound", **facts: Any) -> Any:
    return client.post(
        "/api/leads/capture", json={"pool": pool, "lead": {"last_name": "Lee", **facts}}
    )


# --- capture ---


def test_a_lead_is_answered_for_when_it_is_stored_and_then_given_to_the_next(
    client: Any, system: System, send: Tasks
) -> None:
    create_pool(client, members=2)

    answers = [
        capture(client, Email=f"{name}@example.com", tags=["fair"], Budget=7)
        for name in ("ann", "bob", "cy")
    ]

    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert answers[0].json() == {"id": 1, "pool": "Inbound"}
    assert [task.arguments for task in send.waiting] == [
        {"lead": answer.json()["id"]} for answer in answers
    ]
    send.drain(system)
    whys = [client.get(f"/api/why/lead/{answer.json()['id']}").json() for answer in answers]
    assert [(why["turn"], why["owner"]["email"]) for why in whys] == [
        (1, "a@example.com"),
        (2, "b@example.com"),
        (3, "a@example.com"),
    ]
    assert (whys[0]["cause"], whys[0]["claim"]) == ("capture", "lead:1:capture")
    assert [row["email"] for row in rows(system, "SELECT email FROM leads ORDER BY id")] == [
        f"{n}@example.com" for n in ("ann", "bob", "cy")
    ]
    assert_promise(system)


def test_a_lead_is_stored_although_the_broker_loses_its_task(
    client: Any, system: System, send: Tasks
) -> None:
    create_pool(client, members=2)
    assert capture(client).status_code == 202
    send.lose()
    an_hour_passes(system)

    sweeps.sweep(system)
    send.drain(system)

    assert client.get("/api/why/lead/1").json()["turn"] == 1
    assert_promise(system)


@pytest.mark.parametrize(
    ("body", "status", "code", "words"),
    [
        ({"pool": "Nowhere", "lead": {"last_name": "Lee"}}, 404, "unknown_pool", "'Nowhere'"),
        (
            {"pool": "Deals", "lead": {"last_name": "Lee"}},
            422,
            "wrong_pool_type",
            "can't take a lead",
        ),
        ({"pool": "Inbound", "lead": {}}, 422, "bad_lead", "last_name"),
        ({"pool": "Inbound", "lead": {"last_name": ["Lee"]}}, 422, "bad_lead", "last_name"),
        (
            {"pool": "Inbound", "lead": {"last_name": "Lee", "email": "x" * 400}},
            422,
            "bad_lead",
            "email",
        ),
        ({"pool": "Inbound", "lead": {"last_name": "L\0e"}}, 422, "bad_lead", "last_name"),
        ({"pool": "Inbound", "lead": {"last_name": "Lee", "a\0b": "1"}}, 422, "bad_lead", "a?b"),
        ({"pool": "Inbound", "lead": {"last_name": "Lee", "tags": [1]}}, 422, "bad_lead", "tags"),
        (
            {"pool": "Inbound", "lead": {"last_name": "Lee", "custom_fields": {"x": []}}},
            422,
            "bad_lead",
            "custom_fields x",
        ),
        ({"pool": "Inbound", "lead": [{"last_name": "Lee"}]}, 422, "invalid_type", "dictionary"),
        ({"pool": "Inbound", "last_name": "Lee"}, 422, "missing", "required"),
        (
            {"pool": "Inbound", "lead": {"last_name": "Lee"}, "source": "fair"},
            422,
            "unknown",
            "misspelt",
        ),
        ({"lead": {"last_name": "Lee"}}, 422, "missing", "required"),
    ],
)
def test_what_is_no_lead_for_a_pool_is_refused_and_not_stored(
    client: Any,
    system: System,
    send: Tasks,
    body: dict[str, Any],
    status: int,
    code: str,
    words: str,
) -> None:
    create_pool(client)
    posted(client, "/api/pools", name="Deals", record_type="deal")
    before = everything(system)

    answer = client.post("/api/leads/capture", json=body)

    assert refusal(answer)[:2] == (status, code)
    assert words in refusal(answer)[2]
    assert (everything(system), send.waiting) == (before, [])


@pytest.mark.parametrize("name", ["last_name", "\\ud800"])
def test_half_a_character_is_refused_by_its_field(client: Any, name: str) -> None:
    create_pool(client)
    body = f'{{"pool": "Inbound", "lead": {{"last_name": "Lee", "{name}": "\\ud83d"}}}}'.encode()

    answer = client.post(
        "/api/leads/capture", content=body, headers={"Content-Type": "application/json"}
    )

    assert refusal(answer)[:2] == (422, "bad_lead")


def test_a_lead_has_a_limit_to_its_size(client: Any) -> None:
    create_pool(client)

    assert capture(client, description="x" * 10_000).status_code == 202
    assert refusal(capture(client, description="x" * MOST_BODY_BYTES))[:2] == (
        413,
        "body_too_large",
    )


def test_a_database_that_is_away_is_no_success_and_says_when_to_come_again(
    client: Any, system: System
) -> None:
    away = replace(
        system, engine=open_engine("postgresql+psycopg://nobody:secret@127.0.0.1:1/none")
    )
    client.app.dependency_overrides[the_system] = lambda: away

    answers = [capture(client), client.get("/api/leads/waiting"), client.post("/api/leads/retry")]

    assert [refusal(answer)[:2] for answer in answers] == [(503, "database_unreachable")] * 3
    assert all(int(answer.headers["retry-after"]) > 0 for answer in answers)


# --- waiting, and retry ---


def test_leads_that_wait_are_listed_oldest_first_with_the_reason(
    client: Any, system: System, send: Tasks
) -> None:
    create_pool(client)
    posted(client, "/api/pools", name="Empty")
    first, other, second = (
        capture(client, "Empty", first_name="Ann"),
        capture(client),
        capture(client, "Empty", last_name="", company="ACME"),
    )
    send.drain(system)

    waiting = client.get("/api/leads/waiting").json()

    assert [lead["id"] for lead in waiting] == [first.json()["id"], second.json()["id"]]
    assert [
        (lead["name"], lead["pool"], lead["attempts"], lead["set_aside"]) for lead in waiting
    ] == [
        ("Ann Lee", "Empty", 0, False),
        ("ACME", "Empty", 0, False),
    ]
    assert all("no members" in lead["reason"] for lead in waiting)
    assert [lead["id"] for lead in client.get("/api/leads/waiting?limit=1").json()] == [
        first.json()["id"]
    ]
    assert client.get("/api/leads/waiting?pool=Inbound").json() == []
    assert len(client.get("/api/leads/waiting?pool=empty").json()) == 2
    assert refusal(client.get("/api/leads/waiting?pool=Nowhere"))[:2] == (404, "unknown_pool")
    assert refusal(client.get("/api/leads/waiting?limit=0"))[:2] == (400, "invalid_param")
    assert other.status_code == 202
    join(system, "z@example.com", name="Empty")
    send.drain(system)
    assert client.get("/api/leads/waiting").json() == []
    assert_promise(system)


def test_leads_that_were_set_aside_are_retried(client: Any, system: System, send: Tasks) -> None:
    create_pool(client)
    capture(client)
    send.lose()
    system.transact(
        lambda session: session.execute(
            text("UPDATE captures SET set_aside = true, attempts = 3, reason = 'why'")
        )
    )
    [aside] = client.get("/api/leads/waiting").json()
    assert (aside["set_aside"], aside["reason"]) == (True, "why")

    assert client.post("/api/leads/retry").json() == {"retried": 1}
    send.drain(system)

    assert client.get("/api/leads/waiting").json() == []
    assert client.post("/api/leads/retry").json() == {"retried": 0}
    assert_promise(system)


# --- runs ---


def test_a_run_is_cancelled_and_says_what_it_keeps_and_gives_back(
    client: Any, system: System, send: Tasks
) -> None:
    create_pool(client)
    run_id = upload(client, b"Last Name\n" + b"Lee\n" * 700).json()["id"]
    run(system, send.waiting.pop())
    run(system, send.waiting.pop(0))

    cancelled = client.post(f"/api/runs/{run_id}/cancel")
    early = client.get(f"/api/runs/{run_id}/receipt")
    send.drain(system)

    assert (cancelled.status_code, cancelled.json()) == (
        200,
        {"id": run_id, "records": 250, "returned": 450},
    )
    assert refusal(early)[:2] == (409, "no_receipt_yet")
    shown = client.get(f"/api/runs/{run_id}").json()
    assert (shown["state"], shown["records"], shown["turns"], shown["returned"]) == (
        "cancelled",
        250,
        700,
        450,
    )
    assert shown["ended_at"]
    assert client.get(f"/api/runs/{run_id}/receipt").text.count("\n") == 251
    assert refusal(client.post(f"/api/runs/{run_id}/cancel"))[:2] == (409, "run_ended")
    assert refusal(client.post(f"/api/runs/{run_id}/retry"))[:2] == (409, "nothing_to_retry")
    assert_promise(system)


@pytest.mark.parametrize("verb", ["cancel", "retry"])
def test_a_run_that_is_unknown_is_neither_cancelled_nor_retried(client: Any, verb: str) -> None:
    assert refusal(client.post(f"/api/runs/9/{verb}"))[:2] == (404, "unknown_run")


def test_a_run_that_failed_says_where_and_is_retried(
    client: Any, system: System, send: Tasks
) -> None:
    create_pool(client)
    run_id = upload(client, b"Last Name\n" + b"Lee\n" * 300).json()["id"]
    run(system, send.waiting.pop())
    poison(system, 260)
    run(system, send.waiting.pop(0))
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(Exception, match="poison"):
            run(system, send.lose()[0])
        an_hour_passes(system)
        sweeps.sweep(system)

    failed = client.get(f"/api/runs/{run_id}").json()
    antidote(system)
    retried = client.post(f"/api/runs/{run_id}/retry")
    send.drain(system)

    assert (failed["state"], failed["records"], failed["chunks_set_aside"]) == ("failed", 250, 1)
    assert "Chunk 1, which begins at line 252, was set aside" in failed["reason"]
    assert "poison" in failed["reason"]
    assert (retried.status_code, retried.json()) == (200, {"retried": 1})
    assert client.get(f"/api/runs/{run_id}").json()["state"] == "done"
    assert_promise(system)
