"""CSV files as rows with their places."""

import io

import pytest

from worker.domain.files.rows import Columns, RowError, RowReader
from worker.domain.files.sheets import (
    LONGEST_LINE_BYTES,
    Header,
    Lines,
    check_rows,
    read_header,
    read_lines,
    read_rows,
)
from worker.domain.records.record_type import RecordType
from worker.errors.runs import UnreadableFile


def rows_of(text: str | bytes) -> tuple[Header, list[tuple[int, list[str] | str]]]:
    """The header and the rows of a whole file."""
    lines = iter(io.BytesIO(text.encode() if isinstance(text, str) else text))
    header = read_header(lines)
    return header, list(
        read_rows(Lines(lines, header.end, header.lines), header.delimiter, header.lines + 1)
    )


def test_rows_come_with_the_line_that_they_begin_at() -> None:
    _, rows = rows_of('Name,Notes\nAnn,"two\nlines"\nBob,one\n')

    assert rows == [(2, ["Ann", "two\nlines"]), (4, ["Bob", "one"])]


def test_a_line_that_holds_nothing_is_counted_and_holds_no_row() -> None:
    _, rows = rows_of("Name\nAnn\n\r\n\nBob")

    assert rows == [(2, ["Ann"]), (5, ["Bob"])]


def test_a_lone_carriage_return_ends_no_line() -> None:
    _, rows = rows_of(b'Name,Notes\r\nAnn,"a\rb"\r\nBob,c\r\n')

    assert rows == [(2, ["Ann", "a\rb"]), (3, ["Bob", "c"])]


@pytest.mark.parametrize("separator", ["\u2028", "\x0b", "\x0c", "\x1c", "\x85"])
def test_other_separators_of_lines_are_text(separator: str) -> None:
    _, rows = rows_of(f"Name,Notes\nAnn,a{separator}b\nBob,c\n")

    assert rows == [(2, ["Ann", f"a{separator}b"]), (3, ["Bob", "c"])]


def test_the_header_tells_where_the_rows_begin() -> None:
    header, rows = rows_of('"Last\nName",Email\nAnn,a@example.com\n')

    assert header == Header(",", ["Last\nName", "Email"], len('"Last\nName",Email\n'), 2)
    assert rows == [(3, ["Ann", "a@example.com"])]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_in_the_header(delimiter: str) -> None:
    header, rows = rows_of(
        f"First Name{delimiter}Last Name{delimiter}Email\nAnn{delimiter}Lee{delimiter}\n"
    )

    assert header.delimiter == delimiter
    assert rows == [(2, ["Ann", "Lee", ""])]


def test_one_column_needs_no_delimiter() -> None:
    header, rows = rows_of("Last Name\nLee\n")

    assert (header.names, rows) == (["Last Name"], [(2, ["Lee"])])


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    header, _ = rows_of(b"\xef\xbb\xbfName,Email\n")

    assert header.names == ["Name", "Email"]
    assert header.end == len(b"\xef\xbb\xbfName,Email\n")


@pytest.mark.parametrize("text", ["", "\n", " , ,\n", "\ufeff"])
def test_a_file_without_a_header_is_refused(text: str) -> None:
    with pytest.raises(UnreadableFile, match="no header"):
        rows_of(text)


def test_a_line_that_is_not_utf8_is_named() -> None:
    with pytest.raises(UnreadableFile, match="line 3 is not UTF-8"):
        rows_of(b"Name\nAnn\nJos\xe9\n")


def test_a_row_that_is_not_csv_gives_the_reason_in_its_place() -> None:
    long = "x" * 200_000

    _, rows = rows_of(f"Name\nAnn\n{long}\nBob\n")

    assert rows[0] == (2, ["Ann"])
    assert rows[2] == (4, ["Bob"])
    line, reason = rows[1]
    assert line == 3
    assert isinstance(reason, str)
    assert reason.startswith("can't be read as CSV: ")


def test_checked_rows_are_ready_to_store_or_say_what_is_wrong() -> None:
    lines = Lines(io.BytesIO(b"Lee\n,x\n\0,\nMason,a,b\nPark\n"), 0, 1)
    reader = RowReader(RecordType.LEAD, Columns.of(RecordType.LEAD, ["Last Name", "Territory"], {}))

    checked = list(check_rows(lines, ",", 2, reader))

    assert checked == [
        (2, ["Lee", ""]),
        (3, RowError(3, "last_name", "needs last name or organization name")),
        (4, RowError(4, "", "holds a NUL character, which no database stores")),
        (5, RowError(5, "", "has 3 values where the header has 2")),
        (6, ["Park", ""]),
    ]


def test_lines_tell_how_much_of_the_file_was_given_out() -> None:
    lines = Lines(io.BytesIO("né\nb\n".encode()), offset=10, number=3)

    assert list(lines) == ["né\n", "b\n"]
    assert (lines.offset, lines.number) == (10 + len("né\nb\n".encode()), 5)


@pytest.mark.parametrize(
    "header",
    ["Last Name;Notes, comments;City", "Name|Owner's email, other|Company's|x", '"a,b,c,d";e;f'],
)
def test_other_delimiters_within_names_mislead_nobody(header: str) -> None:
    assert read_header([f"{header}\n".encode()]).delimiter == next(
        sign for sign in ";|" if sign in header
    )


def test_a_line_that_never_ends_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(UnreadableFile, match="line 2 is longer"):
        list(read_lines(io.BytesIO(b"Last Name\n" + b"x" * (LONGEST_LINE_BYTES + 1))))
