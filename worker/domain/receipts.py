"""The receipt of an import: what became of each row of the file, in its order."""

import csv
import io
from collections.abc import Iterable
from typing import Any, NamedTuple


class Line(NamedTuple):
    """One row of the file: the record that it became and who got it by which turn, or why it became none."""

    line: int
    record_type: str
    record_id: int | None = None
    pool: str | None = None
    turn: int | None = None
    owner: str | None = None
    error: str | None = None


HEADER = ",".join(Line._fields) + "\r\n"

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\0")


def render(lines: Iterable[Line]) -> str:
    """The lines as CSV (RFC 4180)."""
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    return text.getvalue()


def inert(text: Any) -> str:
    """A cell that no spreadsheet takes for a formula."""
    cell = str(text)
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
