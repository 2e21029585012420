"""Requests that come again: under the same Idempotency-Key they get the same answer, and do nothing
a second time."""

from collections.abc import Callable
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

import orjson
from sqlalchemy.orm import Session

from worker.errors.records import KeyReused
from worker.store.people import idempotency

Opened = TypeVar("Opened", bound=Session)
Arguments = ParamSpec("Arguments")

# An answer is JSON, of a shape that only the endpoint knows.
Answer = dict[str, Any]


class IdempotencyKey(NamedTuple):
    """An Idempotency-Key, its sender, and the content that tells its request from others."""

    user_id: int
    text: str
    fingerprint: str


def run_once(
    session: Opened,
    key: IdempotencyKey | None,
    work: Callable[Concatenate[Opened, Arguments], Answer],
    *args: Arguments.args,
    **kwargs: Arguments.kwargs,
) -> Answer:
    """Calls `work(session, ...)` and returns its answer, or the answer to the same request before.
    Only successes are kept, so that a refused request can be sent again. Raises KeyReused for
    another request under the same key."""
    if key is None:
        return work(session, *args, **kwargs)
    earlier = find_answer(session, key)
    if earlier is not None:
        return earlier
    idempotency.begin(session, key.user_id, key.text, key.fingerprint)
    answer = work(session, *args, **kwargs)
    idempotency.keep(session, key.user_id, key.text, orjson.dumps(answer).decode())
    return answer


def find_answer(session: Session, key: IdempotencyKey) -> Answer | None:
    """The answer to the same request before, if there was one. Raises KeyReused for another request
    under the same key."""
    kept = idempotency.find(session, key.user_id, key.text)
    if kept is None:
        return None
    if kept.fingerprint != key.fingerprint:
        raise KeyReused(key=key.text)
    answer: Answer = orjson.loads(kept.body)
    return answer
