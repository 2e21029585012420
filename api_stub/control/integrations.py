"""Integrations: through which others' systems deliver leads, and their deliveries."""

from typing import Annotated, cast

from fastapi import Query
from pydantic import Field, SecretStr

from api_stub.deps import Admin, Body, Id, Sealing, Text, Using, make_control_router
from api_stub.error_responses import document_errors
from worker.domain.intake.integrations import IntegrationValues
from worker.domain.intake.senders import SENDERS
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
from worker.flows.intake import integrations
from worker.flows.intake.read_again import read_again
from worker.flows.names import find_owner_by_name
from worker.flows.unit import Unit
from worker.store.views import integrations as views
from worker.store.views.intake import DeliveryPage, DeliveryView, show_delivery
from worker.store.views.integrations import IntegrationDetails, IntegrationView

MOST_DELIVERIES = 200
MOST_LABELS = 100

router = make_control_router("/api", "integrations")

SecretText = Annotated[SecretStr, Field(max_length=1000)]
Tags = Annotated[list[Text], Field(max_length=MOST_LABELS, description="The tags of its leads.")]
Mapping = Annotated[
    dict[Text, Text],
    Field(
        max_length=MOST_LABELS,
        description="Where a delivery has what, besides its kind's usual places: paths by field or "
        "custom field; `name` is a full name. A path is names with dots between, and `|` between "
        "places; or JMESPath.",
        examples=[{"last_name": "detail.surname|detail.name"}],
    ),
]
IntegrationOwner = Annotated[
    Text,
    Field(
        examples=["Inbound"],
        description="Who gets the leads: a pool of leads, or a user by email or name.",
    ),
]


class NewIntegration(Body):
    """An integration to set up."""

    name: Text = Field(examples=["Website chat"])
    kind: Text = Field(examples=["standard"], description=f"One of: {', '.join(SENDERS)}.")
    secret: SecretText = Field(
        description="What the sender signs with, or shows. It is never given out again."
    )
    owner: IntegrationOwner
    slug: Text | None = Field(
        None, description="The last part of its address; made of the name unless given."
    )
    source: Text | None = Field(
        None, description="The source of its leads, where they bring none themselves."
    )
    tags: Tags = []  # noqa: RUF012
    mapping: Mapping = {}  # noqa: RUF012
    access_token: SecretText | None = Field(
        None,
        description="HubSpot: the token with which contacts are fetched. "
        "It is never given out again.",
    )
    base_url: Text | None = Field(
        None, description="HubSpot: where its API is, if not at the usual place."
    )


class ChangedIntegration(Body):
    """Changes. Values that aren't named stay as they are."""

    name: Text = "unchanged"
    owner: IntegrationOwner = "unchanged"
    source: Text | None = None
    tags: Tags = []  # noqa: RUF012
    mapping: Mapping = {}  # noqa: RUF012
    access_token: SecretText | None = None
    base_url: Text | None = None
    enabled: bool = True


class NewSecret(Body):
    """The secret that the sender signs with, or shows, from now on."""

    secret: SecretText


_REFUSALS = (
    InsufficientScope,
    UnknownOwner,
    IntegrationExists,
    AmbiguousUser,
    BlankName,
    BadPath,
    BadAddress,
    WrongPoolType,
)


@router.get("/integrations", summary="List integrations")
def list_integrations(system: Using) -> list[IntegrationView]:
    """All, in the order of creation, without their secrets."""
    with system.reading() as unit:
        return views.list_integrations(unit)


@router.post(
    "/integrations",
    summary="Set up an integration",
    status_code=201,
    responses=document_errors(*_REFUSALS, UnknownKind, BadSecret, BadSlug),
)
def add_integration(
    system: Using, sealing: Sealing, actor: Admin, new: NewIntegration
) -> IntegrationView:
    """Tell the sender its address, `/hooks/` and the slug. Both sides know the secret."""

    def add(unit: Unit) -> IntegrationView:
        secret, values = new.secret.get_secret_value(), _read_values(unit, new)
        added = integrations.add(unit, sealing, new.kind, secret, values, new.slug, actor.id)
        return views.show_integration(unit, added)

    return system.transact(add)


@router.get(
    "/integrations/{integration_id}",
    summary="Show an integration",
    responses=document_errors(UnknownIntegration),
)
def show_integration(system: Using, integration_id: Id) -> IntegrationDetails:
    """An integration without its secrets, and the leads whose contacts must still be fetched."""
    with system.reading() as unit:
        return integrations.show(unit, integration_id)


@router.patch(
    "/integrations/{integration_id}",
    summary="Change an integration",
    responses=document_errors(UnknownIntegration, *_REFUSALS),
)
def change_integration(
    system: Using, sealing: Sealing, _: Admin, integration_id: Id, changed: ChangedIntegration
) -> IntegrationView:
    """Values that aren't named stay as they are. A disabled integration accepts nothing, as if it
    weren't there."""

    def change(unit: Unit) -> IntegrationView:
        integrations.change(unit, sealing, integration_id, _read_values(unit, changed))
        return views.show_integration(unit, integration_id)

    return system.transact(change)


@router.post(
    "/integrations/{integration_id}/rotate",
    summary="Give an integration another secret",
    responses=document_errors(InsufficientScope, UnknownIntegration, BadSecret),
)
def rotate_secret(
    system: Using, sealing: Sealing, _: Admin, integration_id: Id, new: NewSecret
) -> IntegrationView:
    """The secret before is good for a day more."""

    def rotate(unit: Unit) -> IntegrationView:
        integrations.rotate(unit, sealing, integration_id, new.secret.get_secret_value())
        return views.show_integration(unit, integration_id)

    return system.transact(rotate)


@router.get(
    "/integrations/{integration_id}/deliveries",
    summary="List what an integration delivered",
    responses=document_errors(UnknownIntegration),
)
def list_deliveries(
    system: Using,
    integration_id: Id,
    before: Annotated[
        int | None, Query(ge=1, le=GREATEST, description="Those before that delivery only.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_DELIVERIES, description="How many at most.")] = 50,
) -> DeliveryPage:
    """The deliveries of the last 30 days, newest first, with their outcomes."""
    with system.reading() as unit:
        return integrations.list_deliveries(unit, integration_id, before, limit)


@router.post(
    "/deliveries/{delivery_id}/replay",
    summary="Replay a delivery",
    responses=document_errors(InsufficientScope, UnknownDelivery, NotReplayable),
)
def replay_delivery(system: Using, _: Admin, delivery_id: Id) -> DeliveryView:
    """Reads the stored delivery again, by the mapping as it is now. A delivery whose leads are
    still there is refused."""

    def replay_and_show(unit: Unit) -> DeliveryView:
        read_again(unit, delivery_id)
        return show_delivery(unit, delivery_id)

    return system.transact(replay_and_show)


def _read_values(unit: Unit, body: NewIntegration | ChangedIntegration) -> IntegrationValues:
    """The values that a body names, with the owner's id for the name, and the access token in the
    open."""
    plain = {"name", "source", "tags", "mapping", "base_url", "enabled"}
    named = body.model_dump(include=plain & body.model_fields_set)
    values = cast("IntegrationValues", named)
    if "owner" in body.model_fields_set:
        values["owner_id"] = find_owner_by_name(unit, body.owner).id
    if "access_token" in body.model_fields_set:
        token = body.access_token
        values["access_token"] = None if token is None else token.get_secret_value()
    return values
