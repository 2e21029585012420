"""Calls and the ways to check their signatures that several senders share.

Every comparison takes the same time, no matter where the texts differ: the time doesn't tell an
attacker how near a guess was."""

import base64
import hmac
from collections.abc import Mapping
from typing import NamedTuple

TOLERANCE_SECONDS = 300
"""How far a signature's time may be from ours, either way. HubSpot and Standard Webhooks say so;
Zendesk names none."""


class Call(NamedTuple):
    """A delivery as it came."""

    method: str
    uri: str
    """The whole address, as the sender called it."""
    headers: Mapping[str, bytes]
    """By names in lower case."""
    body: bytes
    moment: float
    """When it came, in seconds since 1970."""

    def header(self, name: str) -> bytes:
        """The header's bytes; empty for a header that is missing."""
        return self.headers.get(name, b"")

    def text(self, name: str) -> str:
        """The header as text; empty for a header that is missing."""
        return self.header(name).decode("latin-1")


def is_recent(seconds: float, call: Call) -> bool:
    """Whether a signature's time, in seconds since 1970, is near enough to the call's."""
    return abs(call.moment - seconds) <= TOLERANCE_SECONDS


def is_same(expected: str | bytes, shown: bytes) -> bool:
    """Whether two signatures or secrets are equal, in constant time."""
    return hmac.compare_digest(expected.encode() if isinstance(expected, str) else expected, shown)


def sign(secret: str, text: bytes) -> bytes:
    """The HMAC-SHA256 of a text, in base64."""
    return base64.b64encode(hmac.digest(secret.encode(), text, "sha256"))
