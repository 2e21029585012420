"""All commands, in the order in which help lists them."""

import typer

from worker.cli import captures, chaos, demo, forms, integrations, lists, people, pools, reassign, records, runs, services, upkeep

app = typer.Typer(
    name="evenhand",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Hands every incoming record to the next member of a pool: exact round robin, from every door at once.",
    epilog="A first look: [bold]evenhand demo[/bold]. To work with it: [bold]evenhand up[/bold] in one terminal, the rest in another.",
)
PARTS = (demo, services, people, pools, captures, forms, integrations, runs, lists, reassign, records, upkeep, chaos)

for part in (each.app for each in PARTS):
    app.registered_commands += part.registered_commands
    app.registered_groups += part.registered_groups
