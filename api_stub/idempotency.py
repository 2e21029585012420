"""Idempotency-Keys: a request that comes again under the same one is answered as before, and does
nothing a second time."""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Header, Request

from api_stub.deps import Acting
from worker.flows.idempotency import Key

LONGEST_KEY_CHARACTERS = 255


async def given_key(
    request: Request,
    actor: Acting,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=LONGEST_KEY_CHARACTERS,
            description="A request that comes again under the same key within 24 hours does nothing a second time: it gets the same answer,"
            " or that of the same run as it is by then.",
        ),
    ] = None,
) -> Key | None:
    """The Idempotency-Key, if there is one; what tells the request from others is filled in where
    its body is known."""
    return (
        None
        if idempotency_key is None
        else Key(
            actor.id, idempotency_key, f"{request.method} {request.url.path}?{request.url.query}"
        )
    )


GivenKey = Annotated[Key | None, Depends(given_key)]


def with_body(key: Key | None, body: Mapping[str, Any]) -> Key | None:
    """The key of a request with that body: the same whatever the order of its names."""
    if key is None:
        return None
    # orjson takes no half characters and no huge numbers, clients may
    told = f"{key.fingerprint}\n{json.dumps(body, sort_keys=True)}"
    return key._replace(fingerprint=hashlib.sha256(told.encode()).hexdigest())
