"""Where the attributes of resources lie: as columns of their own names, unless said otherwise here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, case, func, literal, or_, select, true

from worker.domain.resources import ADDRESS_PARTS, Kind, Resource
from worker.store.tables import (
    contacts,
    conversions,
    deals,
    labels,
    leads,
    pipelines,
    pools,
    stages,
    users,
)

Expressions = Mapping[str, ColumnElement[Any]]


@dataclass(frozen=True)
class Place:
    """The table in which a resource lies, which of its rows are the resource's, and what isn't
    simply a column."""

    table: Table
    rows: ColumnElement[bool] = field(default_factory=true)
    computed: Expressions = field(default_factory=dict)

    def expression(self, name: str) -> ColumnElement[Any]:
        """What to compare with and to sort by for an attribute, or for a part of an address such as
        address[city]."""
        column = name.replace("[", "_").rstrip("]")
        return self.computed[name] if name in self.computed else self.table.c[column]

    def columns(self, resource: Resource) -> Select[Any]:
        """A select of all that the resource holds, by attribute; the parts of an address one by
        one."""
        found: list[ColumnElement[Any]] = []
        for attribute in resource.attributes:
            if attribute.kind is Kind.ADDRESS and attribute.name not in self.table.c:
                found += [self.table.c[f"{attribute.name}_{part}"] for part in ADDRESS_PARTS]
            elif attribute.held:
                found.append(self.expression(attribute.name).label(attribute.name))
        return select(*found).select_from(self.table).where(self.rows)


_ORGANIZATION_OF_CONTACT: ColumnElement[int | None] = case(
    (contacts.c.last_name.is_(None), contacts.c.id), else_=contacts.c.contact_id
)


def first_stage() -> Any:
    """The id of the stage in which a deal begins."""
    return (
        select(stages.c.id)
        .order_by(stages.c.pipeline_id, stages.c.position)
        .limit(1)
        .scalar_subquery()
    )


def _source(name: ColumnElement[Any]) -> ColumnElement[Any]:
    """Records keep the names of their sources, as files give them; ids are the API's."""
    return (
        select(labels.c.id)
        .where(labels.c.kind == "source", labels.c.name == name)
        .scalar_subquery()
    )


def _stage() -> ColumnElement[Any]:
    named = (
        select(stages.c.id)
        .where(func.lower(stages.c.name) == func.lower(deals.c.stage))
        .order_by(stages.c.id)
        .limit(1)
    )
    return func.coalesce(named.scalar_subquery(), first_stage())


def _organization() -> ColumnElement[Any]:
    return (
        select(_ORGANIZATION_OF_CONTACT)
        .where(contacts.c.id == deals.c.contact_id)
        .scalar_subquery()
    )


_FULL_NAME = func.trim(
    func.coalesce(contacts.c.first_name, "")
    + literal(" ")
    + func.coalesce(contacts.c.last_name, "")
)

_LEAD: Expressions = {
    "status": func.coalesce(leads.c.status, "New"),
    "source_id": _source(leads.c.source),
}

_CONTACT: Expressions = {
    "is_organization": contacts.c.last_name.is_(None),
    "name": case((contacts.c.last_name.is_(None), contacts.c.organization_name), else_=_FULL_NAME),
    "customer_status": func.coalesce(contacts.c.customer_status, "none"),
    "prospect_status": func.coalesce(contacts.c.prospect_status, "none"),
}

_DEAL: Expressions = {
    "value": func.coalesce(deals.c.value, 0),
    "organization_id": _organization(),
    "source_id": _source(deals.c.source),
    "stage_id": _stage(),
    "last_activity_at": deals.c.updated_at,
    "added_at": deals.c.created_at,
}

_USER: Expressions = {
    "status": case((users.c.is_active, "active"), else_="inactive"),
    "role": case((users.c.is_admin, "admin"), else_="user"),
    "confirmed": literal(True),
    "identity_type": case((users.c.is_pool, "integration"), else_="user"),
    "system_tags": select(pools.c.record_type).where(pools.c.id == users.c.id).scalar_subquery(),
    "sell_login_disabled": users.c.is_pool,
    "deleted_at": select(pools.c.deleted_at).where(pools.c.id == users.c.id).scalar_subquery(),
}

PLACES: dict[str, Place] = {
    "leads": Place(leads, leads.c.deleted_at.is_(None), _LEAD),
    "contacts": Place(contacts, contacts.c.deleted_at.is_(None), _CONTACT),
    "deals": Place(deals, deals.c.deleted_at.is_(None), _DEAL),
    "lead_conversions": Place(conversions),
    "users": Place(users, true(), _USER),
    "lead_sources": Place(labels, labels.c.kind == "source"),
    "lead_statuses": Place(labels, labels.c.kind == "status"),
    "tags": Place(labels, labels.c.kind == "tag"),
    "pipelines": Place(pipelines),
    "stages": Place(stages),
    **{
        f"{record_type}/custom_fields": Place(
            labels, (labels.c.kind == "custom_field") & (labels.c.resource_type == record_type)
        )
        for record_type in ("lead", "contact", "deal")
    },
}


def with_organization(organization_id: int) -> ColumnElement[bool]:
    """That a deal is with that organization, or with a person of it: told by the contacts, of which
    few are looked at."""
    likely = or_(contacts.c.id == organization_id, contacts.c.contact_id == organization_id)
    return deals.c.contact_id.in_(
        select(contacts.c.id).where(likely, literal(organization_id) == _ORGANIZATION_OF_CONTACT)
    )
