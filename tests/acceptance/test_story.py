"""The main job as a person does it, through the command line, on the whole stack."""

import csv
import io
import json
from itertools import cycle
from pathlib import Path

import httpx2
import pytest

from tests.acceptance.stack import Home, Running, home
from tests.support.invariants import assert_in_file_order, assert_promise
from worker.sample import write_sample

ROWS = 1_000
TEAM = ("ann", "bob", "cy", "dee", "eve")

pytestmark = pytest.mark.timeout(400)


def sample(folder: Path) -> Path:
    path = folder / "sample leads.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        write_sample(file, ROWS)
    return path


def make_team(home: Home) -> None:
    for name in TEAM:
        home.run("user", "add", name.title(), f"{name}@example.com")
    members = [word for name in TEAM for word in ("--member", f"{name}@example.com")]
    home.run("pool", "create", "Inbound", "--type", "lead", *members)


def lines_of(receipt: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(receipt, newline="")))


@pytest.mark.fast
def test_a_file_is_imported_in_exact_turn_and_every_owner_is_explained(
    running: Running, tmp_path: Path
) -> None:
    here, file = running.home, sample(tmp_path)

    make_team(here)
    run = here.facts("import", file, "--type", "lead", "--owner", "Inbound")
    lines = lines_of(here.run("receipt", str(run["id"])).stdout)
    good = [line for line in lines if not line["error"]]

    assert (run["state"], run["rows"], run["records"] + run["errors"], run["turns"]) == (
        "done",
        ROWS,
        ROWS,
        run["records"],
    )
    assert {
        "id",
        "state",
        "rows",
        "records",
        "errors",
        "turns",
        "started_at",
        "ended_at",
    } <= run.keys()
    assert len(lines) == ROWS
    assert [int(line["turn"]) for line in good] == list(range(1, run["records"] + 1))
    assert [line["owner"] for line in good] == [
        f"{name}@example.com" for _, name in zip(good, cycle(TEAM), strict=False)
    ]
    assert len(lines) - len(good) == run["errors"] == len(run["first_errors"]) > 0

    why = here.facts("why", "lead", good[6]["record_id"])
    assert (why["turn"], why["pool"], why["owner"]["email"]) == (
        7,
        "Inbound",
        "bob@example.com",
    )
    assert (why["before"]["email"], why["next"]["email"]) == (
        "ann@example.com",
        "cy@example.com",
    )
    assert (why["claim"], why["cause"], why["roster"]["version"]) == (
        f"import:{run['id']}",
        "import",
        1,
    )

    [report] = here.facts("verify")
    assert (report["holds"], report["turns"], report["ring"]) == (True, run["turns"], "agrees")
    shown = here.facts("pool", "show", "Inbound")
    assert sum(member["records"] for member in shown["members"]) == shown["turns"] == run["turns"]

    address, ann = f"{running.api}/api/runs/{run['id']}", here.signed_in("ann@example.com")
    over_http = httpx2.get(address, headers=ann).json()
    assert (over_http["state"], over_http["records"]) == ("done", run["records"])
    assert httpx2.get(address).status_code == httpx2.codes.UNAUTHORIZED
    assert httpx2.get(f"{address}/receipt", headers=ann).text.count("\n") == ROWS + 1
    assert httpx2.get(f"{running.api}/docs").status_code == httpx2.codes.OK
    tasks = httpx2.get(f"{running.flower}/tasks").text
    assert "Flower" in tasks

    with here.system() as system:
        assert_in_file_order(system, run["id"])
        assert_promise(system)


def test_wrong_use_is_told_in_a_sentence_and_changes_nothing(
    sqlite_url: str, tmp_path: Path
) -> None:
    here = home(tmp_path / "home", sqlite_url)
    empty = tmp_path / "empty.csv"
    empty.write_text("")

    def refused(code: int, *arguments: str | Path) -> str:
        done = here.run(*arguments, fails=code)
        assert done.stdout == ""
        return done.stderr

    here.run("user", "add", "Ann", "ann@example.com")
    assert "already a user" in refused(2, "user", "add", "Ann", "ANN@example.com")
    assert "not an email address" in refused(2, "user", "add", "Ann", "ann")
    assert "no active user 'zed'" in refused(2, "pool", "create", "Inbound", "-m", "zed")
    assert "not a record type" in refused(2, "pool", "create", "Inbound", "--type", "person")
    assert here.facts("pool", "list") == []
    assert "no pool 'Inbound'" in refused(2, "pool", "show", "Inbound")
    assert "no run 7" in refused(2, "runs", "show", "7")
    assert "evenhand up" in refused(1, "import", empty, "--owner", "ann@example.com")
    assert "No such command" in refused(2, "improt")
    assert here.facts("runs", "list") == []


def test_the_environment_is_checked_before_anything_is_done(tmp_path: Path) -> None:
    here = home(tmp_path / "home", "mysql://localhost/evenhand")

    told = here.run("pool", "list", fails=2).stderr

    assert "EVENHAND_DATABASE_URL" in told
    assert "postgresql://" in told


def test_a_database_without_tables_says_what_to_do(tmp_path: Path) -> None:
    here = home(tmp_path / "home", f"sqlite:///{tmp_path / 'new.db'}")

    assert "evenhand migrate" in here.run("pool", "list", fails=1).stderr
    here.run("migrate")
    assert json.loads(here.run("pool", "list", "--json").stdout) == []
