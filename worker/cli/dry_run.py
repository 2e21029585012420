"""How dry runs are shown."""

from rich.markup import escape

from worker.cli.output import console, make_table, print_json, say
from worker.cli.pools import bar
from worker.cli.run_output import ERRORS_SHOWN, make_errors_table
from worker.store.views.runs import DryRun


def print_dry_run(view: DryRun, *, json: bool) -> None:
    if json:
        print_json(view)
        return
    _print_shares(view)
    if view.next_before and view.next_after:
        console.print(f"next: {view.next_before.name} → {view.next_after.name}", markup=False)
    if view.errors:
        console.print(make_errors_table(view.first_errors))
    if view.errors > ERRORS_SHOWN:
        say(f"and {view.errors - ERRORS_SHOWN:,} more; --json has the first hundred.")
    say("A dry run: nothing was changed, and no turn taken.")


def _print_shares(view: DryRun) -> None:
    wrong = f"; {view.errors:,} of {view.rows:,} rows would become none" if view.errors else ""
    console.print(
        f"{view.records:,} {view.record_type}s would go to {view.owner}{wrong}", markup=False
    )
    made = make_table("", "member", "email", "records", "stay", "", right=("", "records", "stay"))
    most = max(share.records for share in view.members)
    for place, share in enumerate(view.members, 1):
        made.add_row(
            str(place),
            escape(share.name),
            escape(share.email or ""),
            f"{share.records:,}",
            f"{share.stay:,}",
            bar(share.records, most),
        )
    console.print(made)
