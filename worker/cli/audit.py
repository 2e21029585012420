"""evenhand why and verify: every owner explained, every turn checked."""

from datetime import datetime
from typing import Annotated, overload

import typer
from rich.markup import escape
from rich.table import Table

from worker.cli.arguments import make_number
from worker.cli.output import Json, console, list_fields, make_table, print_json, say
from worker.domain.audit.reports import Report
from worker.flows.audit.verify import verify
from worker.flows.audit.why import explain
from worker.flows.names import find_pool_by_name
from worker.flows.system import system
from worker.store.views.pools import RosterView
from worker.store.views.reports import show_report
from worker.store.views.who import Who
from worker.store.views.why import UndoneTurn, WhyView

app = typer.Typer()

VIOLATED = 1

WhyCell = str | datetime | None


@app.command("why", epilog="Example: evenhand why lead 7")
def why_record(
    type: Annotated[str, typer.Argument(help="lead, contact or deal.")],
    id: Annotated[int, make_number("The record's id.")],
    json: Json = False,
) -> None:
    """Tell why a record has its owner: the turn, the roster in force, who came before and who was
    next."""
    with system().reading() as session:
        shown = explain(session, type, id)
    if json:
        print_json(shown)
        return
    console.print(list_fields(_say_why(shown)))
    if shown.undone:
        console.print(_make_undone_table(shown.undone))


def _make_undone_table(undone: list[UndoneTurn]) -> Table:
    """The turns that a record had and that were undone."""
    made = make_table(
        "undone turn", "pool", "owner", "claim", "entered", "taken back", "by",
        right=("undone turn",),
    )  # fmt: skip
    for each in undone:
        entered, taken_back = each.at.isoformat(), each.taken_back_at.isoformat()
        cells = (each.pool, _name(each.user), each.claim, entered, taken_back, each.by)
        made.add_row(f"{each.turn:,}", *map(escape, cells))
    return made


def _say_why(shown: WhyView) -> dict[str, WhyCell]:
    """Why a record has its owner: texts by their labels."""
    record: dict[str, WhyCell] = {
        "record": f"{shown.record_type} {shown.record_id} {shown.name}",
        "owner": _name(shown.owner),
    }
    if shown.turn is not None and shown.roster is not None:
        return record | _say_turn(shown, shown.roster)
    if shown.waits is not None:
        return record | {
            "why": "it waits for the pool's next member",
            "since": shown.waits.since,
            "reason": shown.waits.reason,
        }
    return record | _say_without_turn(shown)


def _say_turn(shown: WhyView, roster: RosterView) -> dict[str, WhyCell]:
    in_force = f"in force from turn {roster.first_turn:,}, since {roster.since.isoformat()}"
    return {
        "why": f"turn {shown.turn:,} of {shown.pool}",
        "before": _name(shown.before),
        "next": _name(shown.next),
        "roster": f"version {roster.version}, {in_force}",
        "members": ", ".join(member.name for member in roster.members),
        "claim": f"{shown.claim} (record {(shown.ordinal or 0) + 1:,} of it)",
        "cause": shown.cause,
        "actor": _name(shown.actor),
        "previous owner": _name(shown.previous_owner),
        "at": shown.at,
        "given back by": f"run {shown.given_back_by}" if shown.given_back_by else None,
    }


def _say_without_turn(shown: WhyView) -> dict[str, WhyCell]:
    by = shown.given_back_by
    if by is None:
        return {"why": "a person chose this owner; no turn was taken", "at": shown.created_at}
    newest = shown.undone[0]
    if newest.previous_owner is None:
        why = f"run {by} has undone how it came in, and deleted it"
    else:
        why = f"run {by} gave it back to whom it belonged before {newest.claim}"
    return {"why": why, "at": newest.taken_back_at}


@overload
def _name(user: Who) -> str: ...
@overload
def _name(user: Who | None) -> str | None: ...
def _name(user: Who | None) -> str | None:
    if user is None:
        return None
    return f"{user.name} <{user.email}>" if user.email else user.name


@app.command("verify", epilog="Example: evenhand verify Inbound --json")
def verify_pools(
    pool: Annotated[
        str | None,
        typer.Argument(
            help="A pool's name; all pools without it. Of deleted ones the ledger is checked."
        ),
    ] = None,
    offline: Annotated[
        bool,
        typer.Option(
            "--offline", help="Check the database alone, without Redis. Nobody has to wait."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Replay the ledger against the rosters and check every point of the promise. Exits with 1 if
    one doesn't hold."""
    with system().reading() as session:
        pool_id = find_pool_by_name(session, pool).id if pool else None
    reports = verify(system(), pool_id, offline=offline)
    if json:
        print_json([show_report(report) for report in reports])
    else:
        print_reports(reports)
    if not all(report.holds for report in reports):
        raise typer.Exit(VIOLATED)


def print_reports(reports: list[Report]) -> None:
    """What was checked, with numbers, and each violation with its turn."""
    console.print(make_reports_table(reports))
    for report in reports:
        for violation in report.violations:
            turn = "" if violation.turn is None else f", turn {violation.turn:,}"
            say(f"{report.pool}{turn}, {violation.point}: {violation.what}")
        for point, count in report.more().items():
            say(f"{report.pool}, {point}: and {count:,} more")


def make_reports_table(reports: list[Report]) -> Table:
    """Makes a table of the checks of each pool, with numbers."""
    numbers = (
        "turns", "entered", "voided", "undone", "open", "returned", "gaps", "owed", "records",
        "waiting", "blocks", "rosters",
    )  # fmt: skip
    made = make_table("pool", *numbers, "ring", "promise", right=numbers)
    for report in reports:
        counted = [f"{getattr(report, name):,}" for name in numbers]
        name = escape(report.pool) + (" [dim](deleted)[/dim]" if report.deleted else "")
        made.add_row(
            name,
            *counted,
            report.ring,
            "[green]holds[/green]" if report.holds else "[red]broken[/red]",
        )
    return made
