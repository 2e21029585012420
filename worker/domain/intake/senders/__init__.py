"""Every kind of sender, one line each."""

from worker.domain.intake.senders.hubspot import HUBSPOT
from worker.domain.intake.senders.sender import Sender
from worker.domain.intake.senders.standard import STANDARD
from worker.domain.intake.senders.zapier import ZAPIER
from worker.domain.intake.senders.zendesk_chat import ZENDESK_CHAT
from worker.domain.intake.senders.zendesk_support import ZENDESK_SUPPORT
from worker.errors.intake import UnknownKind

SENDERS: dict[str, Sender] = {
    sender.kind: sender
    for sender in (
        HUBSPOT,
        ZENDESK_SUPPORT,
        ZENDESK_CHAT,
        ZAPIER,
        STANDARD,
    )
}


def find_sender(kind: str) -> Sender:
    """The sender of that kind. Raises UnknownKind."""
    if kind not in SENDERS:
        raise UnknownKind(name=kind, kinds=", ".join(SENDERS))
    return SENDERS[kind]
