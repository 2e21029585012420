"""Chunks: the parts of a file, or of a list, that tasks carry out side by side."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from worker.domain.files.rows import RowError, RowReader
from worker.domain.files.sheets import Header, Lines, check_rows

SMALLEST_ROWS = 250
LARGEST_ROWS = 5_000
LARGEST_BYTES = 4 * 2**20
FIRST_ERRORS = 100


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a run that one task carries out."""

    number: int
    """From 0."""
    first_ordinal: int
    """The place of its first record among all records of the run, from 0. Bad rows of a file have
    no place."""
    rows: int
    records: int
    """How many of its rows are good."""


@dataclass(frozen=True, slots=True)
class FileChunk(Chunk):
    """A chunk of an import, and where its rows begin in the file."""

    offset: int
    """In bytes."""
    length: int
    """In bytes."""
    first_line: int


class _Mark(NamedTuple):
    """How many bytes, lines, rows and good rows lie before a place in a file."""

    bytes: int
    lines: int
    rows: int
    records: int


@dataclass(slots=True)
class Scan:
    """What one pass over a file found."""

    chunks: list[FileChunk] = field(default_factory=list)
    rows: int = 0
    records: int = 0
    first_errors: list[RowError] = field(default_factory=list)
    """The first hundred; the receipt has all."""

    def mark(self, lines: Lines) -> _Mark:
        return _Mark(lines.offset, lines.number, self.rows, self.records)

    def cut(self, start: _Mark, end: _Mark) -> FileChunk:
        """Adds the chunk between two places."""
        chunk = FileChunk(
            number=len(self.chunks),
            first_ordinal=start.records,
            rows=end.rows - start.rows,
            records=end.records - start.records,
            offset=start.bytes,
            length=end.bytes - start.bytes,
            first_line=start.lines + 1,
        )
        self.chunks.append(chunk)
        return chunk


def choose_chunk_rows(row: int) -> int:
    """How many rows a chunk has that begins after `row` rows. Chunks grow with the file: several
    workers share a small file, and a large one isn't shredded."""
    return min(max(row // 4, SMALLEST_ROWS), LARGEST_ROWS)


def cut(records: int) -> Iterator[Chunk]:
    """Cuts the records of a list into chunks of the same sizes as those of a file."""
    first = number = 0
    while first < records:
        size = min(choose_chunk_rows(first), records - first)
        yield Chunk(number, first, size, size)
        first, number = first + size, number + 1


def scan(
    stream: Iterable[bytes],
    header: Header,
    reader: RowReader,
    on_chunk: Callable[[FileChunk], object],
) -> Scan:
    """One pass over the rows of a file: checks every row, and cuts the file into chunks. The stream
    stands after the header.

    The same file gives the same chunks. Memory doesn't grow with the file, but for some hundred
    bytes a chunk.
    """
    found, lines = Scan(), Lines(stream, header.end, header.lines)
    start, wanted = found.mark(lines), choose_chunk_rows(0)
    for _, row in check_rows(lines, header.delimiter, header.lines + 1, reader):
        found.rows += 1
        if not isinstance(row, RowError):
            found.records += 1
        elif len(found.first_errors) < FIRST_ERRORS:
            found.first_errors.append(row)
        if found.rows - start.rows >= wanted or lines.offset - start.bytes >= LARGEST_BYTES:
            end = found.mark(lines)
            on_chunk(found.cut(start, end))
            start, wanted = end, choose_chunk_rows(end.rows)
    if found.rows > start.rows:
        on_chunk(found.cut(start, found.mark(lines)))
    return found
