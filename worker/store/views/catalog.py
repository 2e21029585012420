"""The views of the Sell-compatible API: one resource, or a page of them, as its description
says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    Text,
    case,
    cast,
    column,
    exists,
    func,
    select,
)
from sqlalchemy.orm import Session

from worker.domain.resources import (
    ADDRESS_PARTS,
    Attribute,
    AttributeKind,
    Resource,
    ResourceBody,
)
from worker.store.records.attributes import STORAGE, Expression, is_with_organization, order_by
from worker.store.tables import users


@dataclass(frozen=True)
class ListQuery:
    """The parameters of a request for a list: the resources, their order, and the page. `fields`
    holds the values that custom fields must have, by name."""

    filters: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    ids: Sequence[int] | None = None
    order: str | None = None
    page: int = 1
    per_page: int = 25


class Page(NamedTuple):
    """A page of resources, and whether there are more."""

    items: list[ResourceBody]
    more: bool


def find_page(session: Session, resource: Resource, query: ListQuery) -> Page:
    """One page. Of resources that sort alike, the older ones come first."""
    found = _select_matching(session, resource, query).order_by(
        *order_by(resource, query.order or resource.order)
    )
    one_more = found.offset((query.page - 1) * query.per_page).limit(query.per_page + 1)
    rows = session.execute(one_more).mappings().all()
    shown = [_show(resource, row) for row in rows[: query.per_page]]
    return Page(shown, len(rows) > query.per_page)


def find_one(session: Session, resource: Resource, resource_id: int) -> ResourceBody | None:
    """The resource with that id, or None."""
    return next(iter(find_all(session, resource, [resource_id])), None)


def find_all(session: Session, resource: Resource, ids: Sequence[int]) -> list[ResourceBody]:
    """The resources with these ids, in this order. An id that doesn't exist is left out."""
    storage = STORAGE[resource.path]
    found = storage.columns(resource).where(storage.table.c.id.in_(ids))
    rows = {row["id"]: row for row in session.execute(found).mappings()}
    return [_show(resource, rows[number]) for number in ids if number in rows]


def find_ids(session: Session, resource: Resource, query: ListQuery, most: int) -> list[int]:
    """The ids of the resources that match, lowest first, at most so many."""
    number = STORAGE[resource.path].table.c.id
    found = _select_matching(session, resource, query).with_only_columns(number)
    return list(session.scalars(found.order_by(number).limit(most)))


def show_account(session: Session, name: str, currency: str) -> ResourceBody:
    """The account of the Sell API. It is as old as its first user."""
    began = session.scalar(select(func.min(users.c.created_at)))
    return {
        "id": 1,
        "name": name,
        "currency": currency,
        "time_format": "24H",
        "timezone": "UTC",
        "phone": None,
        "subdomain": None,
        "created_at": _write_moment(began),
        "updated_at": _write_moment(began),
    }


def _select_matching(session: Session, resource: Resource, query: ListQuery) -> Select[Any]:
    storage = STORAGE[resource.path]
    found = storage.columns(resource)
    for name, value in query.filters.items():
        if name == "organization_id":
            found = found.where(is_with_organization(value))
        else:
            is_day = resource.kind_of(name) is AttributeKind.DAY
            wanted = date.fromisoformat(value) if is_day else value
            found = found.where(storage.expression(name) == wanted)
    for name, text in query.fields.items():
        found = found.where(_field_is(session, storage.table.c.custom_fields, name, text))
    return found if query.ids is None else found.where(storage.table.c.id.in_(query.ids))


def _field_is(session: Session, fields: Expression, name: str, text: str) -> ColumnElement[bool]:
    """Whether a custom field holds that text. The name is bound as a value, never put into a
    path."""
    if session.connection().dialect.name == "postgresql":
        return func.jsonb_extract_path_text(fields, name) == text
    each = func.json_each(fields).table_valued(column("key"), column("value"), column("type"))
    is_boolean = each.c.type.in_(("true", "false"))
    value = case((is_boolean, each.c.type), else_=cast(each.c.value, Text))
    return exists(select(1).select_from(each).where(each.c.key == name, value == text))


# --- how it is shown ---


def _show(resource: Resource, row: RowMapping) -> ResourceBody:
    return {attribute.name: _show_value(attribute, row) for attribute in resource.attributes}


def _show_value(attribute: Attribute, row: RowMapping) -> object:
    if not attribute.held:
        return attribute.always
    if attribute.kind is AttributeKind.ADDRESS and attribute.name not in row:
        return {part: row[f"{attribute.name}_{part}"] for part in ADDRESS_PARTS}
    value = row[attribute.name]
    return _SHOW[attribute.kind](value) if attribute.kind in _SHOW else value


def _complete_address(address: Mapping[str, str | None] | None) -> dict[str, str | None]:
    """An address with all its parts, null where nothing is known: clients look for a city without
    asking for the address first."""
    return {part: (address or {}).get(part) for part in ADDRESS_PARTS}


def _write_moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _write_day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _write_amount(value: float) -> int | str:
    """An integer when whole, else text with decimals."""
    return int(value) if value == int(value) else f"{value:.2f}"


def _list_names(names: Sequence[str] | str | None) -> list[str]:
    """A list of names. A pool's user has one name, the type of its records, and is marked by one
    more."""
    return ["distribution_pool", names] if isinstance(names, str) else list(names or ())


_SHOW: Mapping[AttributeKind, Callable[[Any], object]] = {
    AttributeKind.MOMENT: _write_moment,
    AttributeKind.DAY: _write_day,
    AttributeKind.AMOUNT: _write_amount,
    AttributeKind.NAMES: _list_names,
    AttributeKind.ADDRESS: _complete_address,
    AttributeKind.FIELDS: dict,
    AttributeKind.BOOLEAN: bool,
}
