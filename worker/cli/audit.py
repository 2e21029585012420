"""evenhand why and verify: every owner explained, every turn checked."""

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from worker.cli.arguments import number
from worker.cli.output import Json, console, facts_list, print_json, say, table
from worker.flows.audit.verify import Report, verify
from worker.flows.audit.why import why
from worker.flows.names import pool_named
from worker.flows.system import system

app = typer.Typer()

VIOLATED = 1


@app.command("why", epilog="Example: evenhand why lead 7")
def why_record(
    type: Annotated[str, typer.Argument(help="lead, contact or deal.")],
    id: Annotated[int, number("The record's id.")],
    json: Json = False,
) -> None:
    """Tell why a record has its owner: the turn, the roster in force, who came before and who was
    next."""
    with system().reading() as session:
        facts = why(session, type, id)
    if json:
        print_json(facts)
        return
    console.print(facts_list(_words(facts)))
    if facts["undone"]:
        console.print(_undone_table(facts["undone"]))


def _undone_table(undone: list[dict[str, Any]]) -> Table:
    """The turns that a record had and that were undone."""
    made = table(
        "undone turn",
        "pool",
        "owner",
        "claim",
        "entered",
        "taken back",
        "by",
        right=("undone turn",),
    )
    for entry in undone:
        words = (
            entry["pool"],
            _who(entry["user"]) or "",
            entry["claim"],
            entry["at"],
            entry["taken_back_at"],
            entry["by"],
        )
        made.add_row(f"{entry['turn']:,}", *map(escape, words))
    return made


def _words(facts: dict[str, Any]) -> dict[str, Any]:
    record = {
        "record": f"{facts['record_type']} {facts['record_id']} {facts['name']}",
        "owner": _who(facts["owner"]),
    }
    if facts["turn"] is None and facts["waits"]:
        waits = facts["waits"]
        return record | {
            "why": "it waits for the pool's next member",
            "since": waits["since"],
            "reason": waits["reason"],
        }
    if facts["turn"] is None:
        return record | _without_a_turn(facts)
    roster = facts["roster"]
    return record | {
        "why": f"turn {facts['turn']:,} of {facts['pool']}",
        "before": _who(facts["before"]),
        "next": _who(facts["next"]),
        "roster": f"version {roster['version']}, in force from turn {roster['first_turn']:,}, since {roster['since']}",
        "members": ", ".join(member["name"] for member in roster["members"]),
        "claim": f"{facts['claim']} (record {facts['ordinal'] + 1:,} of it)",
        "cause": facts["cause"],
        "actor": _who(facts["actor"]),
        "previous owner": _who(facts["previous_owner"]),
        "at": facts["at"],
        "given back by": f"run {facts['given_back_by']}" if facts["given_back_by"] else None,
    }


def _without_a_turn(facts: dict[str, Any]) -> dict[str, Any]:
    by = facts["given_back_by"]
    if by is None:
        return {"why": "a person chose this owner; no turn was taken", "at": facts["created_at"]}
    [newest, *_] = facts["undone"]
    if newest["previous_owner"] is None:
        return {
            "why": f"run {by} has undone how it came in, and deleted it",
            "at": newest["taken_back_at"],
        }
    return {
        "why": f"run {by} gave it back to whom it belonged before {newest['claim']}",
        "at": newest["taken_back_at"],
    }


def _who(user: dict[str, Any] | None) -> str | None:
    return (
        None
        if user is None
        else f"{user['name']} <{user['email']}>"
        if user["email"]
        else user["name"]
    )


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
        pool_id = pool_named(session, pool).id if pool else None
    reports = verify(system(), pool_id, offline=offline)
    print_json([report.as_json() for report in reports]) if json else print_reports(reports)
    if not all(report.holds for report in reports):
        raise typer.Exit(VIOLATED)


def print_reports(reports: list[Report]) -> None:
    """What was checked, with numbers, and each violation with its turn."""
    console.print(reports_table(reports))
    for report in reports:
        for violation in report.violations:
            turn = "" if violation.turn is None else f", turn {violation.turn:,}"
            say(f"{report.pool}{turn}, {violation.point}: {violation.what}")
        for point, count in report.more().items():
            say(f"{report.pool}, {point}: and {count:,} more")


def reports_table(reports: list[Report]) -> Table:
    """What was checked of each pool, with numbers."""
    numbers = (
        "turns",
        "entered",
        "voided",
        "undone",
        "open",
        "returned",
        "gaps",
        "owed",
        "records",
        "waiting",
        "blocks",
        "rosters",
    )
    made = table("pool", *numbers, "ring", "promise", right=numbers)
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
