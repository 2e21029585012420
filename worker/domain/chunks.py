"""Chunks: the parts of a file that tasks load side by side."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from worker.domain.rows import RowError, RowReader
from worker.domain.sheets import Header, Lines, check_rows

SMALLEST_ROWS = 250
LARGEST_ROWS = 5_000
LARGEST_BYTES = 4 * 2**20
FIRST_ERRORS = 100


class Chunk(NamedTuple):
    """Rows that one task loads: where their bytes and lines begin, and how many of them are good. Ordinals count good rows from 0."""

    number: int
    offset: int
    length: int
    first_line: int
    first_ordinal: int
    rows: int
    records: int


@dataclass(slots=True)
class Scan:
    """What one pass over a file found."""

    chunks: list[Chunk] = field(default_factory=list)
    rows: int = 0
    records: int = 0
    first_errors: list[RowError] = field(default_factory=list)
    """The first hundred; the receipt has all."""


def rows_at(row: int) -> int:
    """How many rows a chunk has that begins after so many. Chunks grow with the file, so that a small one is shared by several workers
    and a large one isn't shredded."""
    return min(max(row // 4, SMALLEST_ROWS), LARGEST_ROWS)


def scan(stream: Iterable[bytes], header: Header, reader: RowReader, on_chunk: Callable[[Chunk], Any]) -> Scan:
    """One pass over the rows of a file whose stream stands after the header: checks every row, cuts the file into chunks.

    The same file gives the same chunks. Memory doesn't grow with the file, but for some hundred bytes a chunk.
    """
    found, lines = Scan(), Lines(stream, header.end, header.lines)
    chunk = Chunk(0, lines.offset, 0, lines.number + 1, 0, 0, 0)
    wanted = rows_at(0)

    def cut() -> Chunk:
        done = chunk._replace(
            length=lines.offset - chunk.offset, rows=found.rows - rows_before, records=found.records - chunk.first_ordinal
        )
        found.chunks.append(done)
        on_chunk(done)
        return Chunk(chunk.number + 1, lines.offset, 0, lines.number + 1, found.records, 0, 0)

    rows_before = 0
    for _, row in check_rows(lines, header.delimiter, chunk.first_line, reader):
        found.rows += 1
        if not isinstance(row, RowError):
            found.records += 1
        elif len(found.first_errors) < FIRST_ERRORS:
            found.first_errors.append(row)
        if found.rows - rows_before >= wanted or lines.offset - chunk.offset >= LARGEST_BYTES:
            chunk, rows_before = cut(), found.rows
            wanted = rows_at(rows_before)
    if found.rows > rows_before:
        cut()
    return found
