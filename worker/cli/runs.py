"""evenhand import, runs and receipt: files in, and what became of them."""

import os
import shutil
import sys
from functools import partial
from pathlib import Path
from threading import Event
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from worker import queue
from worker.cli.output import Json, console, errors, facts_list, print_json, rows, say, table
from worker.domain.rows import mapping_of
from worker.errors import UnknownRun, UnreadableFile
from worker.flows import imports
from worker.flows import runs as flow
from worker.flows.system import system
from worker.store.views import all_runs, run_facts

app = typer.Typer()
runs = typer.Typer(no_args_is_help=True, help="Imports that run, and those that have ended.")
app.add_typer(runs, name="runs")

FAILED = 1
POLL_SECONDS = 0.1
ERRORS_SHOWN = 10

Run = Annotated[int, typer.Argument(help="The run's number, as `evenhand runs list` shows it.")]


@app.command("import", epilog="Example: evenhand import leads.csv --owner Inbound --map 'Surname=last_name'")
def import_file(
    file: Annotated[Path, typer.Argument(help="A CSV file in UTF-8 whose first line names the columns.")],
    owner: Annotated[str, typer.Option(help="Who gets every row: a pool, or a user by email or name.")],
    type: Annotated[str, typer.Option(help="What the rows become: lead, contact or deal.")] = "lead",
    map: Annotated[list[str], typer.Option(help="What a column is taken as: 'Header=field'. Repeat it for more.")] = [],  # noqa: B006
    wait: Annotated[bool, typer.Option(help="Wait until the run has ended, and fail if it failed.")] = True,
    json: Json = False,
) -> None:
    """Import a file: every good row becomes a record, owned by the next member in file order."""
    facts = start(file, type, owner, mapping_of(map))
    if wait:
        facts = follow(facts["id"], quiet=json)
    print_json(facts) if json else _print_run(facts)
    if facts["state"] == "failed":
        raise typer.Exit(FAILED)


def start(path: Path, record_type: str, owner: str, mapping: dict[str, str]) -> dict[str, Any]:
    """Has a file accepted as a run."""
    queue.ping()
    try:
        with path.open("rb") as file:
            name = os.fsencode(path.name).decode(errors="replace")
            run_id = imports.accept(system(), imports.Request(name, record_type, owner, mapping), file)
    except OSError as error:
        raise UnreadableFile(reason=f"{path}: {error.strerror}.") from None
    return _facts(run_id)


def follow(run_id: int, *, quiet: bool) -> dict[str, Any]:
    """Waits until a run has ended, with a bar that shows how far it is."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    pause = Event()
    with Progress(*columns, console=errors, transient=True, disable=quiet or not errors.is_terminal) as progress:
        bar = progress.add_task("waiting", total=1.0)
        while (facts := _facts(run_id))["ended_at"] is None:
            progress.update(bar, completed=facts["progress"], description=facts["state"])
            pause.wait(POLL_SECONDS)
    return facts


@runs.command("list", epilog="Example: evenhand runs list")
def list_runs(json: Json = False) -> None:
    """List the newest runs."""
    with system().reading() as session:
        facts = all_runs(session)
    if json:
        print_json(facts)
    else:
        numbers = ("rows", "records", "errors", "turns")
        columns = table("run", "state", "file", "type", "owner", *numbers, "accepted", right=("run", *numbers))
        console.print(rows(columns, facts, "id", "state", "file", "record_type", "owner", *numbers, "accepted_at"))


@runs.command(epilog="Example: evenhand runs show 1")
def show(run: Run, json: Json = False) -> None:
    """Show a run: how far it is, and its first row errors."""
    facts = _facts(run)
    print_json(facts) if json else _print_run(facts)


@runs.command(epilog="Example: evenhand runs cancel 1")
def cancel(run: Run, json: Json = False) -> None:
    """Cancel a run between two chunks: what was loaded stays, the turns that it doesn't use come back."""
    cancelled = system().transact(lambda session: flow.cancel(session, system().ring, run))
    if json:
        print_json({"id": run} | cancelled._asdict())
    else:
        say(f"Cancelled run {run}: it keeps {cancelled.records:,} records and gives back {cancelled.returned:,} turns.")


@runs.command(epilog="Example: evenhand runs retry 1; evenhand runs retry --leads")
def retry(
    run: Annotated[int | None, typer.Argument(help="The number of a run that failed.", show_default=False)] = None,
    leads: Annotated[bool, typer.Option("--leads", help="Retry captured leads and lookups that were set aside.")] = False,
    json: Json = False,
) -> None:
    """Try again what was tried too often and set aside: the chunks of a run, or captured leads."""
    if (run is None) is not leads:
        raise typer.BadParameter("name a run, or say --leads")
    retried = system().transact(flow.retry_leads if run is None else partial(flow.retry, run_id=run))
    what = "leads that were set aside" if run is None else f"tasks of run {run}"
    print_json({"retried": retried}) if json else say(f"Retrying {retried:,} {what}.")


@app.command(epilog="Example: evenhand receipt 1 > receipt.csv")
def receipt(
    run: Run,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file to write instead of standard output.")] = None,
) -> None:
    """Print the receipt of a run: for each row of the file its record, turn and owner, or its error."""
    with imports.receipt(system(), run) as source:
        if output is None:
            shutil.copyfileobj(source, sys.stdout.buffer)
            return
        with output.open("wb") as target:
            shutil.copyfileobj(source, target)
    say(f"Wrote {output}.")


def _facts(run_id: int) -> dict[str, Any]:
    with system().reading() as session:
        facts = run_facts(session, run_id)
    if facts is None:
        raise UnknownRun(run_id=run_id)
    return facts


def _print_run(facts: dict[str, Any]) -> None:
    shown = (
        "id",
        "state",
        "file",
        "record_type",
        "owner",
        "rows",
        "records",
        "errors",
        "turns",
        "returned",
        "reason",
        "accepted_at",
        "ended_at",
    )
    console.print(facts_list({name: facts[name] for name in shown}))
    print_errors(facts)


def print_errors(facts: dict[str, Any]) -> None:
    """The first row errors, and how many more there are."""
    if not facts["errors"]:
        return
    console.print(errors_table(facts))
    if facts["errors"] > ERRORS_SHOWN:
        say(f"and {facts['errors'] - ERRORS_SHOWN:,} more: `evenhand receipt {facts['id']}` has all.")


def errors_table(facts: dict[str, Any]) -> Table:
    """The first row errors of a run."""
    made = table("line", "field", "what is wrong", right=("line",))
    return rows(made, facts["first_errors"][:ERRORS_SHOWN], "line", "field", "reason")
