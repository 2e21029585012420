"""Where the attributes of resources are stored: in columns of their own names, unless this says
otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    Table,
    case,
    func,
    literal,
    or_,
    select,
    true,
)

from worker.domain.records.record_type import RecordType
from worker.domain.resources import ADDRESS_PARTS, AttributeKind, Resource
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

# What an attribute compares as is known only to its resource's description.
Expression = ColumnElement[Any]
Expressions = Mapping[str, Expression]


@dataclass(frozen=True)
class Storage:
    """The table that stores a resource, which of its rows are the resource's, and the attributes
    that are computed, because no column holds them as they are."""

    table: Table
    rows: ColumnElement[bool] = field(default_factory=true)
    computed: Expressions = field(default_factory=dict)

    def expression(self, name: str) -> Expression:
        """The expression to compare with and to sort by, for an attribute or for a part of an
        address such as address[city]."""
        column = name.replace("[", "_").rstrip("]")
        return self.computed[name] if name in self.computed else self.table.c[column]

    def columns(self, resource: Resource) -> Select[Any]:
        """A select of all that the resource stores, by attribute. Each part of an address is a
        column of its own."""
        found: list[Expression] = []
        for attribute in resource.attributes:
            if attribute.kind is AttributeKind.ADDRESS and attribute.name not in self.table.c:
                found += [self.table.c[f"{attribute.name}_{part}"] for part in ADDRESS_PARTS]
            elif attribute.held:
                found.append(self.expression(attribute.name).label(attribute.name))
        return select(*found).select_from(self.table).where(self.rows)


_ORGANIZATION_OF_CONTACT: ColumnElement[int | None] = case(
    (contacts.c.last_name.is_(None), contacts.c.id), else_=contacts.c.contact_id
)


def select_first_stage() -> ScalarSelect[int]:
    """The id of the stage that a new deal gets."""
    in_order = select(stages.c.id).order_by(stages.c.pipeline_id, stages.c.position)
    return in_order.limit(1).scalar_subquery()


def _select_source(name: ColumnElement[str]) -> ScalarSelect[int]:
    """The id of the source with that name. Records store the name, as files give it."""
    return (
        select(labels.c.id)
        .where(labels.c.kind == "source", labels.c.name == name)
        .scalar_subquery()
    )


def _select_stage() -> ColumnElement[int]:
    named = (
        select(stages.c.id)
        .where(func.lower(stages.c.name) == func.lower(deals.c.stage))
        .order_by(stages.c.id)
        .limit(1)
    )
    return func.coalesce(named.scalar_subquery(), select_first_stage())


def _select_organization() -> ScalarSelect[int | None]:
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
    "source_id": _select_source(leads.c.source),
}

_CONTACT: Expressions = {
    "is_organization": contacts.c.last_name.is_(None),
    "name": case((contacts.c.last_name.is_(None), contacts.c.organization_name), else_=_FULL_NAME),
    "customer_status": func.coalesce(contacts.c.customer_status, "none"),
    "prospect_status": func.coalesce(contacts.c.prospect_status, "none"),
}

_DEAL: Expressions = {
    "value": func.coalesce(deals.c.value, 0),
    "organization_id": _select_organization(),
    "source_id": _select_source(deals.c.source),
    "stage_id": _select_stage(),
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

STORAGE: dict[str, Storage] = {
    "leads": Storage(leads, leads.c.deleted_at.is_(None), _LEAD),
    "contacts": Storage(contacts, contacts.c.deleted_at.is_(None), _CONTACT),
    "deals": Storage(deals, deals.c.deleted_at.is_(None), _DEAL),
    "lead_conversions": Storage(conversions),
    "users": Storage(users, true(), _USER),
    "lead_sources": Storage(labels, labels.c.kind == "source"),
    "lead_statuses": Storage(labels, labels.c.kind == "status"),
    "tags": Storage(labels, labels.c.kind == "tag"),
    "pipelines": Storage(pipelines),
    "stages": Storage(stages),
    **{
        f"{record_type}/custom_fields": Storage(
            labels, (labels.c.kind == "custom_field") & (labels.c.resource_type == record_type)
        )
        for record_type in RecordType
    },
}
"""By the path of the resource."""


def is_with_organization(organization_id: int) -> ColumnElement[bool]:
    """Whether a deal is with that organization, or with a person of it. It goes by the contacts,
    because it needs to look at only a few of them."""
    likely = or_(contacts.c.id == organization_id, contacts.c.contact_id == organization_id)
    return deals.c.contact_id.in_(
        select(contacts.c.id).where(likely, literal(organization_id) == _ORGANIZATION_OF_CONTACT)
    )


def order_by(
    resource: Resource, order: str, *, unknown_last: bool = False
) -> tuple[Expression, ...]:
    """The columns to sort by, for NAME:asc or NAME:desc, the same on either database. Of resources
    that sort alike, the older ones come first.

    A null comes after all values when the order ascends and before them when it descends; with
    `unknown_last` it always comes last.
    """
    name, _, direction = order.partition(":")
    storage, descends = STORAGE[resource.path], direction == "desc"
    by, number = storage.expression(name), storage.table.c.id
    sorted_by = by.desc() if descends else by.asc()
    if name == "id":
        return (sorted_by,)
    if getattr(by, "nullable", True):
        nulls_first = descends and not unknown_last
        sorted_by = sorted_by.nulls_first() if nulls_first else sorted_by.nulls_last()
    return sorted_by, number.asc()
