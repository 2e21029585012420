"""Arguments and options that several commands share."""

from typing import Annotated, Any

import typer

from worker.domain.storable import GREATEST


def make_number(help: str) -> Any:
    """Makes an argument that is the number of something."""
    return typer.Argument(min=1, max=GREATEST, help=help)


RunNumber = Annotated[int, make_number("The run's number, as `evenhand runs list` shows it.")]
Limit = Annotated[int, typer.Option(min=1, max=1_000_000, help="How many to list at most.")]
