"""The views of integrations: never their secrets."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import ClassVar

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from worker.store.sql.clock import now
from worker.store.tables import enrichments, integrations, users
from worker.store.views.intake import DESCRIBED

MOST_ENRICHMENTS = 100


@dataclass(frozen=True, slots=True)
class IntegrationView:
    """An integration, without its secrets."""

    __pydantic_config__: ClassVar = DESCRIBED

    id: int
    name: str
    slug: str
    path: str
    """Where its sender posts, behind the scheme and host."""
    kind: str
    owner: str
    """The pool or the user who gets the leads."""
    owner_id: int
    source: str | None
    tags: list[str]
    mapping: Mapping[str, str]
    """Where a delivery has what, besides the usual places of its kind."""
    enabled: bool
    has_access_token: bool
    base_url: str | None
    former_secret_until: datetime | None
    """Until when the secret before the present one is good."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class EnrichmentView:
    """A lead whose contact must still be fetched from its sender."""

    __pydantic_config__: ClassVar = DESCRIBED

    lead: int
    object_id: str
    """The sender's number of the lead's contact."""
    due_at: datetime
    """When it is tried next."""
    tries: int
    """How often the sender was asked in vain."""
    set_aside: bool
    """Whether it is no longer tried, until an admin retries the leads that were set aside."""
    reason: str | None


@dataclass(frozen=True, slots=True)
class IntegrationDetails(IntegrationView):
    """An integration, and the leads whose contacts must still be fetched."""

    __pydantic_config__: ClassVar = DESCRIBED

    # again, because the API describes no inherited attribute by its docstring
    path: str
    """Where its sender posts, behind the scheme and host."""
    owner: str
    """The pool or the user who gets the leads."""
    mapping: Mapping[str, str]
    """Where a delivery has what, besides the usual places of its kind."""
    former_secret_until: datetime | None
    """Until when the secret before the present one is good."""
    lookups: list[EnrichmentView]
    """The first hundred."""


def list_integrations(session: Session) -> list[IntegrationView]:
    """All integrations, in the order of creation."""
    rows = session.execute(_integrations().order_by(integrations.c.id))
    return [_make_integration(row) for row in rows]


def show_integration(session: Session, integration_id: int) -> IntegrationView:
    """An integration that is there."""
    found = _integrations().where(integrations.c.id == integration_id)
    return _make_integration(session.execute(found).one())


def show_integration_details(session: Session, integration_id: int) -> IntegrationDetails:
    """An integration that is there, with the first hundred leads whose contacts must still be
    fetched."""
    view = show_integration(session, integration_id)
    waiting = list_enrichments(session, integration_id, MOST_ENRICHMENTS)
    return IntegrationDetails(
        **{field.name: getattr(view, field.name) for field in fields(view)}, lookups=waiting
    )


def list_enrichments(session: Session, integration_id: int, limit: int) -> list[EnrichmentView]:
    """The leads whose contacts must still be fetched, oldest first."""
    found = select(enrichments).where(enrichments.c.integration_id == integration_id)
    rows = session.execute(found.order_by(enrichments.c.lead_id).limit(limit))
    return [
        EnrichmentView(row.lead_id, row.object_id, row.due_at, row.tries, row.set_aside, row.reason)
        for row in rows
    ]


def _integrations() -> Select[tuple[object, ...]]:
    return select(integrations, users.c.name.label("owner")).join(
        users, users.c.id == integrations.c.owner_id
    )


def _make_integration(row: Row[tuple[object, ...]]) -> IntegrationView:
    is_former_good = row.former_until is not None and row.former_until > now()
    return IntegrationView(
        id=row.id,
        name=row.name,
        slug=row.slug,
        path=f"/hooks/{row.slug}",
        kind=row.kind,
        owner=row.owner,
        owner_id=row.owner_id,
        source=row.source,
        tags=row.tags,
        mapping=row.mapping,
        enabled=row.enabled,
        has_access_token=row.access_token is not None,
        base_url=row.base_url,
        former_secret_until=row.former_until if is_former_good else None,
        created_at=row.created_at,
    )
