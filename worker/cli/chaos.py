"""evenhand chaos: the promise put to the test, on a stack of its own that is broken in every known
way."""

import os
import secrets
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import orjson
import typer
from rich.table import Table

from worker.cli.output import Json, console, make_table, print_json, say
from worker.flows.system import system
from worker.settings import settings, socket_path

if TYPE_CHECKING:
    from worker.chaos.outcome import RunTotals, SoakResult

app = typer.Typer()

BROKEN, INTERRUPTED = 1, 130
FACTS = "outcome.json"
SHOWN = 20
MOST_SEEDS = 10_000

Seed = Annotated[
    int | None,
    typer.Option(help="Strike in the order of an earlier run. Without it, in a new one."),
]
Minutes = Annotated[
    float,
    typer.Option(
        min=0.1, max=1440, help="For how long things are broken. Recovery and checks come on top."
    ),
]
Verbose = Annotated[bool, typer.Option("--verbose", help="Tell of each fault.")]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        help="A PostgreSQL database, empty or used by chaos alone: it is emptied first. "
        "Without it, SQLite.",
        show_default=False,
    ),
]


@app.command(
    epilog="Examples: evenhand chaos --minutes 1 · "
    "evenhand chaos --seed 7 --database-url postgresql://user@host/staging"
)
def chaos(
    seed: Seed = None,
    minutes: Minutes = 2.0,
    database_url: DatabaseUrl = None,
    verbose: Verbose = False,
    json: Json = False,
) -> None:
    """Break a stack of its own in every known way while leads come in, then check that none was
    lost and no turn skipped.

    Workers, servers and connections die; Redis forgets and goes back in time; tasks come twice.
    Your own stack and data are left alone: it all happens in the data folder's `chaos`, and in the
    database that you name. Exits with 1 if the promise didn't hold.
    """
    options = [
        "--seed",
        str(secrets.randbelow(MOST_SEEDS) if seed is None else seed),
        "--minutes",
        str(minutes),
    ]
    flags = [name for name, given in (("--verbose", verbose), ("--json", json)) if given]
    os.execve(
        sys.executable,
        [sys.executable, "-m", "worker", "chaos-here", *options, *flags],
        _make_environment(database_url),
    )


def _make_environment(database_url: str | None) -> dict[str, str]:
    """Returns the environment of the stack of chaos: no EVENHAND_ variable of the real stack is
    kept, but the folder of chaos lies in the real data folder."""
    home = settings().home / "chaos"
    ring, broker = (quote(str(socket_path(home / name))) for name in ("ring", "broker"))
    own = {
        "HOME": str(home),
        "REDIS_URL": f"unix://{ring}",
        "BROKER_URL": f"redis+socket://{broker}",
        "DATABASE_URL": database_url or "",
    }
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("EVENHAND_")
    }
    return inherited | {f"EVENHAND_{name}": value for name, value in own.items()}


@app.command("chaos-here", hidden=True)
def chaos_here(
    seed: int = 0, minutes: float = 2.0, verbose: Verbose = False, json: Json = False
) -> None:
    """Runs chaos in the data folder and on the servers that the environment names."""
    from worker.chaos.run import SoakPlan, soak

    for number in (signal.SIGINT, signal.SIGTERM):
        # KeyboardInterrupt, so that the stack is stopped on the way out.
        signal.signal(number, signal.default_int_handler)
    order = SoakPlan(
        minutes * 60, seed, lambda step: say(f"… {step}"), say if verbose else lambda _: None
    )
    try:
        outcome = soak(system(), settings(), order)
    except KeyboardInterrupt:
        say("Interrupted; everything is stopped.")
        raise typer.Exit(INTERRUPTED) from None
    facts = {
        "seed": seed,
        "minutes": minutes,
        "database": system().engine.dialect.name,
    } | outcome.as_json()
    (settings().home / FACTS).write_bytes(orjson.dumps(facts, option=orjson.OPT_INDENT_2))
    print_json(facts) if json else _print(outcome)
    if not outcome.held:
        _print_failures(outcome, seed, settings().home)
        raise typer.Exit(BROKEN)


def _print(outcome: "SoakResult") -> None:
    """Prints how often each kind of fault struck, then the results."""
    faults = make_table("fault", "times", right=("times",))
    for name, times in outcome.faults.items():
        faults.add_row(name, f"{times:,}")
    faults.add_row(
        f"[bold]{len(outcome.faults)} kinds[/bold]",
        f"[bold]{sum(outcome.faults.values()):,}[/bold]",
    )
    console.print(faults)
    console.print()
    console.print(_make_results_table(outcome))


def _make_results_table(outcome: "SoakResult") -> Table:
    made = make_table("what came of it", "", right=("",))
    rows = [
        ("captured leads that got a 2xx", outcome.captured),
        ("of these, assigned in turn", outcome.assigned),
        ("leads created for a pool that got a 2xx", outcome.created),
        ("of these, in turn and once", outcome.created_in_turn),
        *_run_rows("imports", "leads that they brought", outcome.imports),
        *_run_rows("reassignments", "leads that they moved", outcome.moves),
        *_run_rows("undos of these", "leads that went back", outcome.undos),
        ("leads that came in without an answer", outcome.unanswered),
        ("roster changes", outcome.roster_changes),
        ("turns", outcome.turns),
        ("conflicts met at the fence", outcome.conflicts),
        ("seeds", outcome.seeds),
        ("returned turns", outcome.returned),
        *((f"{what} set aside and retried", times) for what, times in outcome.retried.items()),
        *(
            (f"restarts of the {part} that had ended by itself", times)
            for part, times in outcome.ended_by_themselves.items()
        ),
        ("violations", outcome.violations),
    ]
    for what, number in rows:
        made.add_row(what, f"{number:,}")
    made.add_row("longest recovery", f"{outcome.longest_recovery.seconds:.1f} s")
    made.add_row("", f"after: {outcome.longest_recovery.after}")
    return made


def _run_rows(what: str, did: str, kept: "RunTotals") -> list[tuple[str, int]]:
    return [
        (f"{what} that got a 2xx", kept.accepted),
        ("of these, done", kept.done),
        ("of these, cancelled by request", kept.cancelled),
        (did, kept.records),
    ]


def _print_failures(outcome: "SoakResult", seed: int, home: Path) -> None:
    for violation in outcome.first_violations[:SHOWN]:
        say(violation)
    for what, lost in (
        ("Acceptances leads that are not assigned", outcome.lost_leads),
        ("Runs that did not end well", outcome.lost_runs),
    ):
        if lost:
            more = f" and {len(lost) - SHOWN:,} more" if len(lost) > SHOWN else ""
            say(f"{what}: {', '.join(map(str, lost[:SHOWN]))}{more}.")
    for key in outcome.created_twice[:SHOWN]:
        say(f"Created more than once under one key: {key}")
    if outcome.runs_twice:
        say(f"Runs beyond those that were asked for, each under a key: {outcome.runs_twice:,}.")
    say(f"The promise did not hold. Seed {seed}; logs, database and uploads are kept in {home}.")
