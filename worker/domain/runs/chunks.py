"""Chunks: the parts of a file, or of a list, that tasks carry out side by side."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from worker.domain.files.rows import RowError, RowReader
from worker.domain.files.sheets import Header, Lines, check_rows

SMALLEST_ROWS = 250
LARGEST_ROWS = 5_000
LARGEST_BYTES = 4 * 2**20
FIRST_ERRORS = 100


class Chunk(NamedTuple):
    """Rows that one task loads: where their bytes and lines begin, and how many of them are good.
    Ordinals count good rows from 0."""

    number: int
    offset: int
    length: int
    first_line: int
    first_ordinal: int
    rows: int
    records: int


class _Mark(NamedTuple):
    """What lies behind a place in a file: bytes, lines, rows and good rows."""

    bytes: int
    lines: int
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

    def mark(self, lines: Lines) -> _Mark:
        return _Mark(lines.offset, lines.number, self.rows, self.records)

    def cut(self, start: _Mark, end: _Mark) -> Chunk:
        """Adds the chunk between two places."""
        rows, records = end.rows - start.rows, end.records - start.records
        chunk = Chunk(
            len(self.chunks),
            start.bytes,
            end.bytes - start.bytes,
            start.lines + 1,
            start.records,
            rows,
            records,
        )
        self.chunks.append(chunk)
        return chunk


def rows_at(row: int) -> int:
    """How many rows a chunk has that begins after so many. Chunks grow with the file, so that a
    small one is shared by several workers and a large one isn't shredded."""
    return min(max(row // 4, SMALLEST_ROWS), LARGEST_ROWS)


class Slice(NamedTuple):
    """Records that one task gives their owners, of a run that is about no file. Ordinals count from
    0."""

    number: int
    first_ordinal: int
    rows: int
    records: int


def cut(records: int) -> Iterator[Slice]:
    """So many records, in chunks of the same sizes as a file's."""
    first = number = 0
    while first < records:
        size = min(rows_at(first), records - first)
        yield Slice(number, first, size, size)
        first, number = first + size, number + 1


def scan(
    stream: Iterable[bytes], header: Header, reader: RowReader, on_chunk: Callable[[Chunk], Any]
) -> Scan:
    """One pass over the rows of a file whose stream stands after the header: checks every row, cuts
    the file into chunks.

    The same file gives the same chunks. Memory doesn't grow with the file, but for some hundred
    bytes a chunk.
    """
    found, lines = Scan(), Lines(stream, header.end, header.lines)
    start, wanted = found.mark(lines), rows_at(0)
    for _, row in check_rows(lines, header.delimiter, header.lines + 1, reader):
        found.rows += 1
        if not isinstance(row, RowError):
            found.records += 1
        elif len(found.first_errors) < FIRST_ERRORS:
            found.first_errors.append(row)
        if found.rows - start.rows >= wanted or lines.offset - start.bytes >= LARGEST_BYTES:
            end = found.mark(lines)
            on_chunk(found.cut(start, end))
            start, wanted = end, rows_at(end.rows)
    if found.rows > start.rows:
        on_chunk(found.cut(start, found.mark(lines)))
    return found
