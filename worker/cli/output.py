"""What the command prints: facts on standard output, words about them on standard error."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
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


def print_json(shown: Any) -> None:
    """Prints a view, or a list of views, as JSON."""
    import orjson

    text = orjson.dumps(shown, default=str, option=orjson.OPT_INDENT_2).decode()
    print(text)  # noqa: T201  programs read it, not Rich


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


def rows(made: Table, shown: Iterable[Any], *names: str) -> Table:
    """Adds a row for each view, with the named fields as its cells."""
    for each in shown:
        made.add_row(*(_cell(_field(each, name)) for name in names))
    return made


def _field(shown: Any, name: str) -> Any:
    return shown[name] if isinstance(shown, Mapping) else getattr(shown, name)


def _cell(value: Any) -> str:
    """A value in words. What looks like markup in a name is part of it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat()
    return f"{value:,}" if isinstance(value, int) else escape(str(value))


def facts_list(shown: Any) -> Table:
    """The fields of a view that are known, one a line."""
    names = list(shown) if isinstance(shown, Mapping) else [field.name for field in fields(shown)]
    made = Table(box=None, show_header=False, pad_edge=False)
    for name in names:
        if (value := _field(shown, name)) is not None:
            made.add_row(f"[dim]{name}[/dim]", _cell(value))
    return made
