"""evenhand import, runs and receipt: files in, and the results of these and other runs."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Annotated

import typer

from worker import queue
from worker.cli.arguments import RunNumber, make_number
from worker.cli.dry_run import print_dry_run
from worker.cli.output import Json, add_rows, console, make_table, print_json, say
from worker.cli.run_output import FIRST, find_run, finish, name_subject, print_run, print_skips
from worker.domain.files.rows import parse_mapping
from worker.errors.runs import UnreadableFile
from worker.flows.intake.retry import retry_leads
from worker.flows.names import find_owner_by_name
from worker.flows.runs import cancel as cancel_flow
from worker.flows.runs import dry_runs, imports
from worker.flows.runs import retry as retry_flow
from worker.flows.runs.imports import ImportRequest
from worker.flows.system import system
from worker.store.views import runs as views
from worker.store.views.runs import Retried

app = typer.Typer()
runs = typer.Typer(
    no_args_is_help=True,
    help="Imports, reassignments and undos that run, and those that have ended.",
)
app.add_typer(runs, name="runs")

SKIPS_SHOWN = 100


@app.command(
    "import", epilog="Example: evenhand import leads.csv --owner Inbound --map 'Surname=last_name'"
)
def import_file(
    file: Annotated[
        Path, typer.Argument(help="A CSV file in UTF-8 whose first line names the columns.")
    ],
    owner: Annotated[
        str, typer.Option(help="Who gets every row: a pool, or a user by email or name.")
    ],
    type: Annotated[
        str, typer.Option(help="What the rows become: lead, contact or deal.")
    ] = "lead",
    map: Annotated[
        list[str],
        typer.Option(help="What a column is taken as: 'Header=field'. Repeat it for more."),
    ] = [],  # noqa: B006
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would happen, and import nothing.")
    ] = False,
    wait: Annotated[
        bool, typer.Option(help="Wait until the run has ended, and fail if it failed.")
    ] = True,
    json: Json = False,
) -> None:
    """Import a file: every good row becomes a record, owned by the next member in file order."""
    mapping = parse_mapping(map)
    if dry_run:
        with _open(file) as (name, opened):
            request = _request(name, type, owner, mapping)
            print_dry_run(dry_runs.preview_import(system(), request, opened), json=json)
    else:
        finish(start(file, type, owner, mapping), wait=wait, json=json)


def start(path: Path, record_type: str, owner: str, mapping: dict[str, str]) -> int:
    """Has a file accepted as a run, and returns its id."""
    queue.ping()
    with _open(path) as (name, file):
        return imports.accept(system(), _request(name, record_type, owner, mapping), file)


def _request(
    file_name: str, record_type: str, owner: str, mapping: dict[str, str]
) -> ImportRequest:
    """Raises UnknownOwner, AmbiguousUser."""
    with system().reading() as session:
        owner_id = find_owner_by_name(session, owner).id
    return ImportRequest(file_name, record_type, owner_id, mapping)


@contextmanager
def _open(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """A file and its name. Raises UnreadableFile."""
    try:
        with path.open("rb") as file:
            yield os.fsencode(path.name).decode(errors="replace"), file
    except OSError as error:
        raise UnreadableFile(reason=f"{path}: {error.strerror}.") from None


@runs.command("list", epilog="Example: evenhand runs list")
def list_runs(json: Json = False) -> None:
    """List the newest runs."""
    with system().reading() as session:
        found = views.list_runs(session)
    if json:
        print_json(found)
        return
    numbers = ("rows", "records", "skipped", "errors", "turns")
    heads = ("run", "kind", "state", "about", "type", "owner", *numbers, "accepted")
    names = ("id", "kind", "state", "about", "record_type", "owner", *numbers, "accepted_at")
    shown = [
        asdict(run) | {"about": name_subject(run), "accepted_at": run.accepted_at.isoformat()}
        for run in found
    ]
    console.print(add_rows(make_table(*heads, right=("run", *numbers)), shown, *names))


@runs.command(epilog="Example: evenhand runs show 1")
def show(run: RunNumber, json: Json = False) -> None:
    """Show a run: how far it is, its first row errors, and the first records that it has left as
    they were."""
    found = find_run(run)
    print_json(found) if json else print_run(found)


@runs.command("skipped", epilog="Example: evenhand runs skipped 7 --json")
def list_skipped(run: RunNumber, json: Json = False) -> None:
    """List the records that a run has left as they were, because somebody has touched them
    meanwhile: the first hundred, or all as JSON."""
    found = find_run(run)
    if json:
        with system().reading() as session:
            print_json(views.list_skipped(session, run, FIRST, found.skipped))
    elif found.skipped:
        print_skips(found, SKIPS_SHOWN)
    else:
        say(f"Run {run} has left no record as it was.")


@runs.command(epilog="Example: evenhand runs cancel 1")
def cancel(run: RunNumber, json: Json = False) -> None:
    """Cancel a run between two chunks: what it has done stays. An import or a reassignment gives
    back the turns that it hasn't used. An undo gives back the turns of what it has undone, if that
    was asked for."""
    cancelled = system().transact(cancel_flow.cancel, run)
    if json:
        print_json(cancelled)
    else:
        stays = (
            f"what it did to {cancelled.records:,} records stays"
            if cancelled.records
            else "it has done nothing yet"
        )
        say(f"Cancelled run {run}: {stays}, and it gives back {cancelled.returned:,} turns.")


@runs.command(epilog="Example: evenhand runs retry 1; evenhand runs retry --leads")
def retry(
    run: Annotated[int | None, make_number("The number of a run that failed.")] = None,
    leads: Annotated[
        bool, typer.Option("--leads", help="Retry captured leads and lookups that were set aside.")
    ] = False,
    json: Json = False,
) -> None:
    """Try again what was tried too often and set aside: the chunks of a run, or captured leads."""
    if (run is None) is not leads:
        raise typer.BadParameter("name a run, or say --leads")
    if run is None:
        retried, what = system().transact(retry_leads), "leads that were set aside"
    else:
        retried, what = system().transact(retry_flow.retry, run), f"tasks of run {run}"
    print_json(Retried(retried)) if json else say(f"Retrying {retried:,} {what}.")


@app.command(epilog="Example: evenhand receipt 1 > receipt.csv")
def receipt(
    run: RunNumber,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A file to write instead of standard output."),
    ] = None,
) -> None:
    """Print the receipt of an import: for each row of the file its record, turn and owner, or its
    error."""
    with imports.open_receipt(system(), run) as source:
        if output is None:
            shutil.copyfileobj(source, sys.stdout.buffer)
            return
        with output.open("wb") as target:
            shutil.copyfileobj(source, target)
    say(f"Wrote {output}.")
