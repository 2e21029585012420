"""evenhand import, runs and receipt: files in, and what became of them and of whatever else runs."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from worker import queue
from worker.cli.arguments import Run, number
from worker.cli.dry_run import print_dry_run
from worker.cli.output import Json, console, print_json, rows, say, table
from worker.cli.run_output import FIRST, about, facts_of, finish, print_run, print_skips
from worker.domain.files.rows import mapping_of
from worker.errors.runs import UnreadableFile
from worker.flows.runs import control as flow
from worker.flows.runs import dry_runs, imports
from worker.flows.system import system
from worker.store.views.runs import all_runs, skipped

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
    if dry_run:
        print_dry_run(_forecast(file, type, owner, mapping_of(map)), json=json)
    else:
        finish(start(file, type, owner, mapping_of(map)), wait=wait, json=json)


def start(path: Path, record_type: str, owner: str, mapping: dict[str, str]) -> int:
    """Has a file accepted as a run, and returns its id."""
    queue.ping()
    with _opened(path) as (name, file):
        return imports.accept(system(), imports.Request(name, record_type, owner, mapping), file)


def _forecast(path: Path, record_type: str, owner: str, mapping: dict[str, str]) -> dict[str, Any]:
    with _opened(path) as (name, file):
        return dry_runs.of_import(
            system(), imports.Request(name, record_type, owner, mapping), file
        )


@contextmanager
def _opened(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """A file and what to call it. Raises UnreadableFile."""
    try:
        with path.open("rb") as file:
            yield os.fsencode(path.name).decode(errors="replace"), file
    except OSError as error:
        raise UnreadableFile(reason=f"{path}: {error.strerror}.") from None


@runs.command("list", epilog="Example: evenhand runs list")
def list_runs(json: Json = False) -> None:
    """List the newest runs."""
    with system().reading() as session:
        facts = all_runs(session)
    if json:
        print_json(facts)
    else:
        numbers = ("rows", "records", "skipped", "errors", "turns")
        columns = table(
            "run",
            "kind",
            "state",
            "about",
            "type",
            "owner",
            *numbers,
            "accepted",
            right=("run", *numbers),
        )
        told = [run | {"about": about(run)} for run in facts]
        console.print(
            rows(
                columns,
                told,
                "id",
                "kind",
                "state",
                "about",
                "record_type",
                "owner",
                *numbers,
                "accepted_at",
            )
        )


@runs.command(epilog="Example: evenhand runs show 1")
def show(run: Run, json: Json = False) -> None:
    """Show a run: how far it is, its first row errors, and the first records that it has left as
    they were."""
    facts = facts_of(run)
    print_json(facts) if json else print_run(facts)


@runs.command("skipped", epilog="Example: evenhand runs skipped 7 --json")
def list_skipped(run: Run, json: Json = False) -> None:
    """List the records that a run has left as they were, because somebody has touched them
    meanwhile: the first hundred, or all as JSON."""
    facts = facts_of(run)
    if json:
        with system().reading() as session:
            print_json(skipped(session, run, FIRST, facts["skipped"]))
    elif facts["skipped"]:
        print_skips(facts, SKIPS_SHOWN)
    else:
        say(f"Run {run} has left no record as it was.")


@runs.command(epilog="Example: evenhand runs cancel 1")
def cancel(run: Run, json: Json = False) -> None:
    """Cancel a run between two chunks: what it has done stays, the turns that it doesn't use come
    back."""
    cancelled = system().transact(flow.cancel, run)
    if json:
        print_json({"id": run} | cancelled._asdict())
    else:
        stays = (
            f"what it did to {cancelled.records:,} records stays"
            if cancelled.records
            else "it has done nothing yet"
        )
        say(f"Cancelled run {run}: {stays}, and it gives back {cancelled.returned:,} turns.")


@runs.command(epilog="Example: evenhand runs retry 1; evenhand runs retry --leads")
def retry(
    run: Annotated[int | None, number("The number of a run that failed.")] = None,
    leads: Annotated[
        bool, typer.Option("--leads", help="Retry captured leads and lookups that were set aside.")
    ] = False,
    json: Json = False,
) -> None:
    """Try again what was tried too often and set aside: the chunks of a run, or captured leads."""
    if (run is None) is not leads:
        raise typer.BadParameter("name a run, or say --leads")
    retried = system().transact(
        flow.retry_leads if run is None else partial(flow.retry, run_id=run)
    )
    what = "leads that were set aside" if run is None else f"tasks of run {run}"
    print_json({"retried": retried}) if json else say(f"Retrying {retried:,} {what}.")


@app.command(epilog="Example: evenhand receipt 1 > receipt.csv")
def receipt(
    run: Run,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A file to write instead of standard output."),
    ] = None,
) -> None:
    """Print the receipt of an import: for each row of the file its record, turn and owner, or its
    error."""
    with imports.receipt(system(), run) as source:
        if output is None:
            shutil.copyfileobj(source, sys.stdout.buffer)
            return
        with output.open("wb") as target:
            shutil.copyfileobj(source, target)
    say(f"Wrote {output}.")
