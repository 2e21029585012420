"""A file that was imported already goes to a pool and comes back, through the command line, on the
whole stack."""

import csv
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.acceptance.stack import Home, Running, on_sqlite
from tests.support.invariants import assert_promise, rows
from worker.flows.records.list_names import find_list
from worker.store.views.lists import count_records

ROWS = 600
HUGE = str(2**64)
TEAM = ("ann", "bob", "cy")

pytestmark = pytest.mark.timeout(400)


def make_file(folder: Path) -> Path:
    path = folder / "leads.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [
                ("First Name", "Last Name"),
                *((f"F{row}", "" if row == 7 else f"L{row}") for row in range(ROWS)),
            ]
        )
    return path


def make_team(home: Home) -> None:
    for name in (*TEAM, "zoe"):
        home.run("user", "add", name.title(), f"{name}@example.com")
    home.run(
        "pool",
        "create",
        "Inbound",
        *(word for name in TEAM for word in ("--member", f"{name}@example.com")),
    )


def owners(home: Home) -> list[str]:
    """The names of who owns the leads, by id; of those that are deleted, a dash."""
    with home.system() as system:
        found = rows(
            system,
            "SELECT name, deleted_at FROM leads JOIN users ON users.id = owner_id ORDER BY "
            "leads.id",
        )
    return ["-" if lead["deleted_at"] else lead["name"] for lead in found]


def count(home: Home, name: str) -> int:
    with home.system() as system, system.reading() as session:
        return count_records(session, find_list(session, name, None)).count


def told(forecast: dict[str, Any]) -> list[tuple[str, int]]:
    return [(member["name"], member["records"]) for member in forecast["members"]]


@on_sqlite
def test_what_was_imported_already_is_reassigned_and_undone(
    running: Running, tmp_path: Path
) -> None:
    here, file = running.home, make_file(tmp_path)
    good = ROWS - 1

    make_team(here)
    assert told(here.facts("import", file, "--owner", "Inbound", "--dry-run")) == [
        ("Ann", 200),
        ("Bob", 200),
        ("Cy", 199),
    ]
    assert here.facts("runs", "list") == []
    run = here.facts("import", file, "--owner", "zoe@example.com")
    assert (run["state"], run["turns"], run["list"], count(here, run["list"])) == (
        "done",
        0,
        f"import:{run['id']}",
        good,
    )

    forecast = here.facts("reassign", run["list"], "--to", "Inbound", "--dry-run")
    assert (told(forecast), forecast["stay"]) == ([("Ann", 200), ("Bob", 200), ("Cy", 199)], 0)
    assert (forecast["next_before"]["name"], forecast["next_after"]["name"]) == ("Ann", "Cy")
    assert owners(here) == ["Zoe"] * good
    moved = here.facts("reassign", run["list"], "--to", "Inbound")
    assert (moved["kind"], moved["state"], moved["rows"], moved["records"], moved["turns"]) == (
        "reassign",
        "done",
        good,
        good,
        good,
    )
    assert owners(here) == [TEAM[at % 3].title() for at in range(good)]
    assert here.facts("pool", "show", "Inbound")["next"] == "Cy"
    why = here.facts("why", "lead", "5")
    assert (why["turn"], why["owner"]["name"], why["claim"], why["undone"]) == (
        5,
        "Bob",
        f"reassign:{moved['id']}",
        [],
    )

    ids = here.run("reassign", "--ids", "-", "--to", "bob@example.com", text=b"id\n\n5\n2\n")
    assert "ids          2 " in ids.stdout
    undone = here.facts("undo", str(moved["id"]), "--return-turns")
    assert (undone["state"], undone["undoes"], undone["records"], undone["skipped"]) == (
        "done",
        moved["id"],
        good - 2,
        2,
    )
    assert undone["returned"] == good - 2
    assert owners(here) == ["Bob" if at in (1, 4) else "Zoe" for at in range(good)]
    assert [
        (skip["record_id"], skip["reason"])
        for skip in here.facts("runs", "skipped", str(undone["id"]))
    ] == [
        (2, "given"),
        (5, "given"),
    ]
    assert "has got another owner meanwhile" in here.run("runs", "show", str(undone["id"])).stdout
    again = here.run("undo", str(moved["id"]))
    assert f"Run {undone['id']} has undone run {moved['id']} already" in again.stderr
    assert f"undone by    run {undone['id']}" in here.run("runs", "show", str(moved["id"])).stdout
    assert f"run {undone['id']} gave it back" in here.run("why", "lead", "1").stdout
    assert here.facts("pool", "show", "Inbound")["next"] == "Ann"

    gone = here.facts("undo", str(run["id"]))
    assert (gone["records"], gone["skipped"], count(here, run["list"])) == (good - 2, 2, 2)
    assert [(each["id"], each["kind"]) for each in here.facts("runs", "list")] == [
        (gone["id"], "undo"),
        (undone["id"], "undo"),
        (3, "reassign"),
        (moved["id"], "reassign"),
        (run["id"], "import"),
    ]
    [report] = here.facts("verify")
    assert (report["holds"], report["ring"]) == (True, "agrees")

    header = here.signed_in("ann@example.com")
    assert (
        httpx2.get(f"{running.api}/api/runs/{gone['id']}", headers=header).json()["undoes"]
        == run["id"]
    )
    show_odd_names(here, run["list"])
    refuse(here, tmp_path)
    with here.system() as system:
        assert_promise(system)


def show_odd_names(here: Home, name: str) -> None:
    """Brackets are no markup."""
    odd, email = "[b]Odd[/b]", "odd@example.com"
    here.run("user", "add", odd, email)
    assert odd in here.run("reassign", name, "--to", email, "--dry-run").stdout


def refuse(here: Home, folder: Path) -> None:
    """Wrong uses end with 2 and a sentence, and begin no run."""
    before = here.facts("runs", "list")
    wrong, twice = folder / "wrong.txt", folder / "twice.txt"
    wrong.write_text("5\n\nfive\n")
    twice.write_text("5\n5\n")
    to_inbound = ("--to", "Inbound")
    for words, arguments in (
        ("name a list, or a file with --ids", ("reassign", *to_inbound)),
        ("line 3 is no record's number: 'five'", ("reassign", "--ids", wrong, *to_inbound)),
        ("lead 5 is named more than once", ("reassign", "--ids", twice, *to_inbound)),
        ("no list 'Nowhere'", ("reassign", "Nowhere", *to_inbound)),
        (
            "no pool and no active user 'nobody'",
            ("import", twice, "--owner", "nobody", "--dry-run"),
        ),
        ("is an undo itself", ("undo", "4")),
        ("no run 99", ("undo", "99")),
        ("is no import, and has no receipt", ("receipt", "2")),
        ("no pool and no active user '?'", ("reassign", "import:1", "--to", "\udcff")),
        ("less than or equal to 9223372036854775807", ("undo", HUGE)),
        ("less than or equal to 9223372036854775807", ("runs", "show", HUGE)),
        ("less than or equal to 9223372036854775807", ("why", "lead", HUGE)),
    ):
        done = here.run(*arguments, fails=2)
        assert done.stdout == ""
        assert words in " ".join(done.stderr.replace("│", " ").split()), (arguments, done.stderr)
    assert here.facts("runs", "list") == before
