"""Requests that come again: under the same Idempotency-Key they get the same answer, and do nothing
a second time."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import orjson
from sqlalchemy.orm import Session

from worker.errors.records import KeyReused
from worker.store.people import idempotency
from worker.store.views.facts import Facts

Opened = TypeVar("Opened", bound=Session)


class Key(NamedTuple):
    """An Idempotency-Key, whose it is, and what tells its request from others."""

    user_id: int
    text: str
    fingerprint: str


def run_once(session: Opened, key: Key | None, work: Callable[[Opened], Facts]) -> Facts:
    """What the work answers, or what it answered to the same request before. Only successes are
    kept: whatever is refused may be asked again. Raises KeyReused for another request under the
    same key."""
    if key is None:
        return work(session)
    earlier = answered(session, key)
    if earlier is not None:
        return earlier
    idempotency.begin(session, key.user_id, key.text, key.fingerprint)
    facts = work(session)
    idempotency.keep(session, key.user_id, key.text, orjson.dumps(facts).decode())
    return facts


def answered(session: Session, key: Key) -> Facts | None:
    """What was answered to the same request before, if it was. Raises KeyReused for another request
    under the same key."""
    kept = idempotency.find(session, key.user_id, key.text)
    if kept is None:
        return None
    if kept.fingerprint != key.fingerprint:
        raise KeyReused(key=key.text)
    facts: Facts = orjson.loads(kept.body)
    return facts
