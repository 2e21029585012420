"""Integrations: through which others' systems bring in leads, and what they delivered."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import BaseModel, Field, SecretStr

from api_stub.control.views import Deliveries, Delivery
from api_stub.deps import Admin, Body, Id, Text, Using, control_router
from api_stub.error_responses import problems
from worker.domain.intake.signatures import KINDS
from worker.domain.storable import GREATEST
from worker.errors.base import InsufficientScope
from worker.errors.intake import (
    BadAddress,
    BadPath,
    BadSecret,
    BadSlug,
    IntegrationExists,
    NotReplayable,
    UnknownDelivery,
    UnknownIntegration,
    UnknownKind,
)
from worker.errors.people import AmbiguousUser, BlankName
from worker.errors.turns import UnknownOwner, WrongPoolType
from worker.flows.intake import deliveries as flow
from worker.flows.intake import integrations
from worker.secret_box import SecretBox, secret_box
from worker.store.intake import deliveries
from worker.store.intake import integrations as store

MOST_DELIVERIES = 200
MOST_LABELS = 100

router = control_router("/api", "integrations")

Vaulted = Annotated[SecretBox, Depends(secret_box)]
Secret = Annotated[SecretStr, Field(max_length=1000)]
Tags = Annotated[
    list[Text], Field(max_length=MOST_LABELS, description="What its leads are tagged with.")
]
Mapping = Annotated[
    dict[Text, Text],
    Field(
        max_length=MOST_LABELS,
        description="Where a delivery has what, beside its kind's usual places: paths by field or custom field; `name` is a full name.",
        examples=[{"last_name": "detail.surname|detail.name"}],
    ),
]
Owner = Annotated[
    Text,
    Field(
        examples=["Inbound"],
        description="Who gets the leads: a pool of leads, or a user by email or name.",
    ),
]


class Integration(BaseModel):
    """Through which another's system brings in leads, without its secrets."""

    id: int
    name: str
    slug: str
    path: str = Field(description="Where its sender posts, behind the scheme and host.")
    kind: str
    owner: str = Field(description="The pool or the user who gets the leads.")
    owner_id: int
    source: str | None
    tags: list[str]
    mapping: dict[str, str] = Field(
        description="Where a delivery has what, beside the usual places of its kind."
    )
    enabled: bool
    has_access_token: bool
    base_url: str | None
    former_secret_until: datetime | None = Field(
        description="Until when the secret before the present one is good."
    )
    created_at: datetime


class Lookup(BaseModel):
    """A lead of which more is still to be fetched from its sender."""

    lead: int
    object_id: str = Field(description="The sender's number of what the lead is about.")
    due_at: datetime = Field(description="When it is tried next.")
    tries: int = Field(description="How often the sender was asked in vain.")
    set_aside: bool = Field(
        description="Whether nobody tries it any more, until somebody retries leads that were set aside."
    )
    reason: str | None


class ShownIntegration(Integration):
    """An integration, and of which leads more is still to be fetched."""

    lookups: list[Lookup] = Field(description="The first hundred.")


class NewIntegration(Body):
    """An integration to set up."""

    name: Text = Field(examples=["Website chat"])
    kind: Text = Field(examples=["standard"], description=f"One of: {', '.join(KINDS)}.")
    secret: Secret = Field(
        description="What the sender signs with, or shows. It is never given out again."
    )
    owner: Owner
    slug: Text | None = Field(
        None, description="The last part of its address; made of the name unless given."
    )
    source: Text | None = Field(
        None, description="The source of its leads, where they bring none themselves."
    )
    tags: Tags = []  # noqa: RUF012
    mapping: Mapping = {}  # noqa: RUF012
    access_token: Secret | None = Field(
        None, description="HubSpot: by which contacts are fetched. It is never given out again."
    )
    base_url: Text | None = Field(
        None, description="HubSpot: where its API is, if not at the usual place."
    )


class ChangedIntegration(Body):
    """What is to be different. What isn't named stays as it is."""

    name: Text = "unchanged"
    owner: Owner = "unchanged"
    source: Text | None = None
    tags: Tags = []  # noqa: RUF012
    mapping: Mapping = {}  # noqa: RUF012
    access_token: Secret | None = None
    base_url: Text | None = None
    enabled: bool = True


class NewSecret(Body):
    """What the sender signs with from now on, or shows."""

    secret: Secret


def slug_of(system: Using, integration_id: Id) -> str:
    """The slug of the integration with that id. Raises UnknownIntegration."""
    with system.reading() as session:
        found = store.with_id(session, integration_id)
    if found is None:
        raise UnknownIntegration(name=integration_id)
    return str(found.slug)


Slug = Annotated[str, Depends(slug_of)]


def _given(body: Body) -> dict[str, Any]:
    """What a body names, with its secrets in the open."""
    named = {
        name: getattr(body, name)
        for name in body.model_fields_set
        if name not in ("kind", "secret", "slug")
    }
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in named.items()
    }


@router.get("/integrations", summary="List integrations", response_model=list[Integration])
def list_integrations(system: Using) -> Any:
    """All, in the order of making, without their secrets."""
    with system.reading() as session:
        return store.every(session)


@router.post(
    "/integrations",
    summary="Set up an integration",
    status_code=201,
    response_model=Integration,
    responses=problems(
        InsufficientScope,
        UnknownOwner,
        IntegrationExists,
        AmbiguousUser,
        BlankName,
        UnknownKind,
        BadSecret,
        BadSlug,
        BadPath,
        BadAddress,
        WrongPoolType,
    ),
)
def add_integration(system: Using, opened: Vaulted, actor: Admin, new: NewIntegration) -> Any:
    """The sender is told its address, `/hooks/` and the slug, and both know the secret."""
    secret, given = new.secret.get_secret_value(), _given(new)
    return system.transact(integrations.add, opened, new.kind, secret, given, new.slug, actor.id)


@router.get(
    "/integrations/{integration_id}",
    summary="Show an integration",
    response_model=ShownIntegration,
    responses=problems(UnknownIntegration),
)
def show_integration(system: Using, slug: Slug) -> Any:
    """An integration without its secrets, and of which leads more is still to be fetched."""
    with system.reading() as session:
        return integrations.show(session, slug)


@router.patch(
    "/integrations/{integration_id}",
    summary="Change an integration",
    response_model=Integration,
    responses=problems(
        InsufficientScope,
        UnknownIntegration,
        UnknownOwner,
        IntegrationExists,
        AmbiguousUser,
        BlankName,
        BadPath,
        BadAddress,
        WrongPoolType,
    ),
)
def change_integration(
    system: Using, opened: Vaulted, _: Admin, slug: Slug, changed: ChangedIntegration
) -> Any:
    """What isn't named stays as it is. One that is not enabled takes nothing in, as if it weren't
    there."""
    return system.transact(integrations.change, opened, slug, _given(changed))


@router.post(
    "/integrations/{integration_id}/rotate",
    summary="Give an integration another secret",
    response_model=Integration,
    responses=problems(InsufficientScope, UnknownIntegration, BadSecret),
)
def rotate_secret(system: Using, opened: Vaulted, _: Admin, slug: Slug, new: NewSecret) -> Any:
    """The one before is good for a day more."""
    return system.transact(integrations.rotate, opened, slug, new.secret.get_secret_value())


@router.get(
    "/integrations/{integration_id}/deliveries",
    summary="List what an integration delivered",
    response_model=Deliveries,
    responses=problems(UnknownIntegration),
)
def list_deliveries(
    system: Using,
    _: Slug,
    integration_id: Id,
    before: Annotated[
        int | None, Query(ge=1, le=GREATEST, description="Those before that delivery only.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_DELIVERIES, description="How many at most.")] = 50,
) -> Any:
    """The deliveries of the last 30 days, newest first, and what became of each."""
    with system.reading() as session:
        return deliveries.page(
            session, deliveries.DeliverySource.integration(integration_id), before, limit
        )


@router.post(
    "/deliveries/{delivery_id}/replay",
    summary="Replay a delivery",
    response_model=Delivery,
    responses=problems(InsufficientScope, UnknownDelivery, NotReplayable),
)
def replay_delivery(system: Using, _: Admin, delivery_id: Id) -> Any:
    """Reads what was kept of it again, by the mapping as it is now. One whose leads are still there
    is refused."""
    return system.transact(flow.replay, delivery_id)
