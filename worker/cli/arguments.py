"""What commands are given, where several are given the same."""

from typing import Annotated, Any

import typer

from worker.domain.integers import GREATEST

Run = Annotated[int, typer.Argument(min=1, max=GREATEST, help="The run's number, as `evenhand runs list` shows it.")]
Limit = Annotated[int, typer.Option(min=1, max=1_000_000, help="How many to list at most.")]
Before = Annotated[int | None, typer.Option(min=1, max=GREATEST, help="Those before that delivery only.", show_default=False)]


def number(help: str) -> Any:
    """An argument that names something by its number."""
    return typer.Argument(min=1, max=GREATEST, help=help)
