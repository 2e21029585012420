"""Zendesk Support: its events, and the bodies of triggers that admins write themselves."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from worker.domain.intake.mapping import FULL_NAME, MappedContent, read_lead
from worker.domain.intake.parts import DeliveryPart, Ignored, IncomingLead
from worker.domain.intake.senders.keys import digest, number_parts, shorten
from worker.domain.intake.senders.sender import Sender
from worker.domain.intake.senders.signing import Call, is_recent, is_same, sign
from worker.domain.json_content import JsonObject, is_object
from worker.domain.records.fields import TAGS

_PLAIN_FIELDS = ("first_name", "last_name", "organization_name", "email", "phone")

PATHS = {field: field for field in _PLAIN_FIELDS} | {
    FULL_NAME: "detail.name|requester.name|ticket.requester.name|requester_name|name|detail.email",
    "email": "detail.email|requester.email|ticket.requester.email|requester_email|email",
    "phone": "detail.phone|requester.phone|ticket.requester.phone|requester_phone|phone",
    "description": "detail.notes|description|ticket.description",
    TAGS: "detail.tags|tags|ticket.tags",
}

_TIME = "x-zendesk-webhook-signature-timestamp"
_LONGEST_TIME_CHARACTERS = 40

_EVENT_PREFIX = "zen:event-type:"
_EVENT = re.compile("[a-z_]+(?:[.][a-z_]+)+")
_NEW_USER = "user.created"
_STAFF = ("agent", "admin")


def _is_signed(call: Call, secret: str) -> bool:
    """Zendesk signs the time as it writes it (ISO 8601), and the body. Source: Zendesk's "Verifying
    the authenticity of a webhook request"."""
    time = call.header(_TIME)
    expected = sign(secret, time + call.body)
    return is_same(expected, call.header("x-zendesk-webhook-signature")) and is_recent(
        _read_seconds(time), call
    )


def _read_seconds(time: bytes) -> float:
    """Seconds since 1970; minus infinity for a text that is no moment."""
    try:
        moment = datetime.fromisoformat(time.decode("ascii"))
    except ValueError:
        return float("-inf")
    return moment.timestamp() if moment.tzinfo else float("-inf")


def _split(call: Call, content: object) -> Sequence[DeliveryPart]:
    """Zendesk keeps the invocation id when it tries again."""
    key = shorten(call.text("x-zendesk-webhook-invocation-id"))
    time = call.text(_TIME)[:_LONGEST_TIME_CHARACTERS]
    return number_parts(key or f"{digest(call.body)}@{time}", [content])


def _read(content: JsonObject, paths: Mapping[str, str]) -> IncomingLead | Ignored:
    """In the body of a trigger names mean fields, because an admin chose them."""
    if (reason := _explain_ignored(content)) is not None:
        return Ignored(reason)
    inside = "detail" if is_object(content.get("detail")) else None
    mapped = MappedContent(content, paths, inside, names_are_fields=inside is None)
    return IncomingLead(read_lead(mapped))


def _explain_ignored(content: JsonObject) -> str | None:
    """Why the content is no new user of the kind that is a lead; None if it may be one."""
    event = next((name for name in _find_names(content) if _EVENT.fullmatch(name)), _NEW_USER)
    if event != _NEW_USER:
        return f"it is about {event}, and only {_NEW_USER} makes a lead"
    detail = content.get("detail")
    if is_object(detail) and detail.get("role") in _STAFF:
        return f"it is about an {detail['role']} of yours"
    return None


def _find_names(content: JsonObject) -> Iterator[str]:
    """A text that may be the name of an event."""
    for value in (content.get("type"), content.get("event")):
        if isinstance(value, str):
            yield value.removeprefix(_EVENT_PREFIX)


ZENDESK_SUPPORT = Sender("zendesk-support", _is_signed, _split, _read, PATHS)
