"""Picks: records that somebody names by their ids."""

import pytest

from worker.domain.runs.record_ids import RecordIds, check_ids, read_ids
from worker.errors.people import UnknownRecordType
from worker.errors.records import UnknownRecord
from worker.errors.runs import BadIds, RepeatedRecord


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        (b"5\n2\n9\n", [5, 2, 9]),
        (b"id\n5\n", [5]),
        (b"\xef\xbb\xbfID\r\n5\r\n", [5]),
        (b"\n\n 7 \n\n8", [7, 8]),
        (b"\n id \n7", [7]),
        (b"007\n", [7]),
        (b"id\n", []),
        (b"", []),
    ],
)
def test_a_file_holds_one_id_a_line(text: bytes, ids: list[int]) -> None:
    assert read_ids(text.splitlines(keepends=True)) == ids


@pytest.mark.parametrize(
    "line",
    [b"five", b"-5", b"5.0", b"5,6", b"1e3", "\u0665".encode(), b"\xff", b"id", b"9" * 20, b"0x5"],
)
def test_a_line_that_is_no_number_is_named(line: bytes) -> None:
    with pytest.raises(BadIds, match="line 3 is no record's number"):
        read_ids([b"1\n", b"\n", line])


def test_a_line_is_told_in_part_if_it_is_long() -> None:
    with pytest.raises(BadIds) as refused:
        read_ids([b"x" * 100_000])

    assert len(str(refused.value)) < 200


def test_each_record_is_named_once() -> None:
    check_ids(RecordIds("lead", [3, 1, 2]))
    with pytest.raises(RepeatedRecord, match="lead 3 is named more than once"):
        check_ids(RecordIds("lead", [3, 1, 3]))


@pytest.mark.parametrize("record_id", [0, -1, 2**63])
def test_a_number_that_no_record_can_have_is_unknown(record_id: int) -> None:
    with pytest.raises(UnknownRecord, match=f"no deal {record_id}"):
        check_ids(RecordIds("deal", [1, record_id]))


def test_a_pick_is_of_a_known_type_and_not_empty() -> None:
    with pytest.raises(UnknownRecordType, match="'ticket' is not a record type"):
        check_ids(RecordIds("ticket", [1]))
    with pytest.raises(BadIds, match="there are none"):
        check_ids(RecordIds("lead", []))
