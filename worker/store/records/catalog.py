"""What the Sell-compatible API shows: one resource, or a page of them, as its description says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, Text, case, cast, column, exists, func, select
from sqlalchemy.orm import Session

from worker.domain.resources import ADDRESS_PARTS, Attribute, Kind, Resource
from worker.store.records.attributes import PLACES, with_organization
from worker.store.records.ordering import order_by
from worker.store.views.facts import Facts

Fields = Mapping[str, str]
"""Custom fields by name, and what they must say."""


@dataclass(frozen=True)
class ListQuery:
    """What a list is asked for: which, in which order, and which page."""

    filters: Mapping[str, Any] = field(default_factory=dict)
    fields: Fields = field(default_factory=dict)
    ids: Sequence[int] | None = None
    order: str | None = None
    page: int = 1
    per_page: int = 25


class Page(NamedTuple):
    """Some of what was asked for, and whether there is more."""

    items: list[Facts]
    more: bool


def page(session: Session, resource: Resource, asked: ListQuery) -> Page:
    """One page. Of those that sort alike, the older ones come first."""
    found = _matching(session, resource, asked).order_by(
        *order_by(resource, asked.order or resource.order)
    )
    rows = session.execute(
        found.offset((asked.page - 1) * asked.per_page).limit(asked.per_page + 1)
    ).all()
    return Page(
        [_facts(resource, row) for row in rows[: asked.per_page]], len(rows) > asked.per_page
    )


def one(session: Session, resource: Resource, resource_id: int) -> Facts | None:
    """The one with that id, if there is one."""
    place = PLACES[resource.path]
    row = session.execute(
        place.columns(resource).where(place.table.c.id == resource_id)
    ).one_or_none()
    return None if row is None else _facts(resource, row)


def facts_of_all(session: Session, resource: Resource, ids: Sequence[int]) -> list[Facts]:
    """Those with these ids, in this order. One that isn't there is left out."""
    place = PLACES[resource.path]
    rows = {
        row.id: row
        for row in session.execute(place.columns(resource).where(place.table.c.id.in_(ids)))
    }
    return [_facts(resource, rows[number]) for number in ids if number in rows]


def ids_matching(session: Session, resource: Resource, asked: ListQuery, most: int) -> list[int]:
    """The ids of those that match, lowest first, at most so many."""
    number = PLACES[resource.path].table.c.id
    return list(
        session.scalars(
            _matching(session, resource, asked)
            .with_only_columns(number)
            .order_by(number)
            .limit(most)
        )
    )


def _matching(session: Session, resource: Resource, asked: ListQuery) -> Select[Any]:
    place = PLACES[resource.path]
    found = place.columns(resource)
    for name, value in asked.filters.items():
        wanted = date.fromisoformat(value) if resource.kind_of(name) is Kind.DAY else value
        found = found.where(
            with_organization(value)
            if name == "organization_id"
            else place.expression(name) == wanted
        )
    for name, text in asked.fields.items():
        found = found.where(_field_is(session, place.table.c.custom_fields, name, text))
    return found if asked.ids is None else found.where(place.table.c.id.in_(asked.ids))


def _field_is(
    session: Session, fields: ColumnElement[Any], name: str, text: str
) -> ColumnElement[bool]:
    """Whether a custom field says that. The name is bound as a value, never put into a path."""
    if session.connection().dialect.name == "postgresql":
        return func.jsonb_extract_path_text(fields, name) == text
    each = func.json_each(fields).table_valued(column("key"), column("value"), column("type"))
    told = case((each.c.type.in_(("true", "false")), each.c.type), else_=cast(each.c.value, Text))
    return exists(select(1).select_from(each).where(each.c.key == name, told == text))


# --- facts ---


def _facts(resource: Resource, row: Row[Any]) -> Facts:
    return {attribute.name: _value(attribute, row) for attribute in resource.attributes}


def _value(attribute: Attribute, row: Row[Any]) -> Any:
    if not attribute.held:
        return attribute.always
    if attribute.kind is Kind.ADDRESS and not hasattr(row, attribute.name):
        return _whole({part: getattr(row, f"{attribute.name}_{part}") for part in ADDRESS_PARTS})
    value = getattr(row, attribute.name)
    return SHOWN[attribute.kind](value) if attribute.kind in SHOWN else value


def _whole(address: Facts | None) -> Facts:
    """An address with all its parts, null where nothing is known: clients look for a city without
    asking for the address first."""
    return {part: (address or {}).get(part) for part in ADDRESS_PARTS}


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _amount(value: float) -> int | str:
    """An integer when whole, else text with decimals."""
    return int(value) if value == int(value) else f"{value:.2f}"


def _names(names: Sequence[str] | str | None) -> list[str]:
    """A list of names; of a pool's user, what marks it as one."""
    return ["distribution_pool", names] if isinstance(names, str) else list(names or ())


SHOWN: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.MOMENT: _moment,
    Kind.DAY: lambda day: None if day is None else day.isoformat(),
    Kind.AMOUNT: _amount,
    Kind.NAMES: _names,
    Kind.ADDRESS: _whole,
    Kind.FIELDS: dict,
    Kind.BOOLEAN: bool,
}
