"""Fields, the headers that mean them, and what their text becomes."""

import pytest

from worker.domain.records.fields import (
    CONVERSIONS,
    LONGEST_INDEXED_CHARACTERS,
    RECORD_TYPES,
    find_field,
    list_field_names,
)
from worker.domain.records.record_type import RecordType


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("First Name", "first_name"), ("first_name", "first_name"), ("FIRSTNAME", "first_name"),
        ("Surname", "last_name"),
        ("Email 1", "email"), ("E-Mail", "email"), ("email_address", "email"), ("Phone", "phone"),
        ("Company", "organization_name"),
        ("Organization", "organization_name"), ("Organisation  Name", "organization_name"),
        ("Website", "website"), ("Source", "source"),
        ("Lead Status", "status"), ("Notes", "description"), ("Tags", "tags"),
        ("ZIP / Postcode", None), ("Zip", "address_postal_code"),
        ("Region (sales)", None), ("", None), ("___", None),
    ],
)  # fmt: skip
def test_a_header_means_a_field_by_its_name_or_an_alias(header: str, field: str | None) -> None:
    assert find_field(RecordType.LEAD, header) == field


@pytest.mark.parametrize("record_type", RECORD_TYPES)
def test_every_field_is_meant_by_its_own_name(record_type: RecordType) -> None:
    for field in list_field_names(record_type):
        assert find_field(record_type, field) == field
        assert find_field(record_type, field.replace("_", " ").title()) == field


@pytest.mark.parametrize(
    ("record_type", "header"),
    [(RecordType.CONTACT, "Source"), (RecordType.LEAD, "Amount"), (RecordType.DEAL, "Surname")],
)
def test_a_header_means_nothing_to_a_type_without_the_field(
    record_type: RecordType, header: str
) -> None:
    assert find_field(record_type, header) is None


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1250", "1250.00"),
        ("$1,250.5", "1250.50"),
        ("€ 12,000", "12000.00"),
        ("999999999999999.99", "999999999999999.99"),
        ("-3", "-3.00"),
        ("0.005", "0.00"),
    ],
)
def test_an_amount_is_kept_with_two_places(text: str, amount: str) -> None:
    assert CONVERSIONS["value"](text) == amount


@pytest.mark.parametrize("text", ["much", "1.2.3", "NaN", "Infinity", "$"])
def test_what_is_no_amount_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(ValueError, match="is not an amount"):
        CONVERSIONS["value"](text)


def test_a_date_is_kept_in_its_iso_form() -> None:
    assert CONVERSIONS["estimated_close_date"]("2026-03-31") == "2026-03-31"
    with pytest.raises(ValueError, match=r"'31\.3\.2026' is not a date"):
        CONVERSIONS["estimated_close_date"]("31.3.2026")


def test_an_email_longer_than_an_index_holds_is_refused() -> None:
    longest = "x" * LONGEST_INDEXED_CHARACTERS

    assert CONVERSIONS["email"](longest) == longest
    with pytest.raises(ValueError, match="longer than 320"):
        CONVERSIONS["email"](longest + "x")


@pytest.mark.parametrize(
    "text", ["1250,50", "1.250,50", "12,00", "1_0", "1E+1000000", "٣", "$", "1" * 200]
)
def test_an_amount_that_can_be_misunderstood_is_refused_not_guessed(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not an amount|is larger than"):
        CONVERSIONS["value"](text)


def test_an_amount_beyond_what_is_stored_is_refused() -> None:
    with pytest.raises(ValueError, match="15 digits"):
        CONVERSIONS["value"]("9999999999999999.999")
