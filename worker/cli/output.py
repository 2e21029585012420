"""The output of commands: facts on standard output, and progress on standard error."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Annotated

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


def print_json(shown: object) -> None:
    """Prints a view, or a list of views, as JSON."""
    import orjson

    text = orjson.dumps(shown, default=str, option=orjson.OPT_INDENT_2).decode()
    print(text)  # noqa: T201  programs read it, not Rich


def print_line(text: str) -> None:
    """Prints a line that programs read as it stands."""
    print(text)  # noqa: T201


def say(words: str) -> None:
    """Prints a line about the progress."""
    errors.print(words, markup=False)


def make_table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    """Makes an empty table. The columns named by `right` hold numbers."""
    made = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return made


def add_rows(made: Table, shown: Iterable[object], *names: str) -> Table:
    """Adds a row for each view, with the named fields as its cells."""
    for each in shown:
        made.add_row(*(_show_cell(_read_field(each, name)) for name in names))
    return made


def _read_field(shown: object, name: str) -> object:
    return shown[name] if isinstance(shown, Mapping) else getattr(shown, name)


def _show_cell(value: object) -> str:
    """Returns a value in words. A name that looks like markup is printed as it is."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat()
    return f"{value:,}" if isinstance(value, int) else escape(str(value))


def list_fields(shown: object) -> Table:
    """Makes a list of the fields of a view that have a value, one a line."""
    made = Table(box=None, show_header=False, pad_edge=False)
    for name in _list_names(shown):
        if (value := _read_field(shown, name)) is not None:
            made.add_row(f"[dim]{name}[/dim]", _show_cell(value))
    return made


def _list_names(shown: object) -> list[str]:
    if isinstance(shown, Mapping):
        return list(shown)
    assert is_dataclass(shown)
    return [field.name for field in fields(shown)]
