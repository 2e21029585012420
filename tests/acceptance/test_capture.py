"""Leads that are captured, and runs that are cancelled, as a person does it through the command
line on the whole stack."""

import csv
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.acceptance.stack import EVENHAND, ROOT, Home, Running
from tests.support.factories import pool
from tests.support.invariants import assert_promise, rows
from tests.support.servers import wait_until
from worker.sample import write_sample

TEAM = ("ann", "bob", "cy")
CAPTURED = 7
ROWS = 6_000
SECONDS = 120

pytestmark = pytest.mark.timeout(600)


def make_team(here: Home) -> None:
    with here.system() as system:
        pool(system, [f"{name}@example.com" for name in TEAM])
        pool(system, 0, "Empty")
        pool(system, 0, "Deals", "deal")


def lines(count: int, first: int = 0) -> bytes:
    return b"".join(
        b'{"last_name": "Lead %d", "Email": "lead%d@example.com"}\n' % (number, number)
        for number in range(first, first + count)
    )


def owners(facts: dict[str, Any]) -> list[tuple[int, str]]:
    return [(lead["turn"], lead["owner"].partition("@")[0]) for lead in facts["leads"]]


def check_capture(here: Home, folder: Path) -> None:
    """From a file and from standard input, in the order of the lines; wrong lines are told, and
    don't keep the others."""
    file = folder / "leads.jsonl"
    file.write_bytes(lines(4))

    from_file = here.facts("capture", "--pool", "Inbound", "--file", file)
    some = b'{"last_name": "Five"}\n\nnonsense\n[1]\n{"first_name": "Nameless"}\n{"company": "Six"}'
    mixed = here.facts("capture", "--pool", "inbound", text=some, fails=1)
    told = here.run("capture", "--pool", "Inbound", text=b"{}\n" + lines(1, 6), fails=1)

    assert (from_file["captured"], from_file["refused"]) == (4, [])
    assert owners(from_file) == [(1, "ann"), (2, "bob"), (3, "cy"), (4, "ann")]
    assert (mixed["captured"], owners(mixed)) == (2, [(5, "bob"), (6, "cy")])
    assert [refused["line"] for refused in mixed["refused"]] == [3, 4, 5]
    assert [
        "no JSON" in mixed["refused"][0]["reason"],
        "last_name" in mixed["refused"][2]["reason"],
    ] == [True, True]
    assert "Captured 1 leads, of which 1 have their owner." in told.stderr
    assert "line 1: The lead can't be taken: last_name" in told.stderr


def check_refusals(here: Home, folder: Path) -> None:
    assert (
        "no pool 'Nowhere'"
        in here.run("capture", "--pool", "Nowhere", text=lines(1), fails=2).stderr
    )
    here.run("capture", "--pool", "Deals", text=lines(1), fails=2)
    here.run("capture", "--pool", "Inbound", "--file", folder / "none.jsonl", fails=2)
    assert here.facts("capture", "--pool", "Inbound") == {"captured": 0, "refused": [], "leads": []}
    assert here.facts("waiting") == []


def check_why(here: Home) -> None:
    why = here.facts("why", "lead", "2")

    assert (why["turn"], why["pool"], why["owner"]["email"], why["cause"]) == (
        2,
        "Inbound",
        "bob@example.com",
        "capture",
    )
    assert (why["before"]["email"], why["next"]["email"], why["claim"]) == (
        "ann@example.com",
        "cy@example.com",
        "lead:2:capture",
    )


def check_waiting(here: Home) -> None:
    """Leads of a pool without members wait with the reason, and are assigned in order as soon as
    somebody joins."""
    waiting = here.facts("capture", "--pool", "Empty", text=lines(3))
    assert owners_or_none(waiting) == [None, None, None]

    listed = here.facts("waiting", "Empty")
    assert [lead["id"] for lead in listed] == [lead["id"] for lead in waiting["leads"]]
    assert {lead["reason"] for lead in listed} == {
        "The pool Empty has no members. Add one with `evenhand pool add`."
    }
    assert "Lead 0" in here.run("waiting").stdout
    assert len(here.facts("waiting", "--limit", "2")) == 2

    here.run("pool", "add", "Empty", "--member", "bob@example.com")
    with here.system() as system:
        wait_until(
            lambda: not rows(system, "SELECT lead_id FROM captures"),
            "the leads that waited",
            SECONDS,
        )
        turns = rows(
            system,
            "SELECT turn FROM leads WHERE pool_id = (SELECT id FROM users WHERE name = 'Empty') "
            "ORDER BY id",
        )
    assert [row["turn"] for row in turns] == [1, 2, 3]


def owners_or_none(facts: dict[str, Any]) -> list[int | None]:
    return [lead["turn"] for lead in facts["leads"]]


def check_cancel(here: Home, folder: Path) -> None:
    """A big import is cancelled by one command while another follows it: that one ends, too, and
    says so."""
    file = folder / "big.csv"
    with file.open("w", encoding="utf-8", newline="") as sheet:
        write_sample(sheet, ROWS)
    command = [*EVENHAND, "import", str(file), "--owner", "Inbound", "--json"]
    with (
        here.system() as system,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, env=here.environment, cwd=ROOT
        ) as following,
    ):
        [run] = wait_until(
            lambda: rows(system, "SELECT id FROM runs WHERE state = 'loading'"),
            "the import",
            SECONDS,
        )
        cancelled = here.facts("runs", "cancel", str(run["id"]))
        followed = json.loads(following.communicate(timeout=SECONDS)[0])

    assert (followed["state"], followed["records"], followed["returned"]) == (
        "cancelled",
        cancelled["records"],
        cancelled["returned"],
    )
    assert cancelled["records"] + cancelled["returned"] == followed["turns"] > cancelled["records"]
    receipt = list(
        csv.DictReader(io.StringIO(here.run("receipt", str(run["id"])).stdout, newline=""))
    )
    used = [int(line["turn"]) for line in receipt if not line["error"]]
    assert len(used) == cancelled["records"]
    assert "nothing left to cancel" in here.run("runs", "cancel", str(run["id"]), fails=2).stderr
    [lead] = here.facts("capture", "--pool", "Inbound", text=lines(1))["leads"]
    assert lead["turn"] == min(set(range(CAPTURED + 1, ROWS)) - set(used))


def test_leads_are_captured_in_turn_and_runs_cancelled(running: Running, tmp_path: Path) -> None:
    here = running.home

    make_team(here)
    check_capture(here, tmp_path)
    check_refusals(here, tmp_path)
    check_why(here)
    check_waiting(here)
    check_cancel(here, tmp_path)
    body, cy = (
        {"pool": "Inbound", "lead": {"last_name": "Lee"}},
        here.signed_in("cy@example.com"),
    )
    over_http = httpx2.post(f"{running.api}/api/leads/capture", json=body, headers=cy)
    assert over_http.status_code == httpx2.codes.ACCEPTED
    with here.system() as system:
        wait_until(lambda: not rows(system, "SELECT lead_id FROM captures"), "its owner", SECONDS)

    assert here.facts("reconcile") == []
    assert all(report["holds"] for report in here.facts("verify"))
    assert here.facts("runs", "retry", "--leads") == {"retried": 0}
    with here.system() as system:
        assert_promise(system)
