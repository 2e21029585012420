"""Records that somebody names by their ids, in the order in which they are to be given."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from worker.domain.records.fields import RECORD_TYPES
from worker.domain.storable import GREATEST, replace_unstorable
from worker.errors.people import UnknownRecordType
from worker.errors.records import UnknownRecord
from worker.errors.runs import BadIds, RepeatedRecord

HEADER = "id"
"""What the first line may say."""

MOST_SHOWN_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class RecordIds:
    """The ids of some records of one type, in the order in which the records are to be given."""

    record_type: str
    ids: Sequence[int]


def check_ids(wanted: RecordIds) -> None:
    """Raises what is wrong with the ids, whatever records there are: UnknownRecordType, BadIds,
    UnknownRecord, RepeatedRecord."""
    record_type = wanted.record_type
    if record_type not in RECORD_TYPES:
        raise UnknownRecordType(name=replace_unstorable(record_type))
    if not wanted.ids:
        raise BadIds(reason="there are none")
    for record_id, times in Counter(wanted.ids).items():
        if not 0 < record_id <= GREATEST:
            raise UnknownRecord(record_type=record_type, record_id=record_id)
        if times > 1:
            raise RepeatedRecord(record_type=record_type, record_id=record_id)


def read_ids(lines: Iterable[bytes]) -> list[int]:
    """The ids in a file that has one a line. Blank lines are left out. Raises BadIds."""
    texts = [
        (number, line.decode(errors="replace").removeprefix("\ufeff").strip())
        for number, line in enumerate(lines, 1)
    ]
    written = [(number, text) for number, text in texts if text]
    if written and written[0][1].lower() == HEADER:
        del written[0]
    return [_parse_id(number, text) for number, text in written]


def _parse_id(number: int, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(GREATEST))):
        shown = replace_unstorable(text[:MOST_SHOWN_CHARACTERS])
        raise BadIds(reason=f"line {number} is no record's number: {shown!r}")
    return int(text)
