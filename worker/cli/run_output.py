"""How runs are waited for and shown."""

from collections.abc import Sequence
from threading import Event

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from worker.cli.output import add_rows, console, errors, list_fields, make_table, print_json, say
from worker.domain.files.rows import RowError
from worker.domain.runs.runs import RunKind, RunState, SkipReason
from worker.flows.system import system
from worker.store.views.runs import RunSummary, RunView, list_skipped, show_run

FAILED = 1
POLL_SECONDS = 0.1
ERRORS_SHOWN = 10
SKIPS_SHOWN = 10

FIRST = -1
"""Before the first ordinal."""

REASONS = {
    SkipReason.DELETED: "was deleted meanwhile",
    SkipReason.GIVEN: "has got another owner meanwhile",
    SkipReason.EDITED: "was edited meanwhile",
}


def find_run(run_id: int) -> RunView:
    """Raises UnknownRun."""
    with system().reading() as session:
        return show_run(session, run_id)


def finish(run_id: int, *, wait: bool, json: bool) -> None:
    """Waits for a run if that is wanted, shows it, and fails if it has failed."""
    run = follow(run_id, quiet=json) if wait else find_run(run_id)
    print_json(run) if json else print_run(run)
    if run.state == RunState.FAILED:
        raise typer.Exit(FAILED)


def follow(run_id: int, *, quiet: bool) -> RunView:
    """Waits until a run has ended, with a bar that shows its progress."""
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
        while (run := find_run(run_id)).ended_at is None:
            progress.update(bar, completed=run.progress, description=run.state)
            pause.wait(POLL_SECONDS)
    return run


def name_subject(run: RunSummary) -> str:
    """Names a run's subject in a word or two."""
    if run.kind == RunKind.UNDO:
        return f"run {run.undoes}"
    if run.kind == RunKind.REASSIGN:
        return run.list or f"{run.ids:,} ids"
    return str(run.file)


def print_run(run: RunView) -> None:
    console.print(
        list_fields(
            {
                "id": run.id,
                "kind": run.kind,
                "state": run.state,
                "file": run.file,
                "list": run.list,
                "ids": run.ids,
                "undoes": _name_run(run.undoes),
                "turns come back": run.returns_turns,
                "undone by": _name_run(run.undone_by),
                "record_type": run.record_type,
                "owner": run.owner,
                "rows": run.rows,
                "records": run.records,
                "skipped": run.skipped,
                "errors": run.errors,
                "turns": run.turns,
                "returned": run.returned,
                "reason": run.reason,
                "accepted_at": run.accepted_at.isoformat(),
                "ended_at": run.ended_at and run.ended_at.isoformat(),
            }
        )
    )
    print_errors(run)
    if run.skipped:
        print_skips(run, SKIPS_SHOWN)


def _name_run(run_id: int | None) -> str | None:
    return None if run_id is None else f"run {run_id}"


def print_errors(run: RunView) -> None:
    """The first row errors, and how many more there are."""
    if not run.errors:
        return
    console.print(make_errors_table(run.first_errors))
    if run.errors > ERRORS_SHOWN:
        say(f"and {run.errors - ERRORS_SHOWN:,} more: `evenhand receipt {run.id}` has all.")


def make_errors_table(first_errors: Sequence[RowError]) -> Table:
    """The first row errors of a run."""
    made = make_table("line", "field", "what is wrong", right=("line",))
    return add_rows(made, first_errors[:ERRORS_SHOWN], "line", "field", "reason")


def print_skips(run: RunView, most: int) -> None:
    """The first records that a run has left as they were, each with the reason, and how many more
    there are."""
    with system().reading() as session:
        found = list_skipped(session, run.id, FIRST, most)
    made = make_table(run.record_type, "was left as it is, because it", right=(run.record_type,))
    for skip in found:
        made.add_row(str(skip.record_id), REASONS[skip.reason])
    console.print(made)
    if run.skipped > len(found):
        say(
            f"and {run.skipped - len(found):,} more:"
            f" `evenhand runs skipped {run.id} --json` has all."
        )
