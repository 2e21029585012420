"""All commands, in the order in which help lists them.

The module of a command is imported when the command is called. Help and `--version` import none.
"""

from importlib import import_module
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

from worker.cli.output import print_line


class CommandEntry(NamedTuple):
    """The module of worker.cli that defines a command, and how the command's help begins. A
    command without help is hidden."""

    module: str
    help: str = ""


COMMANDS = {
    "demo": CommandEntry("demo", "Show the main job: four workers import a thousand leads"),
    "demo-here": CommandEntry("demo"),
    "up": CommandEntry(
        "services", "Start everything on this machine: API, workers, beat and Flower"
    ),
    "migrate": CommandEntry("services", "Bring the database to the tables of this version"),
    "worker": CommandEntry("services", "Run Celery workers"),
    "beat": CommandEntry("services", "Run Celery's beat, which calls upkeep every few seconds"),
    "flower": CommandEntry("services", "Run Flower, which shows workers and tasks"),
    "api": CommandEntry("services", "Run the HTTP API"),
    "capture": CommandEntry("captures", "Capture leads"),
    "waiting": CommandEntry("captures", "List captured leads that wait for their owner"),
    "import": CommandEntry("runs", "Import a file: every good row becomes a record"),
    "receipt": CommandEntry("runs", "Print the receipt of an import"),
    "reassign": CommandEntry("reassign", "Reassign records"),
    "undo": CommandEntry("reassign", "Undo a run"),
    "why": CommandEntry("audit", "Tell why a record has its owner"),
    "verify": CommandEntry("audit", "Replay the ledger against the rosters"),
    "reconcile": CommandEntry("upkeep", "Do what upkeep does, now"),
    "chaos": CommandEntry(
        "chaos", "Break a stack of its own in every known way while leads come in"
    ),
    "chaos-here": CommandEntry("chaos"),
    "user": CommandEntry("people", "People: add them, say what they may do, give them tokens"),
    "pool": CommandEntry("pools", "Pools: create them, change their members, see who is next"),
    "form": CommandEntry("forms", "Forms: define them, get them onto pages, see what was sent"),
    "integration": CommandEntry("integrations", "Webhooks: others' systems that bring in leads"),
    "runs": CommandEntry(
        "runs", "Imports, reassignments and undos that run, and those that have ended"
    ),
    "list": CommandEntry(
        "lists", "Smart lists: saved filters with an order, and the records that they hold"
    ),
}


class LazyGroup(TyperGroup):
    """A group whose help is made from COMMANDS. It imports the module of a command to run it."""

    def __init__(self, **attributes: Any) -> None:
        outlines = {
            name: TyperCommand(name, help=f"{entry.help}.", hidden=not entry.help)
            for name, entry in COMMANDS.items()
        }
        super().__init__(**{**attributes, "commands": outlines})

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Returns the name, the command itself and the arguments that are left. Fails for a name
        that isn't in COMMANDS."""
        name, outline, rest = super().resolve_command(ctx, args)
        return name, outline and load(args[0]), rest


def load(name: str) -> Any:
    """Imports the module of a command, and returns the command as click wants it."""
    module = import_module(f"worker.cli.{COMMANDS[name].module}")
    return get_group(module.app).commands[name]


app = typer.Typer(
    name="evenhand",
    cls=LazyGroup,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Hands every incoming record to the next member of a pool: exact round robin, from every "
    "door at once.",
    epilog="A first look: [bold]evenhand demo[/bold]. To work with it: [bold]evenhand up[/bold] "
    "in one terminal, the rest in another.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print_line(f"evenhand {version('evenhand')}")
        raise typer.Exit


@app.callback()
def evenhand(
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Takes the options that stand before a command."""
