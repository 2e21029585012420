"""Idempotency-Keys at the doors of our own API: whatever comes again takes no second turn."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.asking import LEADS, create_pool, refusal
from tests.support.factories import emails, join, leave
from tests.support.invariants import assert_promise, everything, rows
from tests.support.tasks import Tasks
from worker.flows.system import System

KEY = {"Idempotency-Key": "order 66"}

Door = Callable[..., Any]


def capture(client: TestClient, headers: dict[str, str] = KEY, what: str = "Lee") -> Any:
    return client.post(
        "/api/leads/capture", json={"pool": "Inbound", "lead": {"last_name": what}}, headers=headers
    )


def import_file(
    client: TestClient, headers: dict[str, str] = KEY, what: str = "Lee", **form: Any
) -> Any:
    file = {"file": ("leads.csv", LEADS + f"Ann,{what},EU\n".encode(), "text/csv")}
    return client.post(
        "/api/imports", files=file, data={"owner": "Inbound", **form}, headers=headers
    )


def reassign(
    client: TestClient, headers: dict[str, str] = KEY, what: str = "import:1", **more: Any
) -> Any:
    return client.post(
        "/api/reassignments", json={"owner": "Inbound", "list": what, **more}, headers=headers
    )


TURNS: dict[Door, int] = {capture: 1, import_file: 4, reassign: 4}
"""How many turns a request takes."""

doors = pytest.mark.parametrize("door", TURNS)


@pytest.fixture(autouse=True)
def imported(client: TestClient, system: System, send: Tasks) -> None:
    """Four leads of the admin, for a list; and the pool Inbound of a and b."""
    create_pool(client, members=2)
    import_file(client, {}, owner="root@example.com")
    send.drain(system)


def turns(system: System) -> int:
    [counted] = rows(system, "SELECT count(*) AS entries FROM ledger")
    return int(counted["entries"])


@doors
def test_what_comes_again_under_its_key_is_the_same_and_takes_no_second_turn(
    client: TestClient, system: System, send: Tasks, door: Door
) -> None:
    first, at_once = door(client), door(client)
    send.drain(system)
    later = door(client)
    send.drain(system)

    assert {answer.status_code for answer in (first, at_once, later)} == {202}
    assert first.json() == at_once.json()
    assert later.json()["id"] == first.json()["id"]
    assert later.headers.get("Location") == first.headers.get("Location")
    assert turns(system) == TURNS[door]
    assert_promise(system)


@doors
def test_ten_who_come_at_once_under_one_key_are_one(
    client: TestClient, system: System, send: Tasks, door: Door
) -> None:
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda _: door(client), range(10)))
    send.drain(system)

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert turns(system) == TURNS[door]
    assert_promise(system)


@doors
def test_another_request_under_that_key_is_refused_and_changes_nothing(
    client: TestClient, system: System, door: Door
) -> None:
    assert door(client).status_code == 202
    before = everything(system)

    for what in ("Li", "import:2"):
        status, code, message = refusal(door(client, what=what))
        assert (status, code) == (422, "key_reused")
        assert "'order 66'" in message
    assert everything(system) == before


@doors
def test_a_key_is_one_persons_own(client: TestClient, reassigner: TestClient, door: Door) -> None:
    assert door(client).json()["id"] != door(reassigner).json()["id"]


@pytest.mark.parametrize("door", [import_file, reassign])
def test_what_was_refused_may_be_asked_again_and_what_was_taken_is_answered_whatever_has_changed(
    client: TestClient, system: System, send: Tasks, door: Door
) -> None:
    leave(system, emails(2)[0])
    leave(system, emails(2)[1])
    refused = door(client)
    join(system, emails(2)[0])
    taken = door(client)
    send.drain(system)
    leave(system, emails(2)[0])
    again = door(client)

    assert (refused.status_code, taken.status_code, again.status_code) == (422, 202, 202)
    assert again.json()["id"] == taken.json()["id"]
    assert turns(system) == TURNS[door]
    assert_promise(system)


@pytest.mark.parametrize("door", [import_file, reassign])
def test_a_dry_run_uses_no_key(client: TestClient, door: Door) -> None:
    assert door(client, dry_run=True).status_code == 200
    assert door(client).status_code == 202


@doors
def test_a_key_that_is_too_long_is_refused(client: TestClient, door: Door) -> None:
    assert refusal(door(client, {"Idempotency-Key": "k" * 256}))[:2] == (400, "invalid_header")
