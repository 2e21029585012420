"""Idempotency-Keys: a request that comes again under the same key gets the same answer, and does
nothing a second time."""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Header, Request

from api_stub.deps import Acting
from worker.flows.idempotency import IdempotencyKey

LONGEST_KEY_CHARACTERS = 255


async def read_key(
    request: Request,
    actor: Acting,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=LONGEST_KEY_CHARACTERS,
            description="A request that comes again under the same key within 24 hours does nothing"
            " a second time: it gets the same answer, or that of the same run as it is by then.",
        ),
    ] = None,
) -> IdempotencyKey | None:
    """The Idempotency-Key, if there is one. `add_body` completes its fingerprint, where the body
    is known."""
    if idempotency_key is None:
        return None
    fingerprint = f"{request.method} {request.url.path}?{request.url.query}"
    return IdempotencyKey(actor.id, idempotency_key, fingerprint)


GivenKey = Annotated[IdempotencyKey | None, Depends(read_key)]


def add_body(key: IdempotencyKey | None, body: Mapping[str, object]) -> IdempotencyKey | None:
    """The key of a request with that body. The order of the body's names doesn't matter."""
    if key is None:
        return None
    # json, because orjson refuses halves of characters and huge numbers, and clients may send them.
    request = f"{key.fingerprint}\n{json.dumps(body, sort_keys=True)}"
    return key._replace(fingerprint=hashlib.sha256(request.encode()).hexdigest())
