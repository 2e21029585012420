"""Zendesk Chat. It follows Standard Webhooks."""

from collections.abc import Mapping, Sequence

from worker.domain.intake.mapping import FULL_NAME, MappedContent, read_lead
from worker.domain.intake.parts import DeliveryPart, IncomingLead
from worker.domain.intake.senders.keys import number_parts
from worker.domain.intake.senders.sender import Sender
from worker.domain.intake.senders.signing import Call
from worker.domain.intake.senders.standard import find_key, is_signed
from worker.domain.json_content import JsonObject
from worker.domain.records.fields import TAGS

PATHS = {
    FULL_NAME: "visitor.name|visitor.email",
    "email": "visitor.email",
    "phone": "visitor.phone",
    "description": "message|visitor.notes",
    TAGS: "tags",
}


def _split(call: Call, content: object) -> Sequence[DeliveryPart]:
    return number_parts(find_key(call), [content])


def _read(content: JsonObject, paths: Mapping[str, str]) -> IncomingLead:
    return IncomingLead(read_lead(MappedContent(content, paths)))


ZENDESK_CHAT = Sender("zendesk-chat", is_signed, _split, _read, PATHS, has_base64_secret=True)
