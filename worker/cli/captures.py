"""evenhand capture and waiting: captures leads in the order of their lines, and lists those that
still wait for their owner."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from threading import Event
from typing import Annotated

import orjson
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from worker.cli.arguments import Limit
from worker.cli.output import Json, add_rows, console, errors, make_table, print_json, say
from worker.domain.intake.leads import LeadValues, parse_lead
from worker.errors.records import BadLead
from worker.flows.intake import capture
from worker.flows.names import find_pool_by_name
from worker.flows.system import system
from worker.store.views.intake import CapturedLeadView, count_moving, list_captured, list_waiting

app = typer.Typer()

BATCH_LEADS = 500
POLL_SECONDS = 0.1
PATIENCE_SECONDS = 20.0
"""After so long without progress the command stops waiting."""

REFUSED = 1
MOST_SHOWN = 20

EXAMPLE = (
    """echo '{"last_name": "Lee", "email": "ann@example.com"}' | evenhand capture --pool Inbound"""
)


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line that is no lead."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class CaptureReport:
    """What became of the lines."""

    captured: int
    refused: Sequence[RefusedLine]
    leads: Sequence[CapturedLeadView]


@app.command("capture", epilog=f"Example: {EXAMPLE}")
def capture_leads(
    pool: Annotated[str, typer.Option(help="The pool whose next members get the leads.")],
    file: Annotated[
        typer.FileBinaryRead,
        typer.Option(help="One JSON object a line; standard input unless told otherwise."),
    ] = "-",  # type: ignore[assignment]
    wait: Annotated[bool, typer.Option(help="Wait until the leads have their owners.")] = True,
    json: Json = False,
) -> None:
    """Capture leads: each line is stored, then assigned to the next member, in the order of the
    lines. Exits with 1 if one is no lead."""
    with system().reading() as unit:
        pool_id = find_pool_by_name(unit, pool).id
    lead_ids: list[int] = []
    refused: list[RefusedLine] = []
    leads = _read_leads(file, refused)
    while batch := list(islice(leads, BATCH_LEADS)):
        lead_ids += system().transact(capture.accept, pool_id, batch)
    if wait and lead_ids:
        _follow(lead_ids, quiet=json)
    with system().reading() as unit:
        report = CaptureReport(len(lead_ids), refused, list_captured(unit, lead_ids))
    print_json(report) if json else _print(report)
    if refused:
        raise typer.Exit(REFUSED)


def _read_leads(lines: Iterable[bytes], refused: list[RefusedLine]) -> Iterator[LeadValues]:
    """The values that are stored for each good line. Adds the other lines to the refused ones."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            lead = orjson.loads(line)
            if not isinstance(lead, dict):
                raise BadLead(reason="a line must be one JSON object")
            yield parse_lead(lead)
        except orjson.JSONDecodeError as error:
            refused.append(RefusedLine(number, f"it is no JSON: {error}"))
        except BadLead as error:
            refused.append(RefusedLine(number, str(error)))


def _follow(lead_ids: Sequence[int], *, quiet: bool) -> None:
    """Waits until no worker has to work on the leads any more, with a progress bar. Stops waiting
    when nothing happens for too long."""
    left, since, pause = len(lead_ids), time.monotonic(), Event()
    columns = (TextColumn("assigning"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, console=errors, transient=True, disable=quiet or not errors.is_terminal
    ) as progress:
        bar = progress.add_task("assigning", total=left)
        while left and time.monotonic() - since < PATIENCE_SECONDS:
            pause.wait(POLL_SECONDS)
            before, left = left, _count_left(lead_ids)
            since = time.monotonic() if left < before else since
            progress.update(bar, completed=len(lead_ids) - left)


def _count_left(lead_ids: Sequence[int]) -> int:
    """How many of the leads wait for a worker, and not for a member or a retry."""
    with system().reading() as unit:
        return count_moving(unit, lead_ids[0], lead_ids[-1])


def _print(report: CaptureReport) -> None:
    assigned = [lead for lead in report.leads if lead.turn]
    columns = make_table("lead", "turn", "owner", right=("lead", "turn"))
    console.print(add_rows(columns, assigned[:MOST_SHOWN], "id", "turn", "owner"))
    if len(assigned) > MOST_SHOWN:
        say(f"and {len(assigned) - MOST_SHOWN:,} more.")
    say(f"Captured {report.captured:,} leads, of which {len(assigned):,} have their owner.")
    if len(assigned) < report.captured:
        say("The others wait: `evenhand waiting` tells for what.")
    for refused in report.refused[:MOST_SHOWN]:
        say(f"line {refused.line}: {refused.reason}")
    if len(report.refused) > MOST_SHOWN:
        more = len(report.refused) - MOST_SHOWN
        say(f"and {more:,} more lines that are no leads; --json has all.")


@app.command(epilog="Example: evenhand waiting Inbound")
def waiting(
    pool: Annotated[str | None, typer.Argument(help="A pool's name; all pools without it.")] = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """List captured leads that wait for their owner, oldest first, and for what."""
    with system().reading() as unit:
        pool_id = None if pool is None else find_pool_by_name(unit, pool).id
        leads = list_waiting(unit, pool_id, limit)
    if json:
        print_json(leads)
        return
    headers = ("lead", "name", "pool", "since", "tried", "set aside", "reason")
    names = ("id", "name", "pool", "accepted_at", "attempts", "set_aside", "reason")
    console.print(add_rows(make_table(*headers, right=("lead", "tried")), leads, *names))
