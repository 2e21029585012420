"""What commands are given, where several are given the same."""

from typing import Annotated, Any

import typer

from worker.domain.storable import GREATEST


def number(help: str) -> Any:
    """An argument that names something by its number."""
    return typer.Argument(min=1, max=GREATEST, help=help)


RunNumber = Annotated[int, number("The run's number, as `evenhand runs list` shows it.")]
Limit = Annotated[int, typer.Option(min=1, max=1_000_000, help="How many to list at most.")]
