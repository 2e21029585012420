"""What the command prints: facts on standard output, words about them on standard error."""

import json
import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

Json = Annotated[bool, typer.Option("--json", help="Print facts as JSON, for scripts.")]

NARROWEST_WHEN_PIPED = 160

console = Console(width=None if sys.stdout.isatty() else NARROWEST_WHEN_PIPED, highlight=False)
errors = Console(
    stderr=True, width=None if sys.stderr.isatty() else NARROWEST_WHEN_PIPED, highlight=False
)


def print_json(facts: Any) -> None:
    print(json.dumps(facts, indent=2, ensure_ascii=False, default=str))  # noqa: T201  JSON is for programs, not for Rich


def print_line(text: str) -> None:
    """A line that programs read as it stands."""
    print(text)  # noqa: T201


def say(words: str) -> None:
    """A line about what is going on."""
    errors.print(words, markup=False)


def table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    """An empty table; numbers are set right."""
    made = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return made


def rows(made: Table, facts: list[dict[str, Any]], *names: str) -> Table:
    """Adds a row for each of the facts."""
    for each in facts:
        made.add_row(*(_cell(each[name]) for name in names))
    return made


def _cell(value: Any) -> str:
    """A value in words. What looks like markup in a name is part of it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else escape(str(value))


def facts_list(facts: dict[str, Any]) -> Table:
    """Names and what is known of them, one a line."""
    made = Table(box=None, show_header=False, pad_edge=False)
    for name, value in facts.items():
        if value is not None:
            made.add_row(f"[dim]{name}[/dim]", _cell(value))
    return made
