"""Rows of a file: the field of each column, the good rows, and the values that a good row
stores."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from worker.domain.records.fields import CONVERSIONS, TAGS, find_field, list_field_names
from worker.domain.records.record_type import RecordType
from worker.domain.records.types import DESCRIPTIONS
from worker.errors.records import UnknownField
from worker.errors.runs import BadMapping, UnknownHeader


def parse_mapping(pairs: Iterable[str]) -> dict[str, str]:
    """Fields by header, from pairs such as "Surname=last_name". A header may hold equals signs
    itself. Raises BadMapping."""
    return dict(map(_parse_pair, pairs))


def _parse_pair(text: str) -> tuple[str, str]:
    header, equals, field = text.rpartition("=")
    if not equals or not header.strip() or not field.strip():
        raise BadMapping(text=text)
    return header.strip(), field.strip()


@dataclass(frozen=True, slots=True)
class RowError:
    """Why the row that begins at a line of the file became no record."""

    line: int
    """The header is line 1."""
    field: str
    """Empty if the row as a whole is bad."""
    reason: str


@dataclass(frozen=True, slots=True)
class Columns:
    """Which field each column of a file holds: the positions of known fields, and of custom fields
    by name."""

    width: int
    fields: dict[str, int]
    custom: dict[str, int]

    @classmethod
    def of(
        cls, record_type: RecordType, headers: Sequence[str], overrides: Mapping[str, str]
    ) -> "Columns":
        """The columns by header names and aliases. Overrides go first. Of two columns that mean one
        field the first is taken, and the second becomes a custom field. Raises UnknownField,
        UnknownHeader."""
        headers = [header.strip() for header in headers]
        _check_overrides(record_type, headers, overrides)
        fields = {field: headers.index(header) for header, field in overrides.items()}
        custom: dict[str, int] = {}
        for position, header in enumerate(headers):
            if position in fields.values():
                continue
            field = find_field(record_type, header)
            if field and field not in fields:
                fields[field] = position
            else:
                custom[_find_unused(header or f"Column {position + 1}", custom)] = position
        return cls(len(headers), fields, custom)


def _check_overrides(
    record_type: RecordType, headers: Sequence[str], overrides: Mapping[str, str]
) -> None:
    known = list_field_names(record_type)
    for header, field in overrides.items():
        if field not in known:
            raise UnknownField(record_type=record_type, field=field, fields=", ".join(known))
        if header not in headers:
            raise UnknownHeader(header=header, headers=", ".join(headers))


def _find_unused(name: str, names: Mapping[str, int]) -> str:
    number, unused = 2, name
    while unused in names:
        unused, number = f"{name} ({number})", number + 1
    return unused


class RowReader:
    """Checks rows of one file and turns good ones into the values of records. The same row always
    gives the same answer."""

    def __init__(self, record_type: RecordType, columns: Columns) -> None:
        self._width = columns.width
        stored = [field for field in columns.fields if field != TAGS]
        self.fields: tuple[str, ...] = (*stored, TAGS, "custom_fields")
        """The names of the values that `convert` gives, in order."""
        self._stored = [columns.fields[field] for field in stored]
        self._tags = columns.fields.get(TAGS)
        self._custom = list(columns.custom.items())
        self._required = DESCRIPTIONS[record_type].required
        self._required_at = [
            columns.fields[field] for field in self._required if field in columns.fields
        ]
        converted = [field for field in stored if field in CONVERSIONS]
        self._conversions = [(stored.index(field), CONVERSIONS[field]) for field in converted]
        self._checks = [(field, columns.fields[field], CONVERSIONS[field]) for field in converted]

    def find_fault(self, row: list[str]) -> tuple[str, str] | None:
        """The field at fault and the reason why a row is no record; None for a good row. Pads a
        short row in place."""
        missing = self._width - len(row)
        if missing > 0:
            row.extend([""] * missing)
        elif missing < 0 and any(row[self._width :]):
            return "", f"has {len(row)} values where the header has {self._width}"
        if "\0" in "".join(row):
            return "", "holds a NUL character, which no database stores"
        for at in self._required_at:  # a plain loop: this runs twice for every row of every file
            if row[at].strip():
                return self._find_misfit(row) if self._checks else None
        names = " or ".join(name.replace("_", " ") for name in self._required)
        return self._required[0], f"needs {names}"

    def _find_misfit(self, row: list[str]) -> tuple[str, str] | None:
        """The first field that doesn't take its text, and the reason."""
        for field, at, convert in self._checks:
            if text := row[at].strip():
                try:
                    convert(text)
                except ValueError as error:
                    return field, str(error)
        return None

    def convert(self, row: list[str]) -> list[Any]:
        """The values of a good row: text or None for each known field, then the tags, then the
        custom fields that aren't blank."""
        values: list[Any] = [row[at].strip() or None for at in self._stored]
        for at, convert in self._conversions:
            if values[at] is not None:
                values[at] = convert(values[at])
        values.append(_split_tags(row[self._tags]) if self._tags is not None else ())
        values.append({name: text for name, at in self._custom if (text := row[at].strip())})
        return values


@lru_cache(maxsize=1_024)
def _split_tags(text: str) -> tuple[str, ...]:
    tags = (part.strip() for part in text.replace(";", ",").split(","))
    return tuple(dict.fromkeys(tag for tag in tags if tag))
