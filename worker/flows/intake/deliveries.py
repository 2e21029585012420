"""Deliveries: what others' systems hand in is checked, known again, and becomes leads, all before
it is answered for."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import orjson
from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.domain.intake.payloads import (
    ZAPIER_SECONDS,
    Ignored,
    Lead,
    Part,
    Reading,
    parts_of,
    read,
)
from worker.domain.intake.signatures import Call, is_genuine
from worker.errors.intake import (
    BadSignature,
    NotReplayable,
    UnknownDelivery,
    UnknownHook,
    UnreadableDelivery,
)
from worker.flows.intake.capture import accept_for
from worker.flows.system import System
from worker.queue import enqueue
from worker.secret_box import SecretBox
from worker.store.intake import deliveries, enrichment, integrations
from worker.store.intake.deliveries import (
    ACCEPTED,
    IGNORED,
    INVALID,
    REFUSED,
    Became,
    DeliverySource,
)
from worker.store.people import users
from worker.store.records import conversions, records
from worker.store.sql import advisory_locks, engine
from worker.store.sql.advisory_locks import LockKind
from worker.store.sql.clock import now
from worker.store.turns import pools
from worker.store.views.facts import Facts

logger = logging.getLogger(__name__)

FORM = "application/x-www-form-urlencoded"

UNSIGNED = "it came without a valid signature or secret"


def deliver(system: System, secret_box: SecretBox, slug: str, call: Call) -> list[Facts]:
    """What became of each part of a delivery, in order, once all is stored. Raises UnknownHook,
    BadSignature, UnreadableDelivery."""
    with system.reading() as session:
        integration = integrations.enabled(session, slug)
    if integration is None:
        raise UnknownHook
    if not is_genuine(
        integration.kind, list(map(secret_box.open, integrations.secrets_of(integration))), call
    ):
        _note_refusal(system, integration, UNSIGNED)
        raise BadSignature
    try:
        parts = parts_of(integration.kind, call, _facts(call))
    except UnreadableDelivery as error:
        _note_refusal(system, integration, str(error))
        raise
    return system.transact(_take_in, integration=integration, parts=parts)


def _facts(call: Call) -> Any:
    """The body as JSON, or as a form; None for no body at all. Raises UnreadableDelivery."""
    if not call.body.strip():
        return None
    if call.text("content-type").partition(";")[0].strip().lower() == FORM:
        return dict(parse_qsl(call.body.decode(errors="replace"), keep_blank_values=True))
    try:
        return orjson.loads(call.body)
    except orjson.JSONDecodeError as error:
        raise UnreadableDelivery(reason=f"it is no JSON: {error}") from None


def _note_refusal(system: System, integration: Row[Any], reason: str) -> None:
    """An admin sees that something was refused, and how often; but strangers fill no table: of each
    reason there is one an hour."""
    source, hour = DeliverySource.integration(integration.id), now().strftime("%Y-%m-%dT%H")
    try:
        system.transact(
            _count_refusal, source=source, key=f"refused {hour} {reason}"[:300], reason=reason
        )
    except Exception as error:
        logger.warning(
            "a refusal at integration %d could not be noted: %s",
            integration.id,
            type(error).__name__,
        )


def _count_refusal(session: Session, source: DeliverySource, key: str, reason: str) -> None:
    earlier = deliveries.find(session, source, key)
    if earlier is None:
        deliveries.add(session, source, key, Became(REFUSED, reason))
    else:
        deliveries.count_repeat(session, earlier.id)


def _take_in(session: Session, integration: Row[Any], parts: Sequence[Part]) -> list[Facts]:
    """Stores the parts that are new, with their leads. Repeats are counted, and do nothing."""
    engine.limit_statement_time(session)
    source = DeliverySource.integration(integration.id)
    known = _known(session, source, parts)
    new = {part.key: part for part in parts if part.key not in known}
    became = _store(
        session,
        integration,
        [read(integration.kind, integration.mapping, part.facts) for part in new.values()],
    )
    rows = [
        (key, each, orjson.dumps(part.facts).decode())
        for (key, part), each in zip(new.items(), became, strict=True)
    ]
    ids = deliveries.add_all(session, source, rows)
    if known:
        deliveries.count_repeat(session, *{row.id for row in known.values()})
    fresh = {
        key: _shown(delivery_id, each)
        for key, delivery_id, each in zip(new, ids, became, strict=True)
    }
    return [fresh.get(part.key) or _repeated(known[part.key]) for part in parts]


def _known(session: Session, source: DeliverySource, parts: Sequence[Part]) -> dict[str, Row[Any]]:
    """The earlier delivery of each part that came before."""
    former = {part.former_key: part.key for part in parts if part.former_key}
    if former:
        advisory_locks.exclusive_by_name(
            session, LockKind.DELIVERY, f"{source} {parts[0].key.partition('@')[0]}"
        )  # two may come around the full minute
    found = deliveries.known(session, source, [*(part.key for part in parts), *former])
    lately = now() - timedelta(seconds=ZAPIER_SECONDS)
    earlier = {former[key]: row for key, row in found.items() if key in former and row.at > lately}
    return earlier | {key: row for key, row in found.items() if key not in former}


def _shown(delivery_id: int, became: Became) -> Facts:
    facts = {"id": delivery_id, "outcome": became.outcome, "reason": became.reason}
    return facts | {"leads": list(became.lead_ids), "repeated": False}


def _repeated(delivery: Row[Any]) -> Facts:
    facts = {name: getattr(delivery, name) for name in ("id", "outcome", "reason")}
    return facts | {"leads": delivery.lead_ids, "repeated": True}


# --- leads ---


def _store(session: Session, integration: Row[Any], readings: Sequence[Reading]) -> list[Became]:
    """Stores the leads among the readings, in order, and says what became of each."""
    leads = [reading for reading in readings if isinstance(reading, Lead)]
    note, lead_ids = _accept(session, integration, leads) if leads else (None, [])
    ids = iter(lead_ids)
    return [_became(reading, ids, note) for reading in readings]


def _became(reading: Reading, ids: Iterator[int], note: str | None) -> Became:
    if isinstance(reading, Lead):
        return Became(ACCEPTED, note, [next(ids)])
    return Became(IGNORED if isinstance(reading, Ignored) else INVALID, reading.reason)


def _accept(
    session: Session, integration: Row[Any], leads: Sequence[Lead]
) -> tuple[str | None, list[int]]:
    """The ids of the leads; and what there is to say of their owner, if anything."""
    owner = users.by_id(session, [integration.owner_id])[integration.owner_id]
    values = [_with_labels(integration, lead.values) for lead in leads]
    lead_ids = accept_for(session, owner.id, values, None, waits=owner.is_pool)
    objects = [
        (lead_id, lead.object_id)
        for lead_id, lead in zip(lead_ids, leads, strict=True)
        if lead.object_id is not None
    ]
    if objects:
        enrichment.add(session, integration.id, objects)
        enqueue(session, "lookups.fetch", integration=integration.id)
    return _why_not(session, owner), lead_ids


def _with_labels(integration: Row[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    tags = list(dict.fromkeys([*values["tags"], *integration.tags]))
    return {**values, "tags": tags, "source": values["source"] or integration.source}


def _why_not(session: Session, owner: Row[Any]) -> str | None:
    """What an admin must know who has the leads of an owner that is no more."""
    if owner.is_pool and pools.with_id(session, owner.id) is None:
        return f"the pool {owner.name} is deleted: its leads wait until they are given to somebody"
    if not owner.is_active and not owner.is_pool:
        return f"{owner.name}, who owns the leads, is deactivated"
    return None


# --- replaying ---


def replay(session: Session, delivery_id: int) -> Facts:
    """Reads a delivery again, by the mapping as it is now. Raises UnknownDelivery, and
    NotReplayable for one that has made leads which are still there."""
    delivery = deliveries.hold(session, delivery_id)
    if delivery is None:
        raise UnknownDelivery(delivery_id=delivery_id)
    _check_replayable(session, delivery)
    integration = integrations.with_id(session, delivery.integration_id)
    assert integration is not None
    [became] = _store(
        session,
        integration,
        [read(integration.kind, integration.mapping, orjson.loads(delivery.body))],
    )
    deliveries.change(session, delivery_id, became)
    return deliveries.facts(deliveries.hold(session, delivery_id) or delivery)


def _check_replayable(session: Session, delivery: Row[Any]) -> None:
    reason = None
    if delivery.integration_id is None:
        reason = "it came through a form"
    elif delivery.body is None:
        reason = "nothing of it was kept, because it was refused"
    elif there := [lead_id for lead_id in delivery.lead_ids if _is_there(session, lead_id)]:
        reason = f"it made lead {there[0]}, which is still there; delete that first"
    if reason:
        raise NotReplayable(delivery_id=delivery.id, reason=reason)


def _is_there(session: Session, lead_id: int) -> bool:
    """Whether the lead, or what it was converted into, is not deleted."""
    return (
        records.live(session, "lead", lead_id) is not None
        or conversions.of_lead(session, lead_id) is not None
    )
