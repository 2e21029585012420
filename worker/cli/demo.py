"""evenhand demo: the main job from beginning to end, on a stack of its own."""

import csv
import io
import os
import signal
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table

from worker.cli import runs
from worker.cli.audit import make_reports_table
from worker.cli.output import console, make_table, say
from worker.cli.pools import shares
from worker.cli.run_output import follow, make_errors_table
from worker.domain.audit.reports import Report
from worker.domain.runs.runs import RunState
from worker.flows.audit.verify import verify
from worker.flows.people import people
from worker.flows.runs import imports
from worker.flows.system import system
from worker.flows.turns import pools
from worker.sample import write_sample
from worker.settings import settings
from worker.store.views.runs import RunView

app = typer.Typer()

POOL = "Inbound"
TEAM = ("Ada", "Ben", "Cleo", "Dan", "Eve")
SAMPLE_ROWS = 1_000
WORKERS = 4
ROWS_SHOWN = 8
FAILED = 1

File = Annotated[
    Path | None,
    typer.Option(
        help="A CSV file of leads to import instead of the sample.", exists=True, dir_okay=False
    ),
]


@app.command(epilog="Example: evenhand demo --file leads.csv")
def demo(file: File = None) -> None:
    """Show the main job: four workers import a thousand leads into a pool of five, in exact turn.
    Your own data is left alone."""
    # Each demo begins anew in a folder of its own, on embedded defaults. The environment's settings
    # of the real stack don't count.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("EVENHAND_")
    }
    environment["EVENHAND_HOME"] = str(settings().home / "demo")
    option = ["--file", str(file.absolute())] if file else []
    os.execve(sys.executable, [sys.executable, "-m", "worker", "demo-here", *option], environment)


@app.command("demo-here", hidden=True)
def demo_here(file: File = None) -> None:
    """Runs the demo in the data folder that the environment names. Empties it first."""
    from worker.stack.stack import Stack, wipe

    # SystemExit, so that the stack is stopped on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(FAILED))
    began = time.monotonic()
    wipe(settings())
    with Stack(settings(), WORKERS).running(lambda step: say(f"… {step}")):
        pool_id = _make_pool()
        say(f"… importing {file or 'the sample file'} with {WORKERS} worker processes")
        run = follow(runs.start(file or _write_sample_file(), "lead", POOL, {}), quiet=False)
        reports = verify(system(), pool_id)
        _print_result(run, pool_id, reports)
    took, import_took = time.monotonic() - began, _import_seconds(run)
    console.print(f"\nDone in {took:.1f} s, of which the import took {import_took:.1f} s.")
    if run.state != RunState.DONE or not all(report.holds for report in reports):
        raise typer.Exit(FAILED)


def _write_sample_file() -> Path:
    path = settings().home / "sample-leads.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        write_sample(file, SAMPLE_ROWS)
    return path


def _make_pool() -> int:
    members = [_add_person(name) for name in TEAM]
    return system().transact(pools.create, POOL, "lead", members, None)


def _add_person(name: str) -> int:
    return int(system().transact(people.add, name, f"{name.lower()}@example.com").id)


def _print_result(run: RunView, pool_id: int, reports: list[Report]) -> None:
    """Prints the first rows, who got how many leads, the bad rows, and what was checked."""
    with system().reading() as session:
        pool = pools.show(session, pool_id)
    if run.state != RunState.DONE:
        console.print(f"The import {run.state}: {run.reason}", markup=False)
        return
    _print_section(f"The first rows of {run.file}", _list_first_rows(run.id))
    _print_section(
        f"{run.records:,} leads among {len(pool.members)} members; next is {pool.next}",
        shares(pool),
    )
    if run.errors:
        _print_section(
            f"{run.errors:,} rows became no lead and burned no turn",
            make_errors_table(run.first_errors),
        )
    _print_section("Every turn checked against the roster in force", make_reports_table(reports))


def _import_seconds(run: RunView) -> float:
    assert run.ended_at is not None
    return (run.ended_at - run.accepted_at).total_seconds()


def _print_section(title: str, body: RenderableType) -> None:
    console.print(f"\n[bold]{title}[/bold]")
    console.print(Padding(body, (0, 2), expand=False))


def _list_first_rows(run_id: int) -> Table:
    made = make_table("line", "lead", "turn", "owner", right=("line", "lead", "turn"))
    with imports.open_receipt(system(), run_id) as receipt:
        lines = csv.DictReader(io.TextIOWrapper(receipt, encoding="utf-8", newline=""))
        for line in islice(lines, ROWS_SHOWN):
            made.add_row(
                line["line"], line["record_id"], line["turn"], line["owner"] or line["error"]
            )
    return made
