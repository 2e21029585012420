"""How runs are waited for and shown."""

from threading import Event
from typing import Any

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from worker.cli.output import console, errors, facts_list, print_json, rows, say, table
from worker.domain.runs.runs import DELETED, EDITED, GIVEN, REASSIGN, UNDO
from worker.errors.runs import UnknownRun
from worker.flows.system import system
from worker.store.views.runs import run_facts, skipped

FAILED = 1
POLL_SECONDS = 0.1
ERRORS_SHOWN = 10
SKIPS_SHOWN = 10

FIRST = -1
"""Before the first ordinal."""

REASONS = {
    DELETED: "was deleted meanwhile",
    GIVEN: "has got another owner meanwhile",
    EDITED: "was edited meanwhile",
}


def facts_of(run_id: int) -> dict[str, Any]:
    """Raises UnknownRun."""
    with system().reading() as session:
        facts = run_facts(session, run_id)
    if facts is None:
        raise UnknownRun(run_id=run_id)
    return facts


def finish(run_id: int, *, wait: bool, json: bool) -> None:
    """Waits for a run if that is wanted, shows it, and fails if it has failed."""
    facts = follow(run_id, quiet=json) if wait else facts_of(run_id)
    print_json(facts) if json else print_run(facts)
    if facts["state"] == "failed":
        raise typer.Exit(FAILED)


def follow(run_id: int, *, quiet: bool) -> dict[str, Any]:
    """Waits until a run has ended, with a bar that shows how far it is."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    pause = Event()
    with Progress(
        *columns, console=errors, transient=True, disable=quiet or not errors.is_terminal
    ) as progress:
        bar = progress.add_task("waiting", total=1.0)
        while (facts := facts_of(run_id))["ended_at"] is None:
            progress.update(bar, completed=facts["progress"], description=facts["state"])
            pause.wait(POLL_SECONDS)
    return facts


def about(facts: dict[str, Any]) -> str:
    """What a run is about, in a word or two."""
    if facts["kind"] == UNDO:
        return f"run {facts['undoes']}"
    if facts["kind"] == REASSIGN:
        return facts["list"] or f"{facts['ids']:,} ids"
    return str(facts["file"])


def print_run(facts: dict[str, Any]) -> None:
    shown = {name: facts[name] for name in ("id", "kind", "state", "file", "list", "ids")}
    shown |= {
        "undoes": _run(facts["undoes"]),
        "turns come back": facts["returns_turns"],
        "undone by": _run(facts["undone_by"]),
    }
    names = (
        "record_type",
        "owner",
        "rows",
        "records",
        "skipped",
        "errors",
        "turns",
        "returned",
        "reason",
        "accepted_at",
        "ended_at",
    )
    console.print(facts_list(shown | {name: facts[name] for name in names}))
    print_errors(facts)
    if facts["skipped"]:
        print_skips(facts, SKIPS_SHOWN)


def _run(run_id: int | None) -> str | None:
    return None if run_id is None else f"run {run_id}"


def print_errors(facts: dict[str, Any]) -> None:
    """The first row errors, and how many more there are."""
    if not facts["errors"]:
        return
    console.print(errors_table(facts))
    if facts["errors"] > ERRORS_SHOWN:
        say(
            f"and {facts['errors'] - ERRORS_SHOWN:,} more: `evenhand receipt {facts['id']}` has all."
        )


def errors_table(facts: dict[str, Any]) -> Table:
    """The first row errors of a run."""
    made = table("line", "field", "what is wrong", right=("line",))
    return rows(made, facts["first_errors"][:ERRORS_SHOWN], "line", "field", "reason")


def print_skips(facts: dict[str, Any], most: int) -> None:
    """The first records that a run has left as they were, each with the reason, and how many more
    there are."""
    with system().reading() as session:
        found = skipped(session, facts["id"], FIRST, most)
    made = table(
        facts["record_type"], "was left as it is, because it", right=(facts["record_type"],)
    )
    for skip in found:
        made.add_row(str(skip["record_id"]), REASONS[skip["reason"]])
    console.print(made)
    if facts["skipped"] > len(found):
        say(
            f"and {facts['skipped'] - len(found):,} more: `evenhand runs skipped {facts['id']} --json` has all."
        )
