"""Chunks: read apart, they give exactly what one pass over the file gave."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.domain.files.rows import Columns, RowError, RowReader
from worker.domain.files.sheets import Header, Lines, check_rows, read_header, split_lines
from worker.domain.records.record_type import RecordType
from worker.domain.runs import chunks
from worker.domain.runs.chunks import FileChunk, Scan, choose_chunk_rows, scan


@pytest.fixture
def small_chunks() -> int:
    """Chunks are as they are."""
    return chunks.SMALLEST_ROWS


CELLS = st.text(st.sampled_from('ab"\n\r,;é\u2028 \0'), max_size=6)
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=30)


def scanned(file: bytes) -> tuple[Header, RowReader, Scan, list[FileChunk]]:
    lines, told = iter(io.BytesIO(file)), list[FileChunk]()
    header = read_header(lines)
    reader = RowReader(RecordType.LEAD, Columns.of(RecordType.LEAD, header.names, {}))
    return header, reader, scan(lines, header, reader, told.append), told


def one_pass(file: bytes) -> list[tuple[int, list[str] | RowError]]:
    lines = iter(io.BytesIO(file))
    header = read_header(lines)
    reader = RowReader(RecordType.LEAD, Columns.of(RecordType.LEAD, header.names, {}))
    return list(
        check_rows(
            Lines(lines, header.end, header.lines), header.delimiter, header.lines + 1, reader
        )
    )


def written(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([["last_name", "email", "Territory"], *rows])
    return text.getvalue().encode()


def assert_chunks_are_the_file(file: bytes) -> None:
    header, reader, found, told = scanned(file)
    expected = one_pass(file)

    read: list[tuple[int, list[str] | RowError]] = []
    end, ordinal = header.end, 0
    for number, chunk in enumerate(found.chunks):
        assert (chunk.number, chunk.offset, chunk.first_ordinal) == (number, end, ordinal)
        part = list(
            check_rows(
                split_lines(file[end : end + chunk.length]),
                header.delimiter,
                chunk.first_line,
                reader,
            )
        )
        assert len(part) == chunk.rows
        assert sum(not isinstance(row, RowError) for _, row in part) == chunk.records
        read, end, ordinal = read + part, end + chunk.length, ordinal + chunk.records
    assert read == expected
    assert told == found.chunks
    errors = [row for _, row in expected if isinstance(row, RowError)]
    assert (found.rows, found.records) == (len(expected), len(expected) - len(errors))
    assert found.first_errors == errors[: chunks.FIRST_ERRORS]


@contextmanager
def tiny_chunks() -> Iterator[None]:
    """Chunks of three rows or forty bytes, so that small files have many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "SMALLEST_ROWS", 3)
        patch.setattr(chunks, "LARGEST_BYTES", 40)
        yield


@settings(max_examples=200)
@given(ROWS)
def test_chunks_read_apart_are_the_rows_of_one_pass(rows: list[list[str]]) -> None:
    with tiny_chunks():
        assert_chunks_are_the_file(written(rows))


@settings(max_examples=200)
@given(st.text(st.sampled_from('ab"\n\r,é\ufeff'), max_size=80))
def test_chunks_of_any_text_are_the_rows_of_one_pass(text: str) -> None:
    with tiny_chunks():
        assert_chunks_are_the_file(b"last_name,email\n" + text.encode())


def test_chunks_grow_with_the_file() -> None:
    _, _, found, _ = scanned(written([["x"]] * 60_000))

    sizes = [chunk.rows for chunk in found.chunks]
    assert sizes[0] == chunks.SMALLEST_ROWS
    assert max(sizes) == chunks.LARGEST_ROWS
    assert all(one <= other for one, other in pairwise(sizes[:-1]))
    assert choose_chunk_rows(10**9) == chunks.LARGEST_ROWS


def test_a_chunk_holds_no_more_bytes_than_a_worker_should_read_at_once() -> None:
    _, _, found, _ = scanned(written([["x" * 100_000, "", str(row)] for row in range(100)]))

    assert len(found.chunks) == 3
    assert all(chunk.length < chunks.LARGEST_BYTES + 2 * 100_000 for chunk in found.chunks)


def test_only_the_first_errors_are_kept() -> None:
    _, _, found, _ = scanned(written([["", str(row)] for row in range(300)]))

    assert (found.rows, found.records) == (300, 0)
    assert [error.line for error in found.first_errors] == list(range(2, 102))


def test_a_file_of_only_a_header_has_no_chunks() -> None:
    _, _, found, told = scanned(b"last_name,email\n\n\n")

    assert (found, told) == (Scan(), [])
