"""Rows: headers become fields, bad rows are told with their reason, good ones become values."""

from dataclasses import asdict

import pytest

from worker.domain.files.rows import Columns, RowReader
from worker.domain.records.record_type import RecordType
from worker.errors.records import UnknownField
from worker.errors.runs import UnknownHeader


def reader(*headers: str, record_type: RecordType = RecordType.LEAD, **overrides: str) -> RowReader:
    return RowReader(record_type, Columns.of(record_type, headers, overrides))


def stored(reader: RowReader, row: list[str]) -> dict[str, object]:
    assert reader.find_fault(row) is None
    return dict(zip(reader.fields, reader.convert(row), strict=True))


def test_known_headers_become_fields_and_the_rest_custom_fields() -> None:
    columns = Columns.of(RecordType.LEAD, ["Last Name", " Territory ", "Email 1"], {})

    assert columns == Columns(3, {"last_name": 0, "email": 2}, {"Territory": 1})


def test_of_two_columns_that_mean_one_field_the_first_is_taken_and_the_other_kept() -> None:
    columns = Columns.of(
        RecordType.LEAD, ["Email", "E-mail", "Surname", "Territory", "Territory", "", ""], {}
    )

    assert columns.fields == {"email": 0, "last_name": 2}
    assert columns.custom == {
        "E-mail": 1,
        "Territory": 3,
        "Territory (2)": 4,
        "Column 6": 5,
        "Column 7": 6,
    }


def test_overrides_go_before_names() -> None:
    columns = Columns.of(RecordType.LEAD, ["Name", "Last Name"], {"Name": "last_name"})

    assert columns.fields == {"last_name": 0}
    assert columns.custom == {"Last Name": 1}


def test_an_override_of_an_unknown_field_or_header_is_refused() -> None:
    with pytest.raises(UnknownField, match=r"A lead has no field 'surname'.*last_name"):
        Columns.of(RecordType.LEAD, ["Name"], {"Name": "surname"})
    with pytest.raises(UnknownHeader, match=r"no column 'Nom'\. Its columns: Name"):
        Columns.of(RecordType.LEAD, ["Name"], {"Nom": "last_name"})


def test_columns_come_back_from_their_json() -> None:
    columns = Columns.of(RecordType.LEAD, ["Last Name", "Territory"], {})

    assert Columns(**asdict(columns)) == columns


def test_a_good_row_stores_fields_tags_and_custom_fields_that_are_not_blank() -> None:
    row = [" Mason ", "", "hot; new,hot", "North", "  "]

    values = stored(reader("Last Name", "Email", "Tags", "Territory", "Fax code"), row)

    assert values == {
        "last_name": "Mason",
        "email": None,
        "tags": ("hot", "new"),
        "custom_fields": {"Territory": "North"},
    }


def test_a_short_row_is_padded_with_nothing() -> None:
    assert stored(reader("Last Name", "Email", "Territory"), ["Mason"]) == {
        "last_name": "Mason", "email": None, "tags": (), "custom_fields": {}
    }  # fmt: skip


def test_values_beyond_the_header_are_a_fault_unless_they_are_empty() -> None:
    rows = reader("Last Name", "Email")

    assert rows.find_fault(["Mason", "m@example.com", "x"]) == (
        "",
        "has 3 values where the header has 2",
    )
    assert stored(rows, ["Mason", "m@example.com", "", ""])["last_name"] == "Mason"


def test_a_nul_character_is_a_fault() -> None:
    assert reader("Last Name", "Territory").find_fault(["Mason", "a\0b"]) == (
        "",
        "holds a NUL character, which no database stores",
    )


@pytest.mark.parametrize("record_type", ["lead", "contact"])
def test_a_person_needs_a_last_name_or_an_organization(record_type: RecordType) -> None:
    rows = reader("First Name", "Last Name", "Company", record_type=record_type)

    assert rows.find_fault(["Ann", " ", ""]) == (
        "last_name",
        "needs last name or organization name",
    )
    assert rows.find_fault(["Ann", "", "Acme"]) is None
    assert rows.find_fault(["", "Lee", ""]) is None


def test_a_deal_needs_a_name() -> None:
    assert reader("Deal", "Amount", record_type=RecordType.DEAL).find_fault(["", "5"]) == (
        "name",
        "needs name",
    )


def test_a_file_without_the_needed_columns_has_no_good_row() -> None:
    assert reader("Email").find_fault(["a@example.com"]) == (
        "last_name",
        "needs last name or organization name",
    )


def test_a_value_that_cannot_be_stored_is_a_fault_of_its_field() -> None:
    rows = reader("Name", "Amount", "Close Date", record_type=RecordType.DEAL)

    assert rows.find_fault(["Roof", "much", ""]) == (
        "value",
        "'much' is not an amount such as 1250.00",
    )
    assert rows.find_fault(["Roof", "", "soon"]) == (
        "estimated_close_date",
        "'soon' is not a date such as 2026-03-31",
    )
    assert stored(rows, ["Roof", " $1,000 ", ""]) == {
        "name": "Roof",
        "value": "1000.00",
        "estimated_close_date": None,
        "tags": (),
        "custom_fields": {},
    }
