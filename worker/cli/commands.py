"""All commands, in the order in which help lists them."""

import typer

from worker.cli import captures, chaos, demo, forms, people, pools, records, runs, services, upkeep

app = typer.Typer(
    name="evenhand",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Hands every incoming record to the next member of a pool: exact round robin, from every door at once.",
    epilog="A first look: [bold]evenhand demo[/bold]. To work with it: [bold]evenhand up[/bold] in one terminal, the rest in another.",
)
for part in (demo.app, services.app, people.app, pools.app, captures.app, forms.app, runs.app, records.app, upkeep.app, chaos.app):
    app.registered_commands += part.registered_commands
    app.registered_groups += part.registered_groups
