"""Webhooks of every kind on the whole stack: set up on the command line, signed as the real ones
are, each a lead in turn."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.acceptance.stack import Home, Running, on_sqlite
from tests.intake.hubspot import TOKEN, HubSpot
from tests.intake.senders import KINDS, SECRETS, Sender, outcome
from tests.support.factories import pool
from tests.support.invariants import assert_promise, rows
from tests.support.servers import wait_until

TEAM = ("ann", "bob", "cy")
SECONDS = 60
NEW_SECRET = "whsec_" + "B" * 32

pytestmark = pytest.mark.timeout(300)


def integration(here: Home, kind: str, hubspot: HubSpot) -> dict[str, Any]:
    """Set up with its secret on standard input, and the access token in the environment."""
    more = ["--access-token", "env:TOKEN", "--base-url", hubspot.url] if kind == "hubspot" else []
    command = [
        "integration",
        "add",
        f"Our {kind}",
        "--kind",
        kind,
        "--secret",
        "-",
        "--owner",
        "Inbound",
        "--tag",
        kind,
        *more,
    ]
    informed = replace(here, environment={**here.environment, "TOKEN": TOKEN})
    assert "/hooks/our-" in informed.run(*command, text=f"{SECRETS[kind]}\n".encode()).stderr
    facts: dict[str, Any] = here.facts("integration", "show", f"our {kind}")
    return facts


def check_each_kind(here: Home, client: httpx2.Client, hubspot: HubSpot) -> None:
    """Each kind's delivery becomes a lead in turn, once; HubSpot's has its fields although HubSpot
    fails twice first."""
    hubspot.contacts["1"] = {"firstname": "Ann", "lastname": "Hub", "email": "ann@example.com"}
    hubspot.failures = [500, 503]
    made = {}
    for kind in KINDS:
        sender = Sender(client, integration(here, kind, hubspot), SECRETS[kind])
        first = outcome(sender.deliver(1, "Ann Lee", key="k1"))
        assert (first["outcome"], outcome(sender.deliver(1, "Ann Lee", key="k1"))["repeated"]) == (
            "accepted",
            True,
        )
        assert sender._replace(secret=NEW_SECRET).deliver().status_code == 401
        made[kind] = first["leads"][0]
    with here.system() as system:
        wait_until(
            lambda: not rows(system, "SELECT lead_id FROM captures"), "their owners", SECONDS
        )
        wait_until(
            lambda: not rows(system, "SELECT lead_id FROM enrichments"), "HubSpot's fields", SECONDS
        )
        leads = rows(system, "SELECT * FROM leads ORDER BY id")
    assert [lead["id"] for lead in leads] == list(made.values())
    assert [lead["turn"] for lead in leads] == [1, 2, 3, 4, 5]
    assert [lead["last_name"] for lead in leads] == ["Hub", "Lee", "Lee", "Lee", "Lee"]
    assert [
        here.facts("why", "lead", str(number))["owner"]["email"][:3] for number in made.values()
    ] == ["ann", "bob", "cy@", "ann", "bob"]
    assert len(hubspot.asked) == 3


def check_administration(here: Home, client: httpx2.Client) -> None:
    standard = Sender(
        client, here.facts("integration", "show", "Our standard"), SECRETS["standard"]
    )
    [delivery] = here.facts("integration", "deliveries", "Our standard", "--limit", "1")[
        "deliveries"
    ]
    assert (delivery["outcome"], delivery["repeats"]) == ("refused", 0)
    assert "accepted" in here.run("integration", "deliveries", "our standard").stdout

    rotated = here.facts("integration", "rotate", "Our standard", "--secret", NEW_SECRET)
    assert rotated["former_secret_until"]
    assert [
        standard.deliver().status_code,
        standard._replace(secret=NEW_SECRET).deliver().status_code,
    ] == [202, 202]
    here.run("integration", "disable", "Our standard")
    assert standard.deliver().status_code == 404
    here.run("integration", "enable", "Our standard")

    invalid = outcome(standard.send(b'{"who": "Lee"}'))
    assert invalid["outcome"] == "invalid"
    here.run("integration", "change", "Our standard", "--map", "last_name=who")
    assert here.facts("integration", "replay", str(invalid["id"]))["outcome"] == "accepted"
    assert "still there" in here.run("integration", "replay", str(invalid["id"]), fails=2).stderr


def check_refusals(here: Home) -> None:
    add = ("integration", "add", "X", "--kind", "zapier", "--owner", "Inbound")
    assert "is empty" in here.run(*add, "--secret", "env:NOWHERE", fails=2).stderr
    assert "16 bytes" in here.run(*add, "--secret", "short", fails=2).stderr
    assert "no integration" in here.run("integration", "show", "X", fails=2).stderr
    listed = here.facts("integration", "list")
    assert [each["kind"] for each in listed] == list(KINDS)
    assert not [secret for secret in SECRETS.values() if secret in str(listed)]


def secrets_in_logs(here: Home) -> list[Path]:
    told = [secret.encode() for secret in (*SECRETS.values(), TOKEN, NEW_SECRET)]
    logs = [path for path in here.folder.rglob("*.log") if path.is_file()]
    assert logs
    return [path for path in logs if any(secret in path.read_bytes() for secret in told)]


@on_sqlite  # tests/intake tells the same of both
def test_every_kind_of_webhook_becomes_a_lead_in_turn(running: Running) -> None:
    here = running.home

    with (
        HubSpot.listening() as hubspot,
        httpx2.Client(base_url=running.api, timeout=20) as client,
    ):
        with here.system() as system:
            pool(system, [f"{name}@example.com" for name in TEAM])
        check_each_kind(here, client, hubspot)
        check_administration(here, client)
        check_refusals(here)
        with here.system() as system:
            wait_until(
                lambda: not rows(system, "SELECT lead_id FROM captures"), "their owners", SECONDS
            )
        assert all(report["holds"] for report in here.facts("verify"))
        assert secrets_in_logs(here) == []
        with here.system() as system:
            assert_promise(system)
