"""The sample file: always the same, and made of what real exports are made of."""

import io
import re
from collections import Counter
from hashlib import sha256
from itertools import islice
from pathlib import Path

import pytest

from worker.domain.files.rows import Columns, RowReader
from worker.domain.files.sheets import check_rows, read_header, split_lines
from worker.domain.records.record_type import RecordType
from worker.domain.runs.chunks import Scan, scan
from worker.sample import HEADER, make_sample_leads, write_sample

SHIPPED = "c6ee807ae9c18ce8ac030099d225f1f558964151efeff54c332b4a90c1ddbe77"
"""Of the 1,000 leads of the demo. Whoever changes the sample on purpose changes this, and what
README shows of it."""


def sample(rows: int, seed: int = 1) -> bytes:
    text = io.StringIO(newline="")
    write_sample(text, rows, seed)
    return text.getvalue().encode()


def scanned(content: bytes) -> Scan:
    stream = io.BytesIO(content)
    header = read_header(stream)
    return scan(
        stream,
        header,
        RowReader(RecordType.LEAD, Columns.of(RecordType.LEAD, header.names, {})),
        lambda chunk: None,
    )


def test_the_sample_of_the_demo_is_the_same_everywhere() -> None:
    assert sha256(sample(1_000)).hexdigest() == SHIPPED


def test_another_seed_gives_other_leads() -> None:
    assert list(make_sample_leads(50, seed=2)) != list(make_sample_leads(50, seed=3))


def test_a_path_and_an_open_file_are_given_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"

    write_sample(path, 300)

    assert path.read_bytes() == sample(300)


def test_every_column_but_the_vendors_own_is_a_field_of_a_lead() -> None:
    columns = Columns.of(RecordType.LEAD, HEADER, {})

    assert list(columns.custom) == ["Lead Id", "Lead Owner"]


@pytest.mark.parametrize(
    ("rows", "bad"), [(0, 0), (1, 0), (199, 0), (200, 1), (1_000, 5), (1_300, 6)]
)
def test_one_row_in_two_hundred_is_bad(rows: int, bad: int) -> None:
    found = scanned(sample(rows))

    assert (found.rows, found.records, len(found.first_errors)) == (rows, rows - bad, bad)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_bad_rows_of_the_sample_are_bad_in_three_ways(seed: int) -> None:
    errors = scanned(sample(1_000, seed)).first_errors

    assert Counter((error.field, error.reason) for error in errors) == {
        ("last_name", "needs last name or organization name"): 2,
        ("", "has 16 values where the header has 14"): 2,
        ("email", "is longer than 320 characters"): 1,
    }


def test_the_leads_are_read_back_as_they_were_made() -> None:
    stream = io.BytesIO(sample(1_000))
    header = read_header(stream)
    reader = RowReader(RecordType.LEAD, Columns.of(RecordType.LEAD, header.names, {}))

    read = [
        row
        for _, row in check_rows(
            split_lines(stream.read()), header.delimiter, header.lines + 1, reader
        )
        if isinstance(row, list)
    ]

    assert read == [
        row for row in islice(make_sample_leads(1_000), 1, None) if reader.find_fault(row) is None
    ]
    assert len({row[0] for row in read}) == 995


def column(name: str) -> list[str]:
    rows = (row for row in islice(make_sample_leads(1_000), 1, None) if len(row) == len(HEADER))
    return [row[HEADER.index(name)] for row in rows]


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("Company", ","), ("Company", '"'), ("Company", "&"), ("Notes", ","), ("Notes", "\n"),
        ("Notes", "é"), ("Tags", ";"),
        ("Source", ","), ("First Name", "[ç-ö]"), ("Last Name", "ü"), ("Last Name", "'"),
        ("Last Name", "[\u3040-\u9fff]"),
        ("Last Name", "[\u0590-\u06ff]"), ("Phone 1", r"^\+"),
    ],
)  # fmt: skip
def test_the_sample_holds_what_makes_real_exports_hard(name: str, pattern: str) -> None:
    assert any(re.search(pattern, value) for value in column(name))


@pytest.mark.parametrize("name", ["Last Name", "Company"])
def test_some_leads_are_only_a_person_or_only_an_organization(name: str) -> None:
    blank = column(name).count("")

    assert 30 < blank < 130


@pytest.mark.parametrize("name", ["Email 1", "Website"])
def test_no_address_leads_to_a_real_domain(name: str) -> None:
    domains = {re.split(r"[@/]", value)[-1] for value in column(name) if value}

    assert [
        domain for domain in domains if not re.search(r"(^|\.)example\.(com|org|net)$", domain)
    ] == []
