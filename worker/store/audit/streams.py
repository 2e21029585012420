"""Reading for `verify`: results that may be long come a few rows at a time."""

from collections.abc import Callable, Iterator, Sequence
from itertools import starmap
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, Row, Select, case
from sqlalchemy.orm import Session

ROWS_AT_ONCE = 10_000

Found = TypeVar("Found")
Query: TypeAlias = Select[Any]


def flag(sign: ColumnElement[bool], name: str) -> ColumnElement[int]:
    """A condition as a column: 1 if the condition holds. 0 if it doesn't, or is unknown."""
    return case((sign, 1), else_=0).label(name)


def stream(session: Session, query: Query, make: Callable[..., Found]) -> Iterator[Found]:
    """Yields the result of `make` for the columns of each row."""
    for rows in _partitions(session, query, ROWS_AT_ONCE):
        yield from starmap(make, rows)


def stream_batches(
    session: Session, query: Query, make: Callable[..., Found], at_once: int
) -> Iterator[list[Found]]:
    """The same, so many at once."""
    for rows in _partitions(session, query, at_once):
        yield list(starmap(make, rows))


def pair(first: int, second: int) -> tuple[int, int]:
    """Makes a pair of a row of two numbers, for `stream`."""
    return first, second


def _partitions(session: Session, query: Query, at_once: int) -> Iterator[Sequence[Row[Any]]]:
    with session.execute(query, execution_options={"yield_per": at_once}) as rows:
        yield from rows.partitions()
