"""Integrations: set up, changed, given other secrets and found by their names."""

from sqlalchemy.orm import Session

from worker.domain.intake.integrations import (
    IntegrationValues,
    check_slug,
    make_slug,
    normalize_address,
    normalize_name,
    normalize_tags,
)
from worker.domain.intake.mapping import check_mapping
from worker.domain.intake.senders import find_sender
from worker.domain.intake.senders.sender import check_secret
from worker.errors.intake import IntegrationExists, UnknownIntegration
from worker.flows.intake.owners import check_takes_leads
from worker.secret_box import SecretBox
from worker.store.intake import integrations
from worker.store.intake.deliveries import DeliverySource
from worker.store.intake.integrations import Integration
from worker.store.views import intake as views
from worker.store.views import integrations as integration_views
from worker.store.views.intake import DeliveryPage
from worker.store.views.integrations import IntegrationDetails


def add(
    session: Session,
    secret_box: SecretBox,
    kind: str,
    secret: str,
    values: IntegrationValues,
    slug: str | None = None,
    actor_id: int | None = None,
) -> int:
    """The id of a new integration. Its address is /hooks/ and its slug, which is made of its name
    unless one is given.

    Raises UnknownKind, BadSecret, BlankName, BadPath, BadAddress, BadSlug, UnknownOwner,
    WrongPoolType, IntegrationExists.
    """
    check_secret(find_sender(kind), secret)
    columns = _normalize(session, secret_box, {"source": None, "tags": (), "mapping": {}, **values})
    name = normalize_name(values["name"])
    slug = make_slug(name) if slug is None else check_slug(slug)
    for each in (name, slug):
        _check_free(session, each)
    own = {"slug": slug, "kind": kind, "secret": secret_box.seal(secret), "creator_id": actor_id}
    return integrations.add(session, {**columns, **own})


def change(
    session: Session, secret_box: SecretBox, integration_id: int, values: IntegrationValues
) -> None:
    """Changes an integration's values. Raises UnknownIntegration, and as `add` does."""
    integration = find(session, integration_id)
    columns = _normalize(session, secret_box, values)
    if "name" in values:
        name = normalize_name(values["name"])
        if name.lower() != integration.name.lower():
            _check_free(session, name)
    integrations.change(session, integration_id, columns)


def rotate(session: Session, secret_box: SecretBox, integration_id: int, secret: str) -> None:
    """Sets another secret. The present one is good for a day more, so that nothing is refused
    until the sender has the new one. Raises UnknownIntegration, BadSecret."""
    integration = find(session, integration_id)
    check_secret(find_sender(integration.kind), secret)
    integrations.rotate(session, integration, secret_box.seal(secret))


def find(session: Session, integration_id: int) -> Integration:
    """The integration with that id. Raises UnknownIntegration."""
    found = integrations.find(session, integration_id)
    if found is None:
        raise UnknownIntegration(name=integration_id)
    return found


def find_by_name(session: Session, name: str) -> Integration:
    """The integration with that slug or name. Raises UnknownIntegration."""
    found = integrations.find_by_name(session, name.strip())
    if found is None:
        raise UnknownIntegration(name=name)
    return found


def show(session: Session, integration_id: int) -> IntegrationDetails:
    """An integration without its secrets, and the leads whose contacts must still be fetched.
    Raises UnknownIntegration."""
    find(session, integration_id)
    return integration_views.show_integration_details(session, integration_id)


def list_deliveries(
    session: Session, integration_id: int, before: int | None, limit: int
) -> DeliveryPage:
    """An integration's deliveries of the last 30 days, newest first. Raises UnknownIntegration."""
    find(session, integration_id)
    source = DeliverySource.integration(integration_id)
    return views.list_deliveries(session, source, before, limit)


def _normalize(
    session: Session, secret_box: SecretBox, values: IntegrationValues
) -> dict[str, object]:
    """The values as they are stored, by column."""
    columns: dict[str, object] = dict(values)
    if "name" in values:
        columns["name"] = normalize_name(values["name"])
    if "owner_id" in values:
        check_takes_leads(session, values["owner_id"])
    if "tags" in values:
        columns["tags"] = normalize_tags(values["tags"])
    if "mapping" in values:
        columns["mapping"] = check_mapping(values["mapping"])
    if "access_token" in values:
        token = values["access_token"]
        columns["access_token"] = secret_box.seal(token) if token else None
    if "base_url" in values:
        columns["base_url"] = normalize_address(values["base_url"])
    return columns


def _check_free(session: Session, name: str) -> None:
    if integrations.find_by_name(session, name) is not None:
        raise IntegrationExists(name=name)
