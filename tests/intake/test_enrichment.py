"""HubSpot's contacts: their leads have their turn by arrival, and their fields when HubSpot gives
them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from tests.api.asking import create_pool
from tests.intake.hubspot import TOKEN, HubSpot
from tests.intake.senders import Sender, add, outcome
from tests.support.factories import an_hour_passes, leases_run_out
from tests.support.invariants import assert_promise, rows
from tests.support.tasks import SECRET_BOX, Tasks
from worker import http_client
from worker.domain.intake.senders.enrichment import FetchLater, FetchRequest
from worker.flows.intake import enrichment as flow
from worker.flows.system import System
from worker.flows.upkeep import sweeps
from worker.store.intake import enrichment as store
from worker.store.leases import MOST_ATTEMPTS
from worker.store.sql.engine import writing
from worker.store.tables import enrichments
from worker.store.views.integrations import EnrichmentView, list_enrichments

ANN = {
    "firstname": "Ann",
    "lastname": "Lee",
    "email": "ann@example.com",
    "company": "ACME",
    "hs_object_id": "1",
}

Set = Callable[..., Sender]


@pytest.fixture
def sender(client: TestClient, hubspot: HubSpot) -> Sender:
    create_pool(client, members=2)
    hubspot.contacts["1"] = dict(ANN)
    return add(client, "hubspot", access_token=TOKEN, base_url=hubspot.url)


def lead(system: System, number: int = 1) -> dict[str, Any]:
    [found] = rows(system, "SELECT * FROM leads WHERE id = :id", id=number)
    return found


def waiting(system: System) -> list[dict[str, Any]]:
    return rows(system, "SELECT * FROM enrichments ORDER BY lead_id")


def due(system: System) -> None:
    """All pauses are over."""
    with writing(system.engine) as session:
        session.execute(update(enrichments).values(due_at=datetime.now(UTC) - timedelta(minutes=1)))


def test_a_contact_has_its_turn_at_once_and_its_fields_when_they_are_told(
    sender: Sender, system: System, send: Tasks, hubspot: HubSpot
) -> None:
    sender.deliver(1)
    [before] = rows(system, "SELECT last_name, first_name FROM leads")

    send.drain(system, times=2)

    assert before == {"last_name": "HubSpot contact 1", "first_name": None}
    found = lead(system)
    assert (found["first_name"], found["last_name"], found["email"]) == (
        "Ann",
        "Lee",
        "ann@example.com",
    )
    assert (
        found["organization_name"],
        found["turn"],
        "hs_object_id" in str(found["custom_fields"]),
    ) == ("ACME", 1, True)
    assert waiting(system) == []
    assert [
        (number, {"firstname", "lastname", "email"} <= set(properties))
        for number, properties in hubspot.asked
    ] == [("1", True)]
    assert_promise(system)


def test_what_somebody_has_filled_meanwhile_stays(
    sender: Sender, client: TestClient, system: System, send: Tasks
) -> None:
    sender.deliver(1)
    edited = client.put(
        "/v2/leads/1",
        json={"data": {"last_name": "Ray", "title": "CEO"}},
        headers={"User-Agent": "tests"},
    )
    assert edited.status_code == 200

    send.drain(system)

    found = lead(system)
    assert (found["last_name"], found["title"], found["first_name"], found["email"]) == (
        "Ray",
        "CEO",
        "Ann",
        "ann@example.com",
    )


def test_a_lead_that_is_deleted_meanwhile_stays_as_it_is(
    sender: Sender, client: TestClient, system: System, send: Tasks
) -> None:
    sender.deliver(1)
    [task] = [task for task in send.waiting if task.name == "enrichments.fetch"]
    send.waiting.remove(task)
    send.drain(system)
    client.delete("/v2/leads/1", headers={"User-Agent": "tests"})
    send([task])

    send.drain(system)

    assert lead(system)["last_name"] == "HubSpot contact 1"
    assert waiting(system) == []


def test_a_contact_without_a_name_is_called_by_its_address_or_keeps_its_number(
    sender: Sender, system: System, send: Tasks, hubspot: HubSpot
) -> None:
    hubspot.contacts |= {"2": {"email": "bob@example.com", "lastname": None}, "3": {}}
    sender.deliver(2), sender.deliver(3)

    send.drain(system)

    assert [lead(system, number)["last_name"] for number in (1, 2)] == [
        "bob@example.com",
        "HubSpot contact 3",
    ]
    assert waiting(system) == []


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_what_cannot_be_told_now_is_asked_again_ever_later_and_then_set_aside(
    sender: Sender, system: System, send: Tasks, hubspot: HubSpot, status: int
) -> None:
    sender.deliver(1)
    pauses = []
    for _ in flow.PAUSES_SECONDS:
        hubspot.failures = [status]
        send.drain(system)
        [lookup] = waiting(system)
        assert (lookup["attempts"], bool(lookup["set_aside"])) == (0, False)
        [shown] = _shown(system)
        pauses.append((shown.due_at - datetime.now(UTC)).total_seconds())
        due(system)
        sweeps.sweep(system)
    assert [round(pause / 5) for pause in pauses] == [
        round(pause / 5) for pause in flow.PAUSES_SECONDS
    ]
    assert sum(flow.PAUSES_SECONDS) < timedelta(hours=24).total_seconds()

    hubspot.failures = [status]
    send.drain(system)

    [aside] = _shown(system)
    assert (aside.set_aside, aside.reason) == (True, f"HubSpot answers with {status}")
    due(system)
    assert sweeps.sweep(system) == []


def _shown(system: System) -> list[EnrichmentView]:
    with system.reading() as session:
        return list_enrichments(session, 1, 10)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "refuses the access token (401)"),
        (403, "(403)"),
        (404, "has no contact 1 (404)"),
        (400, "400"),
        (302, "302"),
    ],
)
def test_what_will_not_be_told_is_set_aside_at_once_and_may_be_retried(
    sender: Sender,
    client: TestClient,
    system: System,
    send: Tasks,
    hubspot: HubSpot,
    status: int,
    words: str,
) -> None:
    hubspot.failures = [status]
    sender.deliver(1)

    send.drain(system)

    [aside] = client.get(f"/api/integrations/{sender.integration['id']}").json()["lookups"]
    assert (aside["lead"], aside["set_aside"], words in aside["reason"]) == (1, True, True)
    assert len(hubspot.asked) == 1
    assert client.post("/api/leads/retry").json() == {"retried": 1}
    send.drain(system)
    assert lead(system)["last_name"] == "Lee"
    assert lead(system)["turn"] == 1


def test_an_integration_without_an_access_token_says_what_is_missing(
    sender: Sender, client: TestClient, system: System, send: Tasks
) -> None:
    address = f"/api/integrations/{sender.integration['id']}"
    client.patch(address, json={"access_token": None})
    sender.deliver(1)
    send.drain(system)
    [aside] = client.get(address).json()["lookups"]
    client.patch(address, json={"access_token": TOKEN})
    client.post("/api/leads/retry")

    send.drain(system)

    assert "has no access token" in aside["reason"]
    assert lead(system)["last_name"] == "Lee"


def test_a_sender_that_cannot_be_reached_is_left_alone_for_a_while(
    sender: Sender, client: TestClient, system: System, send: Tasks
) -> None:
    client.patch(
        f"/api/integrations/{sender.integration['id']}", json={"base_url": "http://127.0.0.1:1"}
    )
    sender.deliver(1), sender.deliver(2)

    send.drain(system)

    assert [
        (lookup["tries"], "can't be reached" in str(lookup["reason"])) for lookup in waiting(system)
    ] == [(1, True), (0, False)]
    assert [lead(system, number)["turn"] for number in (1, 2)] == [1, 2]


def test_what_kills_its_worker_each_time_is_set_aside(
    sender: Sender, system: System, send: Tasks
) -> None:
    sender.deliver(1)
    send.lose()
    for number in range(MOST_ATTEMPTS):
        system.transact(store.take_next, 1, str(number), 60.0)
        leases_run_out(system)

    found = sweeps.sweep(system)

    assert "lead 1" in str(found)
    [aside] = _shown(system)
    assert aside.set_aside
    assert "its worker died" in str(aside.reason)


def test_one_worker_at_a_time_asks_one_sender(
    sender: Sender, system: System, send: Tasks, hubspot: HubSpot
) -> None:
    hubspot.contacts |= {str(number): dict(ANN) for number in range(1, 6)}
    for number in range(1, 6):
        sender.deliver(number)

    send.drain_in_threads(system, 4)
    an_hour_passes(system)
    sweeps.sweep(system)
    send.drain(system)

    assert sorted(number for number, _ in hubspot.asked) == ["1", "2", "3", "4", "5"]
    assert waiting(system) == []
    assert_promise(system)


def test_a_contact_that_cannot_be_stored_is_set_aside_with_the_reason(
    sender: Sender, system: System, send: Tasks, hubspot: HubSpot
) -> None:
    hubspot.contacts["1"]["email"] = "x" * 400
    sender.deliver(1)

    send.drain(system)

    [aside] = _shown(system)
    assert (aside.set_aside, "email is longer" in str(aside.reason)) == (True, True)


def test_an_answer_that_is_too_long_or_no_json_is_asked_for_again(hubspot: HubSpot) -> None:
    hubspot.contacts["1"] = {"x": "y" * http_client.MOST_BYTES}
    hubspot.failures = []
    address = f"{hubspot.url}/crm/v3/objects/contacts/1"
    request = FetchRequest("HubSpot", address, {}, {"Authorization": f"Bearer {TOKEN}"})
    long = http_client.fetch(request)
    hubspot.failures = [200]
    nonsense = http_client.fetch(request)

    assert isinstance(long, FetchLater)
    assert "longer than" in long.reason
    assert isinstance(nonsense, FetchLater)
    assert "no JSON" in nonsense.reason


def test_a_secret_key_that_was_changed_is_named_after_three_attempts(
    sender: Sender, system: System, send: Tasks
) -> None:
    sender.deliver(1)
    send.lose()
    other = type(SECRET_BOX)(["another key than that of the tests"])
    for number in range(MOST_ATTEMPTS):
        with pytest.raises(Exception, match="EVENHAND_SECRET_KEY"):
            flow.fetch(system, other, 1, f"task {number}")
        leases_run_out(system)

    sweeps.sweep(system)

    [aside] = _shown(system)
    assert (aside.set_aside, "EVENHAND_SECRET_KEY" in str(aside.reason)) == (True, True)


def test_a_repeat_fetches_nothing_again(
    sender: Sender, system: System, send: Tasks, hubspot: HubSpot
) -> None:
    first = outcome(sender.deliver(1))
    send.drain(system)

    again = outcome(sender.deliver(1))
    send.drain(system)

    assert (first["leads"], again["repeated"], len(hubspot.asked)) == (again["leads"], True, 1)
