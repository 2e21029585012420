"""Numbers that a statement looks for, given as spans."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, false, or_

from worker.domain.turns import Span

FEW_SPANS = 50
"""So many are looked for as they are. For more of them it takes less time to read what lies between."""


def among(column: ColumnElement[int], spans: Iterable[Span]) -> ColumnElement[bool]:
    """That a number is in one of a few spans."""
    return or_(false(), *(column.between(span.first, span.last) for span in spans))
