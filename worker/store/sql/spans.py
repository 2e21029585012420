"""Conditions for numbers that are given as spans."""

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import ColumnElement, false, or_

from worker.domain.turns.turns import Span

FEW_SPANS = 50
"""So many spans are looked for one by one."""

CLOSE_TURNS = 200
"""Looking for one span takes as long as reading so many rows."""


def among(column: ColumnElement[int], spans: Iterable[Span]) -> ColumnElement[bool]:
    """That a number is in one of a few spans."""
    return or_(false(), *(column.between(span.first, span.last) for span in spans))


def group_spans(spans: Sequence[Span]) -> Iterator[Sequence[Span]]:
    """The spans in groups, one group for each query. A few spans are looked for one by one. Many
    spans that lie close together become one span from the first to the last turn."""
    if len(spans) <= FEW_SPANS:
        yield from ([span] for span in spans)
        return
    first, last = min(span.first for span in spans), max(span.last for span in spans)
    if last - first < CLOSE_TURNS * len(spans):
        yield [Span(first, last - first + 1)]
        return
    yield from batch_spans(spans)


def batch_spans(spans: Sequence[Span]) -> Iterator[Sequence[Span]]:
    """The spans in groups of `FEW_SPANS`."""
    return (spans[start : start + FEW_SPANS] for start in range(0, len(spans), FEW_SPANS))
