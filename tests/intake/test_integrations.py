"""Integrations over the API: set up, changed and shown, and their secrets never again."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.asking import create_pool, posted, refusal
from tests.intake.hubspot import TOKEN
from tests.intake.senders import KINDS, SECRETS, add, outcome
from tests.support.invariants import everything
from tests.support.tasks import SECRET_BOX
from worker.flows.system import System

NEW = {"name": "Desk", "kind": "zapier", "secret": SECRETS["zapier"], "owner": "Inbound"}


def test_an_integration_is_set_up_and_shown(client: TestClient, member: TestClient) -> None:
    create_pool(client)

    made = add(
        client,
        "hubspot",
        name=" Our Hub! ",
        tags=[" x ", "x", ""],
        source="hub",
        mapping={"Surname": "a.b"},
    ).integration

    assert made["slug"].startswith("our-hub-")
    assert len(made["slug"]) == len("our-hub-") + 6
    assert made["path"] == f"/hooks/{made['slug']}"
    assert (made["name"], made["owner"], made["tags"], made["source"]) == (
        "Our Hub!",
        "Inbound",
        ["x"],
        "hub",
    )
    assert (made["mapping"], made["enabled"], made["has_access_token"]) == (
        {"last_name": "a.b"},
        True,
        False,
    )
    assert member.get("/api/integrations").json() == [made]
    assert member.get(f"/api/integrations/{made['id']}").json() == made | {"lookups": []}


@pytest.mark.parametrize("kind", KINDS)
def test_secrets_are_sealed_and_never_shown(
    client: TestClient,
    system: System,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    kind: str,
) -> None:
    caplog.set_level("DEBUG")
    create_pool(client)

    sender = add(client, kind, access_token=TOKEN)
    address = f"/api/integrations/{sender.integration['id']}"
    rotated = client.post(f"{address}/rotate", json={"secret": SECRETS[kind] + "AAAA"})
    sender.deliver(), client.post(sender.url, content=b"{}")

    told = [
        client.get(each).text for each in ("/api/integrations", address, f"{address}/deliveries")
    ]
    printed = capsys.readouterr()
    everywhere = [
        *told,
        str(sender.integration),
        rotated.text,
        repr(everything(system)),
        caplog.text,
        printed.out,
        printed.err,
    ]
    assert not [text for text in everywhere if SECRETS[kind] in text or TOKEN in text]
    [kept] = everything(system)["integrations"]
    assert [
        SECRET_BOX.open(kept[name]) for name in ("secret", "former_secret", "access_token")
    ] == [
        SECRETS[kind] + "AAAA",
        SECRETS[kind],
        TOKEN,
    ]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"kind": "salesforce"}, 422, "unknown_kind"),
        ({"secret": "short"}, 422, "bad_secret"),
        ({"kind": "standard"}, 422, "bad_secret"),
        ({"owner": "Nobody"}, 404, "unknown_owner"),
        ({"owner": "Deals"}, 422, "wrong_pool_type"),
        ({"name": " "}, 422, "blank_name"),
        ({"slug": "No/Slug"}, 422, "bad_slug"),
        ({"mapping": {"last_name": ".."}}, 422, "bad_path"),
        ({"base_url": "ftp://x"}, 422, "bad_address"),
        ({"base_url": "https://user@x"}, 422, "bad_address"),
        ({"name": "OLD"}, 409, "integration_exists"),
        ({"slug": "old-1"}, 409, "integration_exists"),
        ({"unknown": 1}, 422, "unknown"),
    ],
)
def test_what_makes_no_integration_is_refused(
    client: TestClient, system: System, change: dict[str, Any], status: int, code: str
) -> None:
    create_pool(client)
    posted(client, "/api/pools", name="Deals", record_type="deal")
    posted(client, "/api/integrations", **NEW | {"name": "old", "slug": "old-1"})
    before = everything(system)["integrations"]

    answer = client.post("/api/integrations", json=NEW | change)

    assert refusal(answer)[:2] == (status, code)
    assert NEW["secret"] not in answer.text
    assert everything(system)["integrations"] == before


def test_what_is_named_is_changed_and_nothing_else(client: TestClient) -> None:
    create_pool(client)
    made = add(client, "zapier", tags=["x"], source="s", access_token=TOKEN).integration
    address = f"/api/integrations/{made['id']}"

    same = client.patch(address, json={}).json()
    changed = client.patch(
        address, json={"name": "Other", "owner": "a@example.com", "tags": ["y"], "enabled": False}
    ).json()
    cleared = client.patch(
        address, json={"source": None, "access_token": None, "name": "OTHER"}
    ).json()

    assert same == made
    assert changed == made | {
        "name": "Other",
        "owner": "A",
        "owner_id": changed["owner_id"],
        "tags": ["y"],
        "enabled": False,
    }
    assert cleared == changed | {"source": None, "has_access_token": False, "name": "OTHER"}
    add(client, "standard")
    assert refusal(client.patch(address, json={"name": "Standard"}))[:2] == (
        409,
        "integration_exists",
    )


def test_an_unknown_integration_is_told_so(client: TestClient) -> None:
    for answer in (
        client.get("/api/integrations/9"),
        client.patch("/api/integrations/9", json={}),
        client.post("/api/integrations/9/rotate", json={"secret": SECRETS["zapier"]}),
        client.get("/api/integrations/9/deliveries"),
    ):
        assert refusal(answer)[:2] == (404, "unknown_integration")


def test_the_leads_tell_in_their_tags_and_source_where_they_come_from(
    client: TestClient, system: System
) -> None:
    create_pool(client)
    sender = add(client, "zapier", tags=["web", "a"], source="zap")

    outcome(sender.send(b'{"name": "Ann Lee", "tags": "a, b"}'))
    outcome(sender.send(b'{"name": "Bob Ray", "source": "fair"}'))

    kept = sorted(everything(system)["leads"], key=lambda lead: int(lead["id"]))
    assert [lead["source"] for lead in kept] == ["zap", "fair"]
    assert "web" in str(kept[0]["tags"])
    assert {label["name"] for label in everything(system)["labels"]} >= {
        "zap",
        "fair",
        "web",
        "a",
        "b",
    }
