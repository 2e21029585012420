"""A CSV file as rows with their places: line numbers for people, byte offsets for the workers that
read a part of it.

A line ends at a line feed and nowhere else, so that every count of lines is the same. An empty line
holds no row.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import IO, NamedTuple

from worker.domain.files.rows import RowError, RowReader
from worker.errors.runs import UnreadableFile

_BYTE_ORDER_MARK = "\ufeff"
_DELIMITERS = ",;\t|"

LONGEST_LINE_BYTES = 2**20


class Header(NamedTuple):
    """The first row of a file."""

    delimiter: str
    names: list[str]
    end: int
    """Where it ends, in bytes."""
    lines: int
    """How many lines it takes."""


class Lines:
    """The lines of a UTF-8 file as text. `offset` and `number` say how many bytes and lines of the
    file were read."""

    def __init__(self, stream: Iterable[bytes], offset: int = 0, number: int = 0) -> None:
        self._stream, self.offset, self.number = stream, offset, number

    def __iter__(self) -> Iterator[str]:
        for raw in self._stream:
            self.offset += len(raw)
            self.number += 1
            try:
                yield raw.decode()
            except UnicodeDecodeError:
                raise UnreadableFile(
                    reason=f"line {self.number} is not UTF-8 text."
                    " Save the file as UTF-8 and try again."
                ) from None


def read_header(stream: Iterable[bytes]) -> Header:
    """The header row. Raises UnreadableFile for a file without one."""
    lines = Lines(stream)
    rest = iter(lines)
    first = next(rest, "").removeprefix(_BYTE_ORDER_MARK)
    delimiter = _find_delimiter(first)
    try:
        names = next(csv.reader(chain([first], rest), delimiter=delimiter), [])
    except csv.Error as error:
        raise UnreadableFile(reason=f"its header can't be read as CSV: {error}.") from None
    if not any(name.strip() for name in names):
        raise UnreadableFile(reason="it has no header. The first line must name the columns.")
    if "\0" in "".join(names):
        raise UnreadableFile(reason="its header holds a NUL character.")
    return Header(delimiter, names, lines.offset, lines.number)


def read_lines(file: IO[bytes]) -> Iterator[bytes]:
    """The lines of a file. Raises UnreadableFile for one that is so long that it would fill the
    memory."""
    number = 0
    while raw := file.readline(LONGEST_LINE_BYTES):
        number += 1
        if len(raw) == LONGEST_LINE_BYTES and not raw.endswith(b"\n"):
            raise UnreadableFile(
                reason=f"line {number} is longer than {LONGEST_LINE_BYTES:,} bytes."
                " Do its lines end in line feeds?"
            )
        yield raw


def _find_delimiter(header: str) -> str:
    """The delimiter that stands most often outside quotes."""
    bare = "".join(header.split('"')[::2])
    return max(_DELIMITERS, key=bare.count)


def read_rows(
    lines: Iterable[str], delimiter: str, first_line: int
) -> Iterator[tuple[int, list[str] | str]]:
    """Each row with the line that it begins at. A row that isn't CSV is replaced by the reason."""
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        line = first_line + reader.line_num
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, f"can't be read as CSV: {error}"
        else:
            if row:
                yield line, row


def check_rows(
    lines: Iterable[str], delimiter: str, first_line: int, reader: RowReader
) -> Iterator[tuple[int, list[str] | RowError]]:
    """Each row with the line that it begins at, ready for `reader.convert`. A bad row is
    replaced by its error."""
    for line, row in read_rows(lines, delimiter, first_line):
        if isinstance(row, str):
            yield line, RowError(line, "", row)
        elif (fault := reader.find_fault(row)) is None:
            yield line, row
        else:
            yield line, RowError(line, *fault)


def split_lines(part: bytes) -> Iterable[str]:
    """The lines of a part of a file that a scan has found to be UTF-8."""
    return io.StringIO(part.decode(), newline="\n")
