"""The columns that a request writes: ids are looked up, and must exist."""

from collections.abc import Callable, Mapping

from sqlalchemy.orm import Session

from worker.domain.records.editing import Values
from worker.domain.records.record_type import RecordType
from worker.domain.records.types import ColumnValues, ContactReference, RecordDescription
from worker.domain.resources import ADDRESS_PARTS, AttributeKind
from worker.domain.resources.faults import INCORRECT, at
from worker.errors.records import Fault, IncorrectPayload
from worker.store.records import labels, records
from worker.store.records.records import StoredRecord


def read_columns(
    session: Session,
    description: RecordDescription,
    values: Values,
    present: StoredRecord | None,
    currency: str,
) -> ColumnValues:
    """The columns that the values mean, for a new record or for a present one. A new record that
    has a currency gets the account's unless the values name one. Raises IncorrectPayload."""
    columns = {name: value for name, value in values.items() if name != "owner_id"}
    before = None if present is None else present.columns
    _merge(columns, description, before or {})
    _look_up(session, description, columns)
    for reference in description.references:
        _check_reference(session, description, columns, reference)
    if before is None and "currency" in description.text_fields:
        columns["currency"] = columns.get("currency") or currency
    description.check(description, columns, before)
    return columns


# --- addresses and custom fields, of which only the named parts change ---


def _merge(columns: ColumnValues, description: RecordDescription, before: ColumnValues) -> None:
    for attribute in description.writable:
        merge = _MERGE.get(attribute.kind)
        if merge is not None and attribute.name in columns:
            merge(columns, attribute.name, before)


def _merge_fields(columns: ColumnValues, name: str, before: ColumnValues) -> None:
    merged = (before.get(name) or {}) | columns[name]
    columns[name] = {field: value for field, value in merged.items() if value is not None}


def _merge_address(columns: ColumnValues, name: str, before: ColumnValues) -> None:
    """The main address has a column for each part, the others one column each."""
    if name == "address":
        parts = columns.pop(name)
        columns.update({f"{name}_{part}": text for part, text in parts.items()})
    else:
        columns[name] = (before.get(name) or dict.fromkeys(ADDRESS_PARTS)) | columns[name]


_MERGE: Mapping[AttributeKind, Callable[[ColumnValues, str, ColumnValues], None]] = {
    AttributeKind.FIELDS: _merge_fields,
    AttributeKind.ADDRESS: _merge_address,
}


# --- ids ---


def _look_up(session: Session, description: RecordDescription, columns: ColumnValues) -> None:
    """Replaces the ids of sources and stages by their names, which records store."""
    finders = {"source": labels.find_source_name, "stage": labels.find_stage_name}
    for name, find in finders.items():
        if f"{name}_id" in columns:
            number = columns.pop(f"{name}_id")
            columns[name] = None if number is None else find(session, number)
            if number is not None and columns[name] is None:
                raise _refuse_unknown(description, f"{name}_id", number)


def _check_reference(
    session: Session,
    description: RecordDescription,
    columns: ColumnValues,
    reference: ContactReference,
) -> None:
    number = columns.get(reference.name)
    if number is None:
        return
    contact = records.find_live(session, RecordType.CONTACT, number)
    if contact is None:
        raise _refuse_unknown(description, reference.name, number)
    if reference.must_be_organization and contact.columns["last_name"] is not None:
        message = f"{number} is a person, and must be an organization"
        raise IncorrectPayload.of(description.type, [Fault(at(reference.name), INCORRECT, message)])


def _refuse_unknown(description: RecordDescription, name: str, number: int) -> IncorrectPayload:
    what = name.removesuffix("_id").replace("_", " ")
    message = f"names {what} {number}, which is not there"
    return IncorrectPayload.of(description.type, [Fault(at(name), INCORRECT, message)])
