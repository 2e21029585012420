"""Leads that are posted get their turns in the order of acceptance, however many workers there are
and however many post."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import httpx2
import pytest
from standardwebhooks import Webhook

from tests.acceptance.stack import ROOT, Home, home, up
from tests.support.invariants import assert_promise, rows
from tests.support.servers import wait_until

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
WORKERS, ONE_BY_ONE = 8, 1_000
POSTERS, EACH = 50, 8
SECONDS = 120

pytestmark = pytest.mark.timeout(600)


class Posted(NamedTuple):
    """When a lead was sent and when it was answered for, by one clock; and by which name it is
    known."""

    sent: float
    answered: float
    name: str


@contextmanager
def more_workers(here: Home) -> Iterator[None]:
    """A worker for captured leads with eight processes, beside the stack's own."""
    command = [
        sys.executable,
        "-m",
        "worker",
        "worker",
        "--queues",
        "capture",
        "--processes",
        str(WORKERS),
        "--name",
        "many",
    ]
    log = here.folder / "many.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, stdout=output, stderr=output, env=here.environment, cwd=ROOT
        ) as worker,
    ):
        wait_until(lambda: " ready." in log.read_text(), "the workers", SECONDS)
        try:
            yield
        finally:
            worker.terminate()


def post(client: httpx2.Client, address: str, name: str) -> Posted:
    """Posts a signed lead, which must be accepted."""
    body, sent = json.dumps({"last_name": name}), time.monotonic()
    moment = datetime.now(UTC)
    signed = {
        "webhook-id": name,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(name, moment, body),
    }
    answer = client.post(
        address, content=body, headers={**signed, "Content-Type": "application/json"}
    )
    assert answer.status_code == httpx2.codes.ACCEPTED, answer.text
    return Posted(sent, time.monotonic(), name)


def turns(here: Home, many: int) -> dict[str, int]:
    """The turn of each lead by its name, once all have one."""
    with here.system() as system:
        wait_until(
            lambda: not rows(system, "SELECT lead_id FROM captures LIMIT 1"),
            "the leads' owners",
            SECONDS,
        )
        given = {
            row["last_name"]: row["turn"]
            for row in rows(system, "SELECT last_name, turn FROM leads")
        }
        assert_promise(system)
    assert len(given) == many
    return given


def hook(here: Home, base: str) -> str:
    here.run("user", "add", "Ann", "ann@example.com")
    here.run("user", "add", "Bob", "bob@example.com")
    here.run("user", "add", "Cy", "cy@example.com")
    members = [
        word for name in ("ann", "bob", "cy") for word in ("--member", f"{name}@example.com")
    ]
    here.run("pool", "create", "Inbound", "--type", "lead", *members)
    made = here.facts(
        "integration",
        "add",
        "Partner",
        "--kind",
        "standard",
        "--secret",
        SECRET,
        "--owner",
        "Inbound",
    )
    return f"{base}/hooks/{made['slug']}"


def test_leads_get_their_turns_in_the_order_of_acceptance(
    postgresql_url: str, tmp_path: Path
) -> None:
    """On PostgreSQL, where writers really are side by side."""
    here = home(tmp_path / "home", postgresql_url)

    with up(here, workers=1) as running, more_workers(here):
        address = hook(here, running.api)
        with httpx2.Client(timeout=60) as client:
            one_by_one = [post(client, address, f"lead {number}") for number in range(ONE_BY_ONE)]
        in_order = turns(here, ONE_BY_ONE)
        at_once = post_at_once(address)
        given = turns(here, ONE_BY_ONE + POSTERS * EACH)

    assert [in_order[posted.name] for posted in one_by_one] == list(range(1, ONE_BY_ONE + 1))
    assert_none_overtaken(at_once, given)


def post_at_once(address: str) -> list[Posted]:
    """Fifty post a few leads each, one after another."""

    def some(poster: int) -> list[Posted]:
        with httpx2.Client(timeout=60) as client:
            return [post(client, address, f"lead {poster} of {number}") for number in range(EACH)]

    with ThreadPoolExecutor(POSTERS) as posters:
        return [posted for each in posters.map(some, range(POSTERS)) for posted in each]


def assert_none_overtaken(posted: list[Posted], given: dict[str, int]) -> None:
    """A lead that was answered for before another was sent has the lower turn."""
    for one in posted:
        later = [other for other in posted if other.sent > one.answered]
        assert all(given[one.name] < given[other.name] for other in later), one
