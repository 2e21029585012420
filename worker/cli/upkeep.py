"""evenhand reconcile: what upkeep does, now."""

import typer

from worker.cli.output import Json, add_rows, console, make_table, print_json, say
from worker.flows.system import system
from worker.flows.upkeep import rings, sweeps, tidy

app = typer.Typer()


@app.command(epilog="Example: evenhand reconcile")
def reconcile(json: Json = False) -> None:
    """Do what upkeep does, now: carry on work that nobody is on, repair rings, remove leftover
    files. Tells what it found and did.

    A healthy system gives it nothing to do.
    """
    found = [*sweeps.sweep(system()), *rings.repair(system()), *tidy.tidy(system())]
    if json:
        print_json([{"what": each.problem, "did": each.action} for each in found])
    elif found:
        console.print(add_rows(make_table("found", "done"), found, "problem", "action"))
    else:
        say("Everything is in order.")
