"""The description of a kind of sender: the rules for its secret, how it signs, and how its
deliveries become leads."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from worker.domain.intake.parts import DeliveryPart, Ignored, Invalid, PartContent
from worker.domain.intake.senders.enrichment import EnrichmentSource
from worker.domain.intake.senders.signing import Call
from worker.domain.json_content import JsonObject, is_object
from worker.errors.intake import BadSecret, UnreadableDelivery
from worker.errors.records import BadLead

SHORTEST_SECRET_BYTES = 16

MOST_PARTS = 1_000
"""How many leads one delivery may bring. HubSpot sends up to 100 events, Zapier rarely more than
one."""

_BASE64 = re.compile("(?:whsec_)?([A-Za-z0-9+/]+)={0,2}")


@dataclass(frozen=True, slots=True)
class Sender:
    """A kind of sender. To add one, write a file with a `Sender`, and add a line to the registry
    in `worker.domain.intake.senders`."""

    kind: str
    """The name of the kind in the command line, the API and the database: at most 20 characters."""
    is_signed: Callable[[Call, str], bool]
    """Whether that secret signed the call. It compares in constant time."""
    split: Callable[[Call, object], Sequence[DeliveryPart]]
    """The parts of a delivery, from its call and its content, in order."""
    read: Callable[[JsonObject, Mapping[str, str]], PartContent]
    """The function that reads a part, from its content and the paths of fields. Raises BadLead."""
    paths: Mapping[str, str] = field(default_factory=dict)
    """Where the sender puts each field, unless an admin maps it."""
    has_base64_secret: bool = False
    enrichment: EnrichmentSource | None = None
    """Where more is fetched about a lead, for a sender that delivers only a number."""

    def list_paths(self, mapping: Mapping[str, str]) -> dict[str, str]:
        """The paths by field: the sender's own, and the ones that an admin has mapped."""
        return {**self.paths, **mapping}


def is_genuine(sender: Sender, secrets: Sequence[str], call: Call) -> bool:
    """Whether one of the secrets signed the call. It tries every secret, so that the clock doesn't
    tell which one is right."""
    return sum(sender.is_signed(call, secret) for secret in secrets) > 0


def check_secret(sender: Sender, secret: str) -> None:
    """Raises BadSecret for a secret that the sender can't have, or that could be guessed."""
    size = len(secret.encode(errors="replace"))
    if sender.has_base64_secret:
        key = _BASE64.fullmatch(secret)
        if key is None:
            raise BadSecret(reason="must be base64, with or without whsec_ before it")
        size = len(key[1]) * 3 // 4
    if size < SHORTEST_SECRET_BYTES or secret != secret.strip() or not secret.isprintable():
        raise BadSecret(
            reason=f"must have {SHORTEST_SECRET_BYTES} bytes or more, and no spaces around it"
        )


def split_delivery(sender: Sender, call: Call, content: object) -> Sequence[DeliveryPart]:
    """The parts of a delivery, in order, each with a key of its own. Raises UnreadableDelivery for
    too many parts."""
    parts = sender.split(call, content)
    if len(parts) > MOST_PARTS:
        raise UnreadableDelivery(reason=f"it brings more than {MOST_PARTS:,} leads")
    return parts


def read_part(sender: Sender, mapping: Mapping[str, str], content: object) -> PartContent:
    """Reads a part by the sender's paths and an admin's mapping. A part that can't be read is
    Invalid, and no error."""
    if content is None:
        return Ignored("it has no body")
    if not is_object(content):
        return Invalid("it is not a JSON object")
    try:
        return sender.read(content, sender.list_paths(mapping))
    except BadLead as error:
        return Invalid(str(error))
