"""A client for others' APIs: one GET request for one JSON object."""

import time

import httpx2
import orjson

from worker.domain.intake.senders.enrichment import OK, FetchLater, FetchRequest, FetchResponse
from worker.domain.storable import replace_unstorable

TIMEOUT_SECONDS = 10.0
MOST_BYTES = 2**20
LONGEST_REASON_CHARACTERS = 200


def fetch(request: FetchRequest) -> FetchResponse | FetchLater:
    """The answer to a request; FetchLater for a server that can't be reached or doesn't answer with
    a JSON object. It follows no redirect, because the headers hold a token for that server only."""
    try:
        with (
            httpx2.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False) as client,
            client.stream(
                "GET", request.url, params=dict(request.parameters), headers=dict(request.headers)
            ) as response,
        ):
            return _read(request.sender, response)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        return FetchLater(f"{request.sender} can't be reached ({type(error).__name__})")


def _read(sender: str, response: httpx2.Response) -> FetchResponse | FetchLater:
    if response.status_code != OK:
        return FetchResponse(response.status_code)
    body = _read_body(response)
    if body is None:
        return FetchLater(
            f"{sender}'s answer is longer than {MOST_BYTES:,} bytes, "
            f"or takes longer than {TIMEOUT_SECONDS:g} s"
        )
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return FetchLater(
            replace_unstorable(f"{sender}'s answer is no JSON: {error}")[:LONGEST_REASON_CHARACTERS]
        )
    if not isinstance(content, dict):
        return FetchLater(f"{sender}'s answer is no JSON object")
    return FetchResponse(OK, content)


def _read_body(response: httpx2.Response) -> bytes | None:
    """The whole body; None if it is too long, or comes too slowly."""
    body, end = bytearray(), time.monotonic() + TIMEOUT_SECONDS
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MOST_BYTES or time.monotonic() > end:
            return None
    return bytes(body)
