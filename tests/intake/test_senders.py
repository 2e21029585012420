"""Kinds of senders: one file and one line in the registry make another kind."""

import json

import pytest
from starlette.testclient import TestClient

from tests.api.asking import create_pool, posted, refusal
from tests.intake.made_up_sender import MADE_UP
from tests.intake.senders import KINDS, outcome
from tests.support.invariants import assert_promise, rows
from tests.support.tasks import Tasks
from worker.domain.intake.senders import SENDERS, find_sender
from worker.domain.intake.senders.signing import sign
from worker.errors.intake import UnknownKind
from worker.flows.system import System

SECRET = "long enough, and only made up"
ANN = {"topic": "person", "who": {"family": "Lee", "given": "Ann"}}


@pytest.fixture
def path(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where a sender of the made-up kind posts."""
    monkeypatch.setitem(SENDERS, MADE_UP.kind, MADE_UP)
    create_pool(client, members=1)
    made = posted(
        client, "/api/integrations", name="X", kind="made-up", secret=SECRET, owner="Inbound"
    )
    return str(made["path"])


def signed(body: bytes, key: str = "1") -> dict[str, str]:
    return {"X-Made-Up-Id": key, "X-Made-Up-Signature": sign(SECRET, body).decode()}


def test_a_made_up_kind_delivers_leads(
    client: TestClient, system: System, send: Tasks, path: str
) -> None:
    body, other = json.dumps(ANN).encode(), json.dumps({"topic": "weather"}).encode()

    first, again, ignored, unsigned = (
        client.post(path, content=body, headers=signed(body)),
        client.post(path, content=body, headers=signed(body)),
        client.post(path, content=other, headers=signed(other, "2")),
        client.post(path, content=body, headers=signed(other, "3")),
    )
    send.drain(system)

    assert (outcome(first)["outcome"], outcome(first)["repeated"]) == ("accepted", False)
    assert outcome(again) == outcome(first) | {"repeated": True}
    assert (outcome(ignored)["outcome"], outcome(ignored)["reason"]) == (
        "ignored",
        "it is about no person",
    )
    assert refusal(unsigned)[:2] == (401, "bad_signature")
    [lead] = rows(system, "SELECT last_name, turn FROM leads")
    assert lead == {"last_name": "Lee", "turn": 1}
    assert_promise(system)


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownKind, match="hubspot, zendesk-support, zendesk-chat"):
        find_sender(MADE_UP.kind)


def test_every_kind_is_registered_under_its_own_name_and_tested_by_a_sender() -> None:
    assert {kind: sender.kind for kind, sender in SENDERS.items()} == {kind: kind for kind in KINDS}
    assert all(len(kind) <= 20 for kind in SENDERS)
