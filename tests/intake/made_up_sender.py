"""A kind of sender that isn't there: all that another kind needs, in one file."""

from collections.abc import Mapping, Sequence

from worker.domain.intake.mapping import MappedContent, read_lead
from worker.domain.intake.parts import DeliveryPart, Ignored, IncomingLead, PartContent
from worker.domain.intake.senders.keys import number_parts
from worker.domain.intake.senders.sender import Sender
from worker.domain.intake.senders.signing import Call, is_same, sign
from worker.domain.json_content import JsonObject


def _is_signed(call: Call, secret: str) -> bool:
    return is_same(sign(secret, call.body), call.header("x-made-up-signature"))


def _split(call: Call, content: object) -> Sequence[DeliveryPart]:
    return number_parts(call.text("x-made-up-id"), [content])


def _read(content: JsonObject, paths: Mapping[str, str]) -> PartContent:
    if content.get("topic") != "person":
        return Ignored("it is about no person")
    return IncomingLead(read_lead(MappedContent(content, paths)))


MADE_UP = Sender("made-up", _is_signed, _split, _read, {"last_name": "who.family"})
