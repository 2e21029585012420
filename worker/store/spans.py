"""Numbers that a statement looks for, given as spans."""

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, or_

from worker.domain.turns import Span

SPANS_AT_ONCE = 200


def within(column: ColumnElement[int], spans: Sequence[Span]) -> Iterator[ColumnElement[bool]]:
    """That a number is in one of the spans: as several conditions, because a statement can't have any number of them."""
    for start in range(0, len(spans), SPANS_AT_ONCE):
        yield or_(*(column.between(span.first, span.last) for span in spans[start : start + SPANS_AT_ONCE]))
