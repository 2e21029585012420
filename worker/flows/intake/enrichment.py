"""Lookups: a lead that came as no more than a number has its turn at once, and its fields as soon
as its sender tells them.

One task asks for all that is due at one integration, one after another: a sender that is slow holds
up one worker, not all.
"""

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker import hubspot
from worker.domain.intake.leads import CUSTOM
from worker.domain.intake.mapping import DEFAULTS, Mapped, lead_of
from worker.domain.intake.payloads import placeholder
from worker.domain.intake.signatures import HUBSPOT
from worker.domain.records.fields import TAGS
from worker.domain.records.record_type import RecordType
from worker.errors.records import BadLead
from worker.flows.leases import LEASE_SECONDS, on_lease
from worker.flows.system import System
from worker.hubspot import Answer, Later, Never
from worker.queue import enqueue
from worker.secret_box import SecretBox
from worker.store.intake import enrichment, integrations
from worker.store.records import labels, records
from worker.store.sql.clock import now

PAUSES_SECONDS = (5, 15, 60, 300, 900, 3_600, 10_800, 21_600, 43_200)
"""How long is waited after each time that the sender could not tell: 22 hours in all. Then the
lookup is set aside."""

REST_SECONDS = 5.0
"""How long the sender is asked for nothing else after it could not tell."""

MOST_SECONDS = 20.0
"""After so long a task makes room for others, and leaves the rest to another of its kind."""

PROPERTIES = "properties."


def fetch(system: System, secret_box: SecretBox, integration_id: int, holder: str) -> None:
    """Fetches what is due at an integration, unless somebody else is on it."""
    end = time.monotonic() + MOST_SECONDS
    while (
        taken := system.transact(_take, integration_id=integration_id, holder=holder)
    ) is not None:
        lookup, integration = taken
        with on_lease(system, enrichment.work([lookup.lead_id]), holder):
            answer = _ask(secret_box, integration, lookup.object_id)
            system.transact(_settle, lookup=lookup, integration=integration, answer=answer)
        if time.monotonic() > end:
            system.transact(enqueue, "lookups.fetch", integration=integration_id)
            return


def _take(session: Session, integration_id: int, holder: str) -> tuple[Row[Any], Row[Any]] | None:
    """The next lookup, on lease, and its integration."""
    integration = integrations.with_id(session, integration_id, lock=True)
    if integration is None or enrichment.someone_is_on(session, integration_id, holder):
        return None
    lookup = enrichment.take_next(session, integration_id, holder, LEASE_SECONDS)
    return None if lookup is None else (lookup, integration)


def _ask(secret_box: SecretBox, integration: Row[Any], object_id: str) -> Answer:
    if integration.access_token is None:
        return Never(
            f"the integration has no access token: `evenhand integration change {integration.slug} --access-token -` gives it one"
        )
    wanted = [
        place.removeprefix(PROPERTIES)
        for place in _places(integration)
        if place.startswith(PROPERTIES)
    ]
    return hubspot.contact(
        integration.base_url, secret_box.open(integration.access_token), object_id, wanted
    )


def _paths(integration: Row[Any]) -> Mapping[str, str]:
    return {**DEFAULTS[HUBSPOT], **integration.mapping}


def _places(integration: Row[Any]) -> list[str]:
    return list(
        dict.fromkeys(
            place.strip() for path in _paths(integration).values() for place in path.split("|")
        )
    )


def _settle(session: Session, lookup: Row[Any], integration: Row[Any], answer: Answer) -> None:
    if isinstance(answer, Later) and lookup.tries < len(PAUSES_SECONDS):
        enrichment.postpone(
            session, lookup, answer.reason, now() + timedelta(seconds=PAUSES_SECONDS[lookup.tries])
        )
        enrichment.rest(session, integration.id, now() + timedelta(seconds=REST_SECONDS))
    elif isinstance(answer, Later | Never):
        enrichment.give_up(session, lookup.lead_id, answer.reason)
    else:
        _fill(session, lookup, integration, answer)


def _fill(
    session: Session, lookup: Row[Any], integration: Row[Any], contact: dict[str, Any]
) -> None:
    """Fills what nobody has filled since. A lead that was deleted or converted meanwhile stays as
    it is."""
    try:
        found = lead_of(_mapped(lookup, integration, contact))
    except BadLead as error:
        enrichment.give_up(session, lookup.lead_id, str(error))
        return
    lead = records.find_live(session, RecordType.LEAD, lookup.lead_id, lock=True)
    new = {} if lead is None else _unedited(lead.columns, lookup.object_id, found)
    if new:
        records.change(session, RecordType.LEAD, lookup.lead_id, new)
        labels.register(
            session, RecordType.LEAD, labels.collect_names([new]), lead.creator_id if lead else None
        )
    enrichment.remove(session, lookup.lead_id)


def _mapped(lookup: Row[Any], integration: Row[Any], contact: dict[str, Any]) -> Mapped:
    """A contact without a name keeps its placeholder."""
    paths, facts = (
        _paths(integration),
        {"properties": contact.get("properties"), "placeholder": placeholder(lookup.object_id)},
    )
    return Mapped(
        facts,
        {**paths, "last_name": f"{paths['last_name']}|placeholder"},
        "properties",
        by_name=False,
    )


def _unedited(
    stored: Mapping[str, Any], object_id: str, found: Mapping[str, Any]
) -> dict[str, Any]:
    """What of the contact's fields goes where there is nothing, or no more than the placeholder."""
    new = {
        field: value
        for field, value in found.items()
        if value and field not in (TAGS, CUSTOM) and stored[field] is None
    }
    if stored["last_name"] == placeholder(object_id) and found["last_name"] != stored["last_name"]:
        new["last_name"] = found["last_name"]
    if tags := [tag for tag in found.get(TAGS, ()) if tag not in stored["tags"]]:
        new[TAGS] = [*stored["tags"], *tags]
    if custom := {
        name: value
        for name, value in found.get(CUSTOM, {}).items()
        if name not in stored["custom_fields"]
    }:
        new[CUSTOM] = stored["custom_fields"] | custom
    return new
