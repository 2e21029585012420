"""Signatures: how each kind of sender shows that a delivery is theirs. Nothing of a body is read
before that.

All comparisons take the same time whatever differs, and every secret is tried, so that nobody
learns from the clock how near they came.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from standardwebhooks import Webhook

from worker.errors.intake import BadSecret

HUBSPOT, ZENDESK_SUPPORT, ZENDESK_CHAT, ZAPIER, STANDARD = KINDS = (
    "hubspot",
    "zendesk-support",
    "zendesk-chat",
    "zapier",
    "standard",
)

TOLERANCE_SECONDS = 300
"""How far a signature's time may be from ours, either way. HubSpot and Standard Webhooks say so;
Zendesk names none."""

SHORTEST_SECRET_BYTES = 16

_DECODED = re.compile("%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)
"""The only escapes that HubSpot decodes in a URI before it signs."""

_BASE64 = re.compile("(?:whsec_)?([A-Za-z0-9+/]+)={0,2}")
_SECONDS = re.compile("[0-9]{1,12}")
_MILLISECONDS = re.compile("[0-9]{1,15}")


class Call(NamedTuple):
    """A delivery as it came: the URI is the whole address as the sender called it, header names are
    in lower case, header values and the body are bytes as they stand, and the moment is seconds
    since 1970."""

    method: str
    uri: str
    headers: Mapping[str, bytes]
    body: bytes
    moment: float

    def header(self, name: str) -> bytes:
        return self.headers.get(name, b"")

    def text(self, name: str) -> str:
        return self.header(name).decode("latin-1")


def is_genuine(kind: str, secrets: Sequence[str], call: Call) -> bool:
    """Whether one of the secrets has signed the call."""
    return sum(_CHECKS[kind](secret, call) for secret in secrets) > 0


def check_secret(kind: str, secret: str) -> None:
    """Raises BadSecret for one that can't be what the sender has, or that could be guessed."""
    size = len(secret.encode(errors="replace"))
    if kind in (ZENDESK_CHAT, STANDARD):
        key = _BASE64.fullmatch(secret)
        if key is None:
            raise BadSecret(reason="must be base64, with or without whsec_ before it")
        size = len(key[1]) * 3 // 4
    if size < SHORTEST_SECRET_BYTES or secret != secret.strip() or not secret.isprintable():
        raise BadSecret(
            reason=f"must have {SHORTEST_SECRET_BYTES} bytes or more, and no spaces around it"
        )


def _is_now(seconds: float, call: Call) -> bool:
    return abs(call.moment - seconds) <= TOLERANCE_SECONDS


def _same(expected: str | bytes, given: bytes) -> bool:
    return hmac.compare_digest(expected.encode() if isinstance(expected, str) else expected, given)


def _signed(secret: str, text: bytes) -> bytes:
    """HMAC-SHA256, in base64."""
    return base64.b64encode(hmac.digest(secret.encode(), text, "sha256"))


# --- HubSpot ---


def _hubspot(secret: str, call: Call) -> bool:
    """Version 3 wherever it is present, which alone carries a time. Source: HubSpot's "Validating
    requests"."""
    if "x-hubspot-signature-v3" in call.headers:
        return _hubspot_v3(secret, call)
    versions = {b"v1": b"", b"v2": f"{call.method}{call.uri}".encode()}
    before = versions.get(call.header("x-hubspot-signature-version"))
    if before is None:
        return False
    expected = hashlib.sha256(secret.encode() + before + call.body).hexdigest()
    return _same(expected, call.header("x-hubspot-signature"))


def _hubspot_v3(secret: str, call: Call) -> bool:
    time = call.text("x-hubspot-request-timestamp")
    if not _MILLISECONDS.fullmatch(time) or not _is_now(int(time) / 1000, call):
        return False
    uri = _DECODED.sub(lambda escape: chr(int(escape[0][1:], 16)), call.uri)
    expected = _signed(secret, f"{call.method}{uri}".encode() + call.body + time.encode())
    return _same(expected, call.header("x-hubspot-signature-v3"))


# --- Zendesk Support ---


def _zendesk_support(secret: str, call: Call) -> bool:
    """The time is signed as it is written (ISO 8601). Source: Zendesk's "Verifying the authenticity
    of a webhook request"."""
    time = call.header("x-zendesk-webhook-signature-timestamp")
    expected = _signed(secret, time + call.body)
    return _same(expected, call.header("x-zendesk-webhook-signature")) and _is_now(
        _seconds(time), call
    )


def _seconds(time: bytes) -> float:
    """Seconds since 1970; never for what tells no moment."""
    try:
        moment = datetime.fromisoformat(time.decode("ascii"))
    except ValueError:
        return float("-inf")
    return moment.timestamp() if moment.tzinfo else float("-inf")


# --- Standard Webhooks ---


def _standard(secret: str, call: Call) -> bool:
    """One of the signatures, which spaces keep apart. Source: the specification of Standard
    Webhooks; what is expected is told by its own package, and compared as it is written."""
    message, time = call.text("webhook-id"), call.text("webhook-timestamp")
    if not message or not _SECONDS.fullmatch(time) or not _is_now(int(time), call):
        return False
    try:
        expected = Webhook(secret).sign(
            message, datetime.fromtimestamp(int(time), UTC), call.body.decode()
        )
    except UnicodeDecodeError:
        return False
    return sum(_same(expected, given) for given in call.header("webhook-signature").split(b" ")) > 0


# --- Zapier ---


def _zapier(secret: str, call: Call) -> bool:
    """Zapier signs nothing: it shows the secret itself, in a header or as the password of HTTP
    Basic."""
    return sum(_same(secret, shown) for shown in _shown(call)) > 0


def _shown(call: Call) -> Iterator[bytes]:
    yield call.header("x-evenhand-secret")
    scheme, _, credentials = call.header("authorization").partition(b" ")
    if scheme.lower() == b"basic":
        try:
            yield base64.b64decode(credentials.strip(), validate=True).partition(b":")[2]
        except ValueError:
            return


_CHECKS: Mapping[str, Callable[[str, Call], bool]] = {
    HUBSPOT: _hubspot,
    ZENDESK_SUPPORT: _zendesk_support,
    ZENDESK_CHAT: _standard,
    ZAPIER: _zapier,
    STANDARD: _standard,
}
