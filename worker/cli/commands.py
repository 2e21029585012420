"""All commands, in the order in which help lists them."""

from importlib import import_module

import typer

from worker.cli import services

PARTS = (
    "demo", "services", "people", "pools", "captures", "forms", "integrations", "runs", "lists", "reassign", "audit", "upkeep", "chaos",
)  # fmt: skip


def app(word: str = "") -> typer.Typer:
    """The command, as it is needed for a line that begins with that word. A service doesn't wait
    for what the others import: a stack starts seven processes."""
    alone = word in {
        command.callback.__name__
        for command in services.app.registered_commands
        if command.callback
    }
    return _app(("services",) if alone else PARTS)


def _app(parts: tuple[str, ...]) -> typer.Typer:
    made = typer.Typer(
        name="evenhand",
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        add_completion=False,
        help="Hands every incoming record to the next member of a pool: exact round robin, from every door at once.",
        epilog="A first look: [bold]evenhand demo[/bold]. To work with it: [bold]evenhand up[/bold] in one terminal, the rest in another.",
    )
    for part in (import_module(f"worker.cli.{name}").app for name in parts):
        made.registered_commands += part.registered_commands
        made.registered_groups += part.registered_groups
    return made
