"""evenhand capture and waiting: leads in, in the order of their lines, and those that still wait
for their owner."""

import time
from collections.abc import Iterable, Iterator
from itertools import islice
from threading import Event
from typing import Annotated, Any

import orjson
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from worker.cli.arguments import Limit
from worker.cli.output import Json, console, errors, print_json, rows, say, table
from worker.domain.intake.leads import lead_values
from worker.errors.records import BadLead
from worker.flows.intake import capture
from worker.flows.system import system
from worker.store.intake import captures
from worker.store.views.facts import Facts, all_waiting, assigned

app = typer.Typer()

AT_ONCE = 500
POLL_SECONDS = 0.1
PATIENCE_SECONDS = 20.0
"""How long nothing may happen before the command stops waiting."""

REFUSED = 1
SHOWN = 20

EXAMPLE = (
    """echo '{"last_name": "Lee", "email": "ann@example.com"}' | evenhand capture --pool Inbound"""
)


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
    lead_ids: list[int] = []
    refused: list[Facts] = []
    leads = _leads(file, refused)
    while batch := list(islice(leads, AT_ONCE)):
        lead_ids += system().transact(capture.accept, pool=pool, leads=batch)
    if wait and lead_ids:
        _follow(lead_ids, quiet=json)
    with system().reading() as session:
        facts = {
            "captured": len(lead_ids),
            "refused": refused,
            "leads": assigned(session, lead_ids),
        }
    print_json(facts) if json else _print(facts)
    if refused:
        raise typer.Exit(REFUSED)


def _leads(lines: Iterable[bytes], refused: list[Facts]) -> Iterator[dict[str, Any]]:
    """What is stored of each good line. The others are noted with the reason."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            facts = orjson.loads(line)
            if not isinstance(facts, dict):
                raise BadLead(reason="a line must be one JSON object")
            yield lead_values(facts)
        except orjson.JSONDecodeError as error:
            refused.append({"line": number, "reason": f"it is no JSON: {error}"})
        except BadLead as error:
            refused.append({"line": number, "reason": str(error)})


def _follow(lead_ids: list[int], *, quiet: bool) -> None:
    """Waits until none of the leads waits any more, with a bar that shows how many; not for ever,
    if nothing happens."""
    left, since, pause = len(lead_ids), time.monotonic(), Event()
    columns = (TextColumn("assigning"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, console=errors, transient=True, disable=quiet or not errors.is_terminal
    ) as progress:
        bar = progress.add_task("assigning", total=left)
        while left and time.monotonic() - since < PATIENCE_SECONDS:
            pause.wait(POLL_SECONDS)
            before, left = left, _left(lead_ids)
            since = time.monotonic() if left < before else since
            progress.update(bar, completed=len(lead_ids) - left)


def _left(lead_ids: list[int]) -> int:
    """How many of the leads wait for a worker, rather than for a member to join or for somebody to
    retry them."""
    with system().reading() as session:
        return captures.in_line_between(session, lead_ids[0], lead_ids[-1])


def _print(facts: Facts) -> None:
    given = [lead for lead in facts["leads"] if lead["turn"]]
    console.print(
        rows(
            table("lead", "turn", "owner", right=("lead", "turn")),
            given[:SHOWN],
            "id",
            "turn",
            "owner",
        )
    )
    if len(given) > SHOWN:
        say(f"and {len(given) - SHOWN:,} more.")
    say(f"Captured {facts['captured']:,} leads, of which {len(given):,} have their owner.")
    if len(given) < facts["captured"]:
        say("The others wait: `evenhand waiting` tells for what.")
    for line in facts["refused"][:SHOWN]:
        say(f"line {line['line']}: {line['reason']}")
    if len(facts["refused"]) > SHOWN:
        say(f"and {len(facts['refused']) - SHOWN:,} more lines that are no leads; --json has all.")


@app.command(epilog="Example: evenhand waiting Inbound")
def waiting(
    pool: Annotated[str | None, typer.Argument(help="A pool's name; all pools without it.")] = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """List captured leads that wait for their owner, oldest first, and for what."""
    with system().reading() as session:
        facts = all_waiting(session, pool, limit)
    if json:
        print_json(facts)
    else:
        columns = table(
            "lead", "name", "pool", "since", "tried", "set aside", "reason", right=("lead", "tried")
        )
        console.print(
            rows(
                columns,
                facts,
                "id",
                "name",
                "pool",
                "accepted_at",
                "attempts",
                "set_aside",
                "reason",
            )
        )
