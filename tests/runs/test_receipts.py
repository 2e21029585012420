"""The receipt's lines."""

import csv
import io

import pytest

from worker.domain.runs.receipts import HEADER, format_cell, format_error_line, format_record_line


def test_the_header_names_the_columns_in_their_order() -> None:
    assert HEADER == "line,record_type,record_id,pool,turn,owner,error\r\n"


def test_a_line_tells_what_became_of_a_row() -> None:
    good = format_record_line(
        2, "lead", 17, format_cell("Inbound, EMEA"), 5, format_cell("a@example.com")
    )
    bad = format_error_line(3, "lead", "last_name", 'needs "last name", or more')

    assert list(csv.reader(io.StringIO(good + bad, newline=""))) == [
        ["2", "lead", "17", "Inbound, EMEA", "5", "a@example.com", ""],
        ["3", "lead", "", "", "", "", 'last_name: needs "last name", or more'],
    ]


def test_a_record_that_no_pool_gave_has_neither_pool_nor_turn() -> None:
    assert (
        format_record_line(2, "deal", 17, format_cell(None), "", "a@example.com")
        == "2,deal,17,,,a@example.com,\r\n"
    )


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\tx", "\0x"])
def test_a_cell_that_a_spreadsheet_takes_for_a_formula_is_quoted(text: str) -> None:
    assert format_cell(text) == f"'{text}"


def test_other_cells_are_left_alone() -> None:
    assert (format_cell("a=b"), format_cell(""), format_cell("two\r\nlines")) == (
        "a=b",
        "",
        '"two\r\nlines"',
    )
