"""The description of a record type: everything that differs between the types.

A new type is a file next to this one, a line in `worker.domain.records.types`, and a table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from worker.domain.records.record_type import RecordType
from worker.domain.resources.faults import check_needed
from worker.domain.resources.resource import Resource

ColumnValues = dict[str, Any]
"""The values of a record, stored or about to be stored, by column."""


class ContactReference(NamedTuple):
    """An attribute that names a contact by its id."""

    name: str
    must_be_organization: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class RecordDescription(Resource):
    """A record type: its attributes in the Sell API, as for any resource, and its special rules."""

    text_fields: tuple[str, ...]
    """The columns that hold text, in the order of the table. A file can fill each."""

    typed_fields: tuple[str, ...] = ()
    """The columns of other kinds that a file can fill."""

    required: tuple[str, ...]
    """A record needs at least one of these."""

    references: tuple[ContactReference, ...] = ()

    made_by_conversion: tuple[str, ...] = ()
    """The columns of a conversion that name the records of this type that it made."""

    waits_in_line: bool = False
    """Whether a record can be captured, and then waits for its pool's next member."""

    check: Callable[["RecordDescription", ColumnValues, ColumnValues | None], None]
    """`check(description, columns, present)` checks and completes the columns that are written, for
    a new record or for a change of the present ones. It raises IncorrectPayload."""

    @property
    def record_type(self) -> RecordType:
        return RecordType(self.type)

    @property
    def stored_names(self) -> tuple[str, ...]:
        """The attributes that the record stores as names, and the API shows as ids."""
        return tuple(
            name
            for name in ("source", "stage")
            if name in self.text_fields and f"{name}_id" in self.by_name
        )


def check_whole(
    description: RecordDescription, columns: ColumnValues, present: ColumnValues | None
) -> None:
    """Raises IncorrectPayload unless the record has the values that it needs, and keeps them."""
    for name in description.needs:
        if present is None or name in columns:
            check_needed(description, columns, (name,))
    check_needed(description, {**(present or {}), **columns}, description.required)
