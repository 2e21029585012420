"""evenhand reassign and undo: records that are there already, given to others, and given back."""

from typing import Annotated

import typer

from worker import queue
from worker.cli.arguments import RunNumber
from worker.cli.dry_run import print_dry_run
from worker.cli.output import Json, say
from worker.cli.run_output import find_run, finish
from worker.domain.runs.record_ids import RecordIds, read_ids
from worker.domain.runs.runs import RunState
from worker.flows.names import find_owner_by_name
from worker.flows.records.list_names import find_list
from worker.flows.runs import dry_runs, undo
from worker.flows.runs import reassign as flow
from worker.flows.system import system

app = typer.Typer()

EXAMPLE = (
    "evenhand reassign 'Leads of Oslo' --to Inbound;"
    " evenhand reassign import:5 --to ann@example.com --dry-run"
)

Wait = Annotated[bool, typer.Option(help="Wait until the run has ended, and fail if it failed.")]
DryRunOnly = Annotated[
    bool, typer.Option("--dry-run", help="Tell what would happen, and change nothing.")
]
NewOwner = Annotated[
    str, typer.Option(help="Who gets the records: a pool, or a user by email or name.")
]
OptionalListArgument = Annotated[
    str | None,
    typer.Argument(
        help="A list, by name or id, or import:N for what run N made.", show_default=False
    ),
]
IdFile = Annotated[
    typer.FileBinaryRead | None,
    typer.Option(
        help="A file with one record's id a line, instead of a list; - is standard input.",
        show_default=False,
    ),
]
IdType = Annotated[
    str | None,
    typer.Option(
        help="What the ids are of: lead, contact or deal; lead unless given.", show_default=False
    ),
]


@app.command(epilog=f"Example: {EXAMPLE}")
def reassign(
    to: NewOwner,
    list: OptionalListArgument = None,
    ids: IdFile = None,
    type: IdType = None,
    dry_run: DryRunOnly = False,
    wait: Wait = True,
    json: Json = False,
) -> None:
    """Reassign records: each goes to the next member, in the order of the list, as one block of
    turns; or all go to one person."""
    if (list is None) is (ids is None):
        raise typer.BadParameter("name a list, or a file with --ids")
    if list is not None and type is not None:
        raise typer.BadParameter("a list has a type of its own: leave --type out")
    record_ids = None if ids is None else RecordIds(type or "lead", read_ids(ids))
    with system().reading() as unit:
        wanted = record_ids or find_list(unit, list or "", None)
        owner_id = find_owner_by_name(unit, to).id
        if dry_run:
            print_dry_run(dry_runs.preview_reassignment(unit, wanted, owner_id), json=json)
            return
    queue.ping()
    finish(system().transact(flow.accept, wanted, owner_id, None), wait=wait, json=json)


@app.command("undo", epilog="Example: evenhand undo 5; evenhand undo 5 --return-turns")
def undo_run(
    run: RunNumber,
    return_turns: Annotated[
        bool,
        typer.Option(
            "--return-turns",
            help="Hand its turns out again, before any other. Else they stay spent.",
        ),
    ] = False,
    wait: Wait = True,
    json: Json = False,
) -> None:
    """Undo a run: what an import has made is deleted, what a reassignment has given goes back; what
    was touched since is left alone."""
    queue.ping()
    present = find_run(run).undone_by
    undo_id = system().transact(undo.accept, run, None, returns_turns=return_turns)
    if undo_id == present:
        _say_state(undo_id, run)
    finish(undo_id, wait=wait, json=json)


def _say_state(undo_id: int, run: int) -> None:
    """Says how far the undo of a run is that was there before."""
    undo_run = find_run(undo_id)
    if undo_run.state == RunState.DONE:
        turns = "came back" if undo_run.returns_turns else "stay spent"
        say(f"Run {undo_id} has undone run {run} already; its turns {turns}.")
    elif undo_run.state == RunState.FAILED:
        say(
            f"Run {undo_id} was to undo run {run}, and has failed:"
            f" `evenhand runs retry {undo_id}` goes on with it."
        )
    else:
        say(f"Run {undo_id} is undoing run {run} already.")
