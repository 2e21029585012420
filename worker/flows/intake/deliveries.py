"""Deliveries of others' systems: checked, recognized when they come again, and made into leads,
all before they are acknowledged."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar
from urllib.parse import parse_qsl

import orjson
from sqlalchemy.orm import Session

from worker.domain.intake.leads import LeadValues
from worker.domain.intake.parts import (
    DeliveryOutcome,
    DeliveryPart,
    Ignored,
    IncomingLead,
    OutcomeKind,
    PartContent,
)
from worker.domain.intake.senders import find_sender
from worker.domain.intake.senders.sender import is_genuine, read_part, split_delivery
from worker.domain.intake.senders.signing import Call
from worker.errors.intake import BadSignature, UnknownHook, UnreadableDelivery
from worker.flows.intake.capture import store_leads
from worker.flows.intake.owners import describe_inactive, find_owner
from worker.flows.system import System
from worker.flows.unit import Unit
from worker.queue import enqueue
from worker.secret_box import SecretBox
from worker.store.intake import deliveries, enrichment, integrations
from worker.store.intake.deliveries import Delivery, DeliverySource, NewDelivery
from worker.store.intake.integrations import Integration
from worker.store.sql import advisory_locks
from worker.store.sql.advisory_locks import LockKind
from worker.store.sql.clock import now
from worker.store.views.intake import DESCRIBED

logger = logging.getLogger(__name__)

FORM = "application/x-www-form-urlencoded"

UNSIGNED = "it came without a valid signature or secret"

FORMER_KEY_GOOD_FOR = timedelta(seconds=60)
"""For this long a part counts as a repeat of one that came under its former key."""

LONGEST_REFUSAL_KEY_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class PartReceipt:
    """The outcome of a delivery, or of one of its events."""

    __pydantic_config__: ClassVar = DESCRIBED

    id: int
    outcome: OutcomeKind
    """accepted, ignored or invalid."""
    reason: str | None
    """The reason, or another note."""
    leads: tuple[int, ...]
    """The ids of the leads that it made."""
    repeated: bool
    """Whether it came before, and nothing was done this time."""


def deliver(system: System, secret_box: SecretBox, slug: str, call: Call) -> list[PartReceipt]:
    """Stores a delivery to the integration with that slug, and returns the receipt of each part, in
    order. Raises UnknownHook, BadSignature, UnreadableDelivery."""
    with system.reading() as session:
        integration = integrations.find_enabled(session, slug)
    if integration is None:
        raise UnknownHook
    sender = find_sender(integration.kind)
    secrets = [secret_box.open(sealed) for sealed in integration.good_secrets()]
    if not is_genuine(sender, secrets, call):
        _note_refusal(system, integration.id, UNSIGNED)
        raise BadSignature
    try:
        parts = split_delivery(sender, call, _parse(call))
    except UnreadableDelivery as error:
        _note_refusal(system, integration.id, str(error))
        raise
    return system.transact(_store_delivery, integration, parts)


def _parse(call: Call) -> object:
    """The body as JSON, or as a form; None for no body. Raises UnreadableDelivery."""
    if not call.body.strip():
        return None
    if call.text("content-type").partition(";")[0].strip().lower() == FORM:
        return dict(parse_qsl(call.body.decode(errors="replace"), keep_blank_values=True))
    try:
        return orjson.loads(call.body)
    except orjson.JSONDecodeError as error:
        raise UnreadableDelivery(reason=f"it is no JSON: {error}") from None


def _note_refusal(system: System, integration_id: int, reason: str) -> None:
    """Notes a refusal once an hour for each reason, with a count: admins see it, and strangers fill
    no table."""
    key = f"refused {now():%Y-%m-%dT%H} {reason}"[:LONGEST_REFUSAL_KEY_CHARACTERS]
    try:
        source = DeliverySource.integration(integration_id)
        system.transact(_count_refusal, source, key, reason)
    except Exception as error:
        logger.warning(
            "a refusal at integration %d could not be noted: %s",
            integration_id,
            type(error).__name__,
        )


def _count_refusal(session: Session, source: DeliverySource, key: str, reason: str) -> None:
    earlier = deliveries.find(session, source, key)
    if earlier is None:
        outcome = DeliveryOutcome(OutcomeKind.REFUSED, reason)
        deliveries.add(session, source, key, outcome)
    else:
        deliveries.count_repeats(session, [earlier.id])


def _store_delivery(
    unit: Unit, integration: Integration, parts: Sequence[DeliveryPart]
) -> list[PartReceipt]:
    """Stores the new parts with their leads, and counts a repeat for the others."""
    unit.limit_statement_time()
    source = DeliverySource.integration(integration.id)
    known = _find_known(unit, source, parts)
    new = {part.key: part for part in parts if part.key not in known}
    receipts = _store_new(unit, integration, source, list(new.values()))
    if known:
        deliveries.count_repeats(unit, {delivery.id for delivery in known.values()})
    receipts |= {key: _make_receipt(each.id, each.outcome, True) for key, each in known.items()}
    return [receipts[part.key] for part in parts]


def _find_known(
    session: Session, source: DeliverySource, parts: Sequence[DeliveryPart]
) -> dict[str, Delivery]:
    """The earlier delivery of each part that came before, by the part's key."""
    key_by_former = {part.former_key: part.key for part in parts if part.former_key}
    if key_by_former:  # the same body may come twice, just before and after its key changes
        name = f"{source.column} {source.id} {parts[0].key.partition('@')[0]}"
        advisory_locks.lock_exclusive_by_name(session, LockKind.DELIVERY, name)
    keys = [*(part.key for part in parts), *key_by_former]
    found = {each.key: each for each in deliveries.find_all(session, source, keys)}
    earliest = now() - FORMER_KEY_GOOD_FOR
    known = {
        key_by_former[key]: each
        for key, each in found.items()
        if key in key_by_former and each.at > earliest
    }
    return known | {key: each for key, each in found.items() if key not in key_by_former}


def _store_new(
    session: Session,
    integration: Integration,
    source: DeliverySource,
    parts: Sequence[DeliveryPart],
) -> dict[str, PartReceipt]:
    """Stores parts with their leads. Returns the receipts by key."""
    outcomes = store_contents(session, integration, [part.content for part in parts])
    new = [
        NewDelivery(part.key, outcome, orjson.dumps(part.content).decode())
        for part, outcome in zip(parts, outcomes, strict=True)
    ]
    ids = deliveries.add_all(session, source, new)
    return {
        each.key: _make_receipt(delivery_id, each.outcome, False)
        for delivery_id, each in zip(ids, new, strict=True)
    }


def _make_receipt(delivery_id: int, outcome: DeliveryOutcome, repeated: bool) -> PartReceipt:
    return PartReceipt(delivery_id, outcome.kind, outcome.reason, outcome.lead_ids, repeated)


# --- leads ---


def store_contents(
    session: Session, integration: Integration, contents: Sequence[object]
) -> list[DeliveryOutcome]:
    """Stores the leads that parts with that content make, in order, and returns the outcome of each
    part."""
    sender = find_sender(integration.kind)
    parts = [read_part(sender, integration.mapping, content) for content in contents]
    leads = [part for part in parts if isinstance(part, IncomingLead)]
    note, lead_ids = _store_leads(session, integration, leads) if leads else (None, [])
    ids = iter(lead_ids)
    return [_make_outcome(part, ids, note) for part in parts]


def _make_outcome(part: PartContent, ids: Iterator[int], note: str | None) -> DeliveryOutcome:
    if isinstance(part, IncomingLead):
        return DeliveryOutcome(OutcomeKind.ACCEPTED, note, (next(ids),))
    kind = OutcomeKind.IGNORED if isinstance(part, Ignored) else OutcomeKind.INVALID
    return DeliveryOutcome(kind, part.reason)


def _store_leads(
    session: Session, integration: Integration, leads: Sequence[IncomingLead]
) -> tuple[str | None, list[int]]:
    """A note about the leads' owner, if there is something to say, and the ids of the leads."""
    owner = find_owner(session, integration.owner_id)
    values = [_add_labels(integration, lead.values) for lead in leads]
    lead_ids = store_leads(session, owner.id, values, None, waits=owner.is_pool)
    objects = [
        (lead_id, lead.object_id)
        for lead_id, lead in zip(lead_ids, leads, strict=True)
        if lead.object_id is not None
    ]
    if objects:
        enrichment.add(session, integration.id, objects)
        enqueue(session, "enrichments.fetch", integration=integration.id)
    return describe_inactive(owner), lead_ids


def _add_labels(integration: Integration, values: LeadValues) -> LeadValues:
    """The values with the integration's tags, and with its source if the lead has none."""
    tags = list(dict.fromkeys([*values["tags"], *integration.tags]))
    return {**values, "tags": tags, "source": values["source"] or integration.source}
