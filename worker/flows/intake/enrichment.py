"""Enrichment: a lead that came only as a number has its turn at once, and its fields as soon as its
sender gives them.

One task asks one integration's sender for all leads that are due, one after another: a slow sender
holds up one worker, not all.
"""

import time
from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy.orm import Session

from worker import http_client
from worker.domain.intake.enriching import fill_gaps
from worker.domain.intake.leads import LeadValues
from worker.domain.intake.senders import find_sender
from worker.domain.intake.senders.enrichment import (
    EnrichmentSource,
    FetchLater,
    FetchNever,
    FetchResult,
    read_response,
)
from worker.domain.json_content import JsonObject
from worker.domain.records.record_type import RecordType
from worker.errors.records import BadLead
from worker.flows.leases import LEASE_SECONDS, on_lease
from worker.flows.system import System
from worker.queue import enqueue
from worker.secret_box import SecretBox
from worker.store.intake import enrichment, integrations
from worker.store.intake.enrichment import Enrichment
from worker.store.intake.integrations import Integration
from worker.store.records import labels, records
from worker.store.sql.clock import now

PAUSES_SECONDS = (5, 15, 60, 300, 900, 3_600, 10_800, 21_600, 43_200)
"""How long to wait each time that the sender couldn't answer: 22 hours in all. Then the lead's
enrichment is set aside."""

REST_SECONDS = 5.0
"""How long the sender is left alone after it couldn't answer."""

MOST_SECONDS = 20.0
"""After this time a task leaves the rest to another one, to make room for other work."""


def fetch(system: System, secret_box: SecretBox, integration_id: int, holder: str) -> None:
    """Fetches the contacts that are due at an integration, unless another task does so already."""
    end = time.monotonic() + MOST_SECONDS
    while (taken := system.transact(_take, integration_id, holder)) is not None:
        waiting, integration = taken
        with on_lease(system, enrichment.work([waiting.lead_id]), holder):
            result = _ask(secret_box, integration, waiting.object_id)
            system.transact(_settle, waiting, integration, result)
        if time.monotonic() > end:
            system.transact(enqueue, "enrichments.fetch", integration=integration_id)
            return


def _take(
    session: Session, integration_id: int, holder: str
) -> tuple[Enrichment, Integration] | None:
    """Leases the next lead that is due, and finds its integration."""
    integration = integrations.lock(session, integration_id)
    if integration is None or enrichment.is_busy(session, integration_id, holder):
        return None
    waiting = enrichment.take_next(session, integration_id, holder, LEASE_SECONDS)
    return None if waiting is None else (waiting, integration)


def _find_source(integration: Integration) -> EnrichmentSource:
    source = find_sender(integration.kind).enrichment
    assert source is not None, "only leads of senders that give more are noted"
    return source


def _find_paths(integration: Integration) -> Mapping[str, str]:
    return find_sender(integration.kind).list_paths(integration.mapping)


def _ask(secret_box: SecretBox, integration: Integration, object_id: str) -> FetchResult:
    if integration.access_token is None:
        return FetchNever(
            "the integration has no access token: "
            f"`evenhand integration change {integration.slug} --access-token -` gives it one"
        )
    source = _find_source(integration)
    request = source.ask(
        integration.base_url or source.base_url,
        secret_box.open(integration.access_token),
        object_id,
        _find_paths(integration),
    )
    return read_response(source, http_client.fetch(request), object_id)


def _settle(
    session: Session, waiting: Enrichment, integration: Integration, result: FetchResult
) -> None:
    """Stores the sender's answer, or plans another try."""
    if isinstance(result, FetchLater) and waiting.tries < len(PAUSES_SECONDS):
        pause = timedelta(seconds=PAUSES_SECONDS[waiting.tries])
        enrichment.postpone(session, waiting, result.reason, now() + pause)
        enrichment.pause(session, integration.id, now() + timedelta(seconds=REST_SECONDS))
    elif isinstance(result, FetchLater | FetchNever):
        enrichment.abandon(session, waiting.lead_id, result.reason)
    else:
        _read(session, waiting, integration, result)


def _read(
    session: Session, waiting: Enrichment, integration: Integration, content: JsonObject
) -> None:
    source = _find_source(integration)
    try:
        found = source.read(content, waiting.object_id, _find_paths(integration))
    except BadLead as error:
        enrichment.abandon(session, waiting.lead_id, str(error))
        return
    _fill(session, waiting.lead_id, source.placeholder(waiting.object_id), found)
    enrichment.remove(session, waiting.lead_id)


def _fill(session: Session, lead_id: int, placeholder: str, found: LeadValues) -> None:
    """Fills the fields that are empty or hold only the placeholder. A lead that was deleted or
    converted meanwhile stays as it is."""
    lead = records.find_live(session, RecordType.LEAD, lead_id, lock=True)
    if lead is None:
        return
    new = fill_gaps({field: lead.columns[field] for field in found}, found, placeholder)
    if new:
        records.change(session, RecordType.LEAD, lead_id, new)
        labels.register(session, RecordType.LEAD, labels.collect_names([new]), lead.creator_id)
