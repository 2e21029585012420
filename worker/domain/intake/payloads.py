"""What each kind of sender delivers: what of it stands for itself, and whether that is a lead,
something else, or nothing of use."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from worker.domain.intake.mapping import DEFAULTS, Facts, Mapped, lead_of
from worker.domain.intake.signatures import (
    HUBSPOT,
    STANDARD,
    ZAPIER,
    ZENDESK_CHAT,
    ZENDESK_SUPPORT,
    Call,
)
from worker.domain.storable import is_storable
from worker.errors.intake import UnreadableDelivery
from worker.errors.records import BadLead

MOST_PARTS = 1_000
"""How many leads one delivery may bring. HubSpot sends up to 100 events, Zapier rarely more than
one."""

LONGEST_KEY_CHARACTERS = 200

ZAPIER_SECONDS = 60
"""Within so long, the same body from Zapier is a repeat."""

CONTACT = "0-1"
"""HubSpot's number for the type of contacts."""


class Part(NamedTuple):
    """What of a delivery stands for itself: a whole one, or one event or object of several."""

    key: str
    """By which a repeat is known."""
    facts: Any
    former_key: str | None = None
    """Under which it may have come a moment ago, if keys change with the time."""


class Lead(NamedTuple):
    """What is stored of a lead; and under which number the sender knows what more there is to be
    fetched of it, if there is."""

    values: dict[str, Any]
    object_id: str | None = None


class Ignored(NamedTuple):
    """It is about something that makes no lead."""

    reason: str


class Invalid(NamedTuple):
    """It should make a lead, and can't."""

    reason: str


Reading = Lead | Ignored | Invalid


# --- what stands for itself ---


def parts_of(kind: str, call: Call, facts: Any) -> list[Part]:
    """The parts of a delivery, in order, of which each is told apart from all others. Raises
    UnreadableDelivery for too many."""
    several = facts if isinstance(facts, list) and kind in (HUBSPOT, ZAPIER, STANDARD) else [facts]
    if len(several) > MOST_PARTS:
        raise UnreadableDelivery(reason=f"it brings more than {MOST_PARTS:,} leads")
    if kind == HUBSPOT:
        return [Part(_hubspot_key(event), event) for event in several]
    key, former = _key(kind, call)
    if len(several) == 1:
        return [Part(key, several[0], former)]
    return [
        Part(f"{key}#{number}", each, former and f"{former}#{number}")
        for number, each in enumerate(several)
    ]


def _key(kind: str, call: Call) -> tuple[str, str | None]:
    own = {ZENDESK_SUPPORT: "x-zendesk-webhook-invocation-id", ZAPIER: "idempotency-key"}.get(
        kind, "webhook-id"
    )
    if given := call.text(own):
        return _short(given), None
    digest = hashlib.sha256(call.body).hexdigest()
    if kind == ZAPIER:
        minute = int(call.moment // ZAPIER_SECONDS)
        return f"{digest}@{minute}", f"{digest}@{minute - 1}"
    return f"{digest}@{call.text('x-zendesk-webhook-signature-timestamp')[:40]}", None


def _hubspot_key(event: Any) -> str:
    """Neither the number of the attempt nor the batch in which an event comes makes it another."""
    if not isinstance(event, dict):
        return hashlib.sha256(repr(event).encode(errors="replace")).hexdigest()
    return _short(
        "/".join(
            str(event.get(name)) for name in ("subscriptionId", "objectId", "occurredAt", "eventId")
        )
    )


def _short(key: str) -> str:
    """The same key, or its digest where it is too long for an index, or not storable."""
    if len(key) <= LONGEST_KEY_CHARACTERS and is_storable(key):
        return key
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()


# --- what it is ---


def read(kind: str, mapping: Mapping[str, str], facts: Any) -> Reading:
    """What a part is, by the mapping that an admin has given beside the usual one. Nothing that
    can't be read is an error here."""
    if facts is None:
        return Ignored("it has no body")
    if not isinstance(facts, dict):
        return Invalid("it is not a JSON object")
    if (reason := _IGNORED[kind](facts)) is not None:
        return Ignored(reason)
    if kind == HUBSPOT:
        return _hubspot_contact(facts)
    try:
        return Lead(lead_of(_mapped(kind, mapping, facts)))
    except BadLead as error:
        return Invalid(str(error))


def _mapped(kind: str, mapping: Mapping[str, str], facts: Facts) -> Mapped:
    """Names mean fields only where somebody has chosen them, as they do for Zapier, their own
    programs and Zendesk's triggers."""
    inner = {STANDARD: "data", ZENDESK_SUPPORT: "detail"}.get(kind)
    inside = inner if inner and isinstance(facts.get(inner), dict) else None
    by_name = kind in (ZAPIER, STANDARD) or (kind == ZENDESK_SUPPORT and inside is None)
    return Mapped(facts, {**DEFAULTS[kind], **mapping}, inside, by_name)


_EVENT_PREFIX = "zen:event-type:"
_EVENT = re.compile("[a-z_]+(?:[.][a-z_]+)+")
_STAFF = ("agent", "admin")


def _not_for_support(facts: Facts) -> str | None:
    """Events are told apart from the bodies of triggers, which admins write as they like, by how
    they are named."""
    event = next(
        (name for name in _texts(facts.get("type"), facts.get("event")) if _EVENT.fullmatch(name)),
        None,
    )
    if event not in (None, "user.created"):
        return f"it is about {event}, and only user.created makes a lead"
    detail = facts.get("detail")
    if isinstance(detail, dict) and detail.get("role") in _STAFF:
        return f"it is about an {detail['role']} of yours"
    return None


def _texts(*values: Any) -> Iterable[str]:
    return (value.removeprefix(_EVENT_PREFIX) for value in values if isinstance(value, str))


def _not_for_hubspot(event: Facts) -> str | None:
    what = event.get("subscriptionType")
    if what == "contact.creation" or (
        what == "object.creation" and event.get("objectTypeId") == CONTACT
    ):
        return None
    return f"it is about {str(what)[:80]}, and only the creation of a contact makes a lead"


def _hubspot_contact(event: Facts) -> Reading:
    """An event holds no more than the number of a contact: the lead waits in line under a name of
    ours meanwhile."""
    number = str(event.get("objectId"))
    if not re.fullmatch("[0-9]{1,20}", number):
        return Invalid("it has no objectId that is a number")
    return Lead(lead_of(Mapped({"last_name": placeholder(number)}, {}, None, by_name=True)), number)


def placeholder(object_id: str) -> str:
    """The last name of a lead until it is fetched."""
    return f"HubSpot contact {object_id}"


def _never(_: Facts) -> None:
    return None


_IGNORED: Mapping[str, Callable[[Facts], str | None]] = {
    HUBSPOT: _not_for_hubspot,
    ZENDESK_SUPPORT: _not_for_support,
    ZENDESK_CHAT: _never,
    ZAPIER: _never,
    STANDARD: _never,
}
