"""How forecasts are shown."""

from typing import Any

from rich.markup import escape

from worker.cli.output import console, print_json, say, table
from worker.cli.pools import bar
from worker.cli.run_output import ERRORS_SHOWN, errors_table


def print_dry_run(facts: dict[str, Any], *, json: bool) -> None:
    if json:
        print_json(facts)
        return
    _print_shares(facts)
    if facts["next_before"]:
        console.print(
            f"next: {facts['next_before']['name']} → {facts['next_after']['name']}", markup=False
        )
    if facts["errors"]:
        console.print(errors_table(facts))
    if facts["errors"] > ERRORS_SHOWN:
        say(f"and {facts['errors'] - ERRORS_SHOWN:,} more; --json has the first hundred.")
    say("A dry run: nothing was changed, and no turn taken.")


def _print_shares(facts: dict[str, Any]) -> None:
    wrong = (
        f"; {facts['errors']:,} of {facts['rows']:,} rows would become none"
        if facts["errors"]
        else ""
    )
    console.print(
        f"{facts['records']:,} {facts['record_type']}s would go to {facts['owner']}{wrong}",
        markup=False,
    )
    made = table("", "member", "email", "records", "stay", "", right=("", "records", "stay"))
    most = max(share["records"] for share in facts["members"])
    for place, share in enumerate(facts["members"], 1):
        numbers = f"{share['records']:,}", f"{share['stay']:,}"
        made.add_row(
            str(place),
            escape(share["name"]),
            escape(share["email"]),
            *numbers,
            bar(share["records"], most),
        )
    console.print(made)
