"""HubSpot's contacts, one at a time. Source of the format: HubSpot's CRM API, version 3."""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx2
import orjson

from worker.domain.storable import replace_unstorable

BASE_URL = "https://api.hubapi.com"

TIMEOUT_SECONDS = 10.0
MOST_BYTES = 2**20
LONGEST_REASON_CHARACTERS = 200

OK, UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 200, 401, 403, 404
REFUSALS = {
    UNAUTHORIZED: "HubSpot refuses the access token (401). Give the integration one that is valid",
    FORBIDDEN: "HubSpot refuses the access token the reading of contacts (403). Give it the scope crm.objects.contacts.read",
}
PASSING = (408, 423, 425, 429)
"""Beside all that is the fault of HubSpot's server, what may be otherwise in a while."""


class Later(NamedTuple):
    """It can't be had now."""

    reason: str


class Never(NamedTuple):
    """It can't be had, and asking again doesn't help."""

    reason: str


Answer = dict[str, Any] | Later | Never


def contact(base_url: str | None, token: str, object_id: str, properties: Sequence[str]) -> Answer:
    """What HubSpot knows of a contact: an object with the properties asked for. No redirect is
    followed: the token is for HubSpot only."""
    url = f"{base_url or BASE_URL}/crm/v3/objects/contacts/{quote(object_id, safe='')}"
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    try:
        with (
            httpx2.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False) as client,
            client.stream(
                "GET", url, params={"properties": ",".join(properties)}, headers=headers
            ) as response,
        ):
            return _told(response, object_id)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        return Later(f"HubSpot can't be reached ({type(error).__name__})")


def _told(response: httpx2.Response, object_id: str) -> Answer:
    status = response.status_code
    if status in REFUSALS:
        return Never(REFUSALS[status])
    if status == NOT_FOUND:
        return Never(f"HubSpot has no contact {object_id} (404)")
    if status != OK:
        return (Later if status in PASSING or status >= 500 else Never)(
            f"HubSpot answers with {status}"
        )
    body = _body(response)
    if body is None:
        return Later(
            f"HubSpot's answer is longer than {MOST_BYTES:,} bytes, or takes longer than {TIMEOUT_SECONDS:g} s"
        )
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return Later(
            replace_unstorable(f"HubSpot's answer is no JSON: {error}")[:LONGEST_REASON_CHARACTERS]
        )
    return found if isinstance(found, dict) else Later("HubSpot's answer is no JSON object")


def _body(response: httpx2.Response) -> bytes | None:
    """The whole body; None for one that is too long, or comes too slowly."""
    body, end = bytearray(), time.monotonic() + TIMEOUT_SECONDS
    for some in response.iter_bytes():
        body += some
        if len(body) > MOST_BYTES or time.monotonic() > end:
            return None
    return bytes(body)
