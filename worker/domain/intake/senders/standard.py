"""Anything that follows Standard Webhooks. Source: its specification, version 1."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

from worker.domain.intake.mapping import MappedContent, read_lead
from worker.domain.intake.parts import DeliveryPart, IncomingLead
from worker.domain.intake.senders.keys import as_list, digest, number_parts, shorten
from worker.domain.intake.senders.sender import Sender
from worker.domain.intake.senders.signing import Call, is_recent, is_same
from worker.domain.json_content import JsonObject

_SECONDS = re.compile("[0-9]{1,12}")


def is_signed(call: Call, secret: str) -> bool:
    """Whether one of the call's signatures, which spaces separate, is the secret's. The package of
    Standard Webhooks signs; we compare, because it would take other spellings of a signature."""
    message, time = call.text("webhook-id"), call.text("webhook-timestamp")
    if not message or not _SECONDS.fullmatch(time) or not is_recent(int(time), call):
        return False
    try:
        expected = Webhook(secret).sign(
            message, datetime.fromtimestamp(int(time), UTC), call.body.decode()
        )
    except UnicodeDecodeError:
        return False
    shown = call.header("webhook-signature").split(b" ")
    return sum(is_same(expected, signature) for signature in shown) > 0


def find_key(call: Call) -> str:
    """The key of a delivery: the message's id, or else its body."""
    return shorten(call.text("webhook-id")) or f"{digest(call.body)}@"


def _split(call: Call, content: object) -> Sequence[DeliveryPart]:
    return number_parts(find_key(call), as_list(content))


def _read(content: JsonObject, paths: Mapping[str, str]) -> IncomingLead:
    inside = "data" if isinstance(content.get("data"), dict) else None
    return IncomingLead(read_lead(MappedContent(content, paths, inside, names_are_fields=True)))


STANDARD = Sender("standard", is_signed, _split, _read, has_base64_secret=True)
