"""Zapier. It signs nothing, and sends one object or a list of them."""

import base64
from collections.abc import Iterator, Mapping, Sequence

from worker.domain.intake.mapping import MappedContent, read_lead
from worker.domain.intake.parts import DeliveryPart, IncomingLead
from worker.domain.intake.senders.keys import as_list, digest, number_parts, shorten
from worker.domain.intake.senders.sender import Sender
from worker.domain.intake.senders.signing import Call, is_same
from worker.domain.json_content import JsonObject

REPEAT_SECONDS = 60
"""Within this time the same body is a repeat."""


def _is_signed(call: Call, secret: str) -> bool:
    """Zapier shows the secret itself, in a header or as the password of HTTP Basic."""
    return sum(is_same(secret, shown) for shown in _find_secrets(call)) > 0


def _find_secrets(call: Call) -> Iterator[bytes]:
    yield call.header("x-evenhand-secret")
    scheme, _, credentials = call.header("authorization").partition(b" ")
    if scheme.lower() == b"basic":
        try:
            yield base64.b64decode(credentials.strip(), validate=True).partition(b":")[2]
        except ValueError:
            return


def _split(call: Call, content: object) -> Sequence[DeliveryPart]:
    """A delivery without a key of its own is known by its body for a minute."""
    if key := call.text("idempotency-key"):
        return number_parts(shorten(key), as_list(content))
    body, minute = digest(call.body), int(call.moment // REPEAT_SECONDS)
    return number_parts(f"{body}@{minute}", as_list(content), f"{body}@{minute - 1}")


def _read(content: JsonObject, paths: Mapping[str, str]) -> IncomingLead:
    return IncomingLead(read_lead(MappedContent(content, paths, names_are_fields=True)))


ZAPIER = Sender("zapier", _is_signed, _split, _read)
