"""What a request says of a record, as the columns that keep it: ids are looked up, and what they
name must be there."""

from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.domain.records.editing import INCORRECT, Values, at, check_needed
from worker.domain.records.fields import REQUIRED
from worker.domain.resources import ADDRESS_PARTS, RECORDS, Kind
from worker.errors.records import Fault, IncorrectPayload
from worker.settings import settings
from worker.store.records import labels, records, stages

Columns = dict[str, Any]


def columns_of(
    session: Session, record_type: str, values: Values, present: Row[Any] | None
) -> Columns:
    """The columns that the values mean, for a new record or for one that is present. Raises
    IncorrectPayload."""
    columns = {name: value for name, value in values.items() if name != "owner_id"}
    _join(columns, record_type, present)
    _look_up(session, record_type, columns)
    if record_type == "contact":
        _name_contact(columns, present)
        _check_contact(session, record_type, columns, "contact_id", must_be_organization=True)
        _check_contact(
            session, record_type, columns, "parent_organization_id", must_be_organization=True
        )
    if record_type == "deal":
        _check_contact(session, record_type, columns, "contact_id", must_be_organization=False)
        if present is None:
            columns["currency"] = columns.get("currency") or settings().currency
    _check_whole(record_type, columns, present)
    return columns


def _join(columns: Columns, record_type: str, present: Row[Any] | None) -> None:
    """Of addresses and custom fields only the parts that are named change."""
    for attribute in RECORDS[record_type].writable:
        if attribute.name not in columns:
            continue
        if attribute.kind is Kind.FIELDS:
            merged = (getattr(present, attribute.name) if present else {}) | columns[attribute.name]
            columns[attribute.name] = {
                name: value for name, value in merged.items() if value is not None
            }
        elif attribute.name == "address":
            columns |= {f"address_{part}": text for part, text in columns.pop("address").items()}
        elif attribute.kind is Kind.ADDRESS:
            before = (getattr(present, attribute.name) if present else None) or dict.fromkeys(
                ADDRESS_PARTS
            )
            columns[attribute.name] = before | columns[attribute.name]


def _look_up(session: Session, record_type: str, columns: Columns) -> None:
    """Sources and stages are kept by their names."""
    for name, column, find in (
        ("source_id", "source", labels.source_name),
        ("stage_id", "stage", stages.name_of),
    ):
        if name in columns:
            number = columns.pop(name)
            columns[column] = None if number is None else find(session, number)
            if number is not None and columns[column] is None:
                raise _unknown(record_type, name, number)


def _name_contact(columns: Columns, present: Row[Any] | None) -> None:
    """An organization is a contact without a last name, whose name is the organization's. It is
    settled at the creation what it is."""
    named = "name" in columns
    flag, name = columns.pop("is_organization", None), columns.pop("name", None)
    is_organization = bool(flag) if present is None else present.last_name is None
    if flag not in (None, is_organization):
        raise IncorrectPayload.of(
            "contact",
            [Fault(at("is_organization"), INCORRECT, "can't change after the contact is created")],
        )
    if is_organization:
        columns.pop("last_name", None)
        if named or present is None:
            columns["organization_name"] = name
            check_needed(RECORDS["contact"], {"name": name} if named else {}, ("name",))
    elif present is None or "last_name" in columns:
        check_needed(RECORDS["contact"], columns, ("last_name",))


def _check_contact(
    session: Session, record_type: str, columns: Columns, name: str, *, must_be_organization: bool
) -> None:
    number = columns.get(name)
    if number is None:
        return
    contact = records.live(session, "contact", number)
    if contact is None:
        raise _unknown(record_type, name, number)
    if must_be_organization and contact.last_name is not None:
        raise IncorrectPayload.of(
            record_type,
            [Fault(at(name), INCORRECT, f"{number} is a person, and must be an organization")],
        )


def _check_whole(record_type: str, columns: Columns, present: Row[Any] | None) -> None:
    """A record must not lose what it needs."""
    if record_type == "contact":
        return
    for name in RECORDS[record_type].needs:
        if present is None or name in columns:
            check_needed(RECORDS[record_type], columns, (name,))
    whole = (dict(present._mapping) if present else {}) | columns
    check_needed(RECORDS[record_type], whole, REQUIRED[record_type])


def _unknown(record_type: str, name: str, number: int) -> IncorrectPayload:
    what = name.removesuffix("_id").replace("_", " ")
    return IncorrectPayload.of(
        record_type, [Fault(at(name), INCORRECT, f"names {what} {number}, which is not there")]
    )
