"""Senders of each kind, who sign what they deliver as the real ones do."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from datetime import UTC, datetime
from typing import Any, NamedTuple

from standardwebhooks import Webhook

from tests.api.asking import posted

SECRETS = {
    "hubspot": "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy",
    "zendesk-support": "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==",
    "zendesk-chat": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "zapier": "of Zapier's, and not short",
    "standard": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
}
KINDS = tuple(SECRETS)

NAMED: dict[str, Any] = {
    "hubspot": lambda number, name: [
        {
            "eventId": number,
            "subscriptionId": 12345,
            "portalId": 62515,
            "occurredAt": 1564113600000,
            "subscriptionType": "contact.creation",
            "attemptNumber": 0,
            "objectId": number,
            "changeFlag": "NEW",
        }
    ],
    "zendesk-support": lambda number, name: {
        "type": "zen:event-type:user.created",
        "id": str(number),
        "detail": {
            "id": str(number),
            "name": name,
            "email": f"{number}@example.com",
            "role": "end-user",
        },
        "event": {},
    },
    "zendesk-chat": lambda number, name: {
        "id": str(number),
        "type": "chat",
        "visitor": {"id": "v", "name": name, "email": f"{number}@example.com"},
        "message": "hello",
    },
    "zapier": lambda number, name: [{"Name": name, "Email": f"{number}@example.com"}],
    "standard": lambda number, name: {
        "type": "lead.created",
        "timestamp": "2026-01-01T00:00:00Z",
        "data": {"name": name, "email": f"{number}@example.com"},
    },
}
"""What each kind delivers of somebody of that number and name."""


class Sender(NamedTuple):
    """Somebody who posts to an integration."""

    client: Any
    integration: dict[str, Any]
    secret: str

    @property
    def kind(self) -> str:
        return str(self.integration["kind"])

    @property
    def url(self) -> str:
        return f"{str(self.client.base_url).rstrip('/')}{self.integration['path']}"

    def deliver(self, number: int = 1, name: str = "Ann Lee", key: str | None = None) -> Any:
        """The answer to a delivery about somebody."""
        return self.send(json.dumps(NAMED[self.kind](number, name)).encode(), key)

    def send(self, body: bytes, key: str | None = None, **headers: str) -> Any:
        return self.client.post(
            self.url, content=body, headers={**self.signed(body, key), **headers}
        )

    def signed(self, body: bytes, key: str | None = None) -> dict[str, str]:
        """The headers of a delivery under that key."""
        key = key or secrets.token_hex(8)
        headers = {
            "hubspot": self._hubspot,
            "zendesk-support": self._zendesk,
            "zendesk-chat": self._standard,
            "standard": self._standard,
            "zapier": self._zapier,
        }[self.kind](body, key)
        return {"Content-Type": "application/json", **headers}

    def _hubspot(self, body: bytes, _: str) -> dict[str, str]:
        now = str(int(time.time() * 1000))
        return {
            "X-HubSpot-Request-Timestamp": now,
            "X-HubSpot-Signature-v3": self._hmac(f"POST{self.url}".encode() + body + now.encode()),
        }

    def _zendesk(self, body: bytes, key: str) -> dict[str, str]:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        own = {
            "X-Zendesk-Webhook-Invocation-Id": key,
            "X-Zendesk-Webhook-Id": "01",
            "X-Zendesk-Account-Id": "1",
        }
        signature = self._hmac(now.encode() + body)
        return {
            **own,
            "X-Zendesk-Webhook-Signature": signature,
            "X-Zendesk-Webhook-Signature-Timestamp": now,
        }

    def _standard(self, body: bytes, key: str) -> dict[str, str]:
        now = datetime.now(UTC)
        signature = Webhook(self.secret).sign(key, now, body.decode())
        return {
            "webhook-id": key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature,
        }

    def _zapier(self, _: bytes, key: str) -> dict[str, str]:
        return {"X-Evenhand-Secret": self.secret, "Idempotency-Key": key}

    def _hmac(self, text: bytes) -> str:
        return base64.b64encode(
            hmac.new(self.secret.encode(), text, hashlib.sha256).digest()
        ).decode()


def add(client: Any, kind: str, outside: Any = None, **more: Any) -> Sender:
    """A sender whose integration an admin has set up, owned by the pool Inbound unless said
    otherwise."""
    asked = {"name": kind, "kind": kind, "secret": SECRETS[kind], "owner": "Inbound", **more}
    return Sender(outside or client, posted(client, "/api/integrations", **asked), asked["secret"])


def outcome(answer: Any) -> dict[str, Any]:
    """What became of a delivery of one part."""
    assert answer.status_code == 202, answer.text
    [only] = answer.json()["deliveries"]
    return dict(only)
