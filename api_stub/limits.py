"""How many requests an access token may make, how much an address may send through a form, and the
headers that say so."""

import atexit
import logging
import math
import time
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import NamedTuple

from fastapi import Request
from limits import RateLimitItem, parse_many
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worker.errors.base import RateLimitExceeded
from worker.errors.servers import RingUnreachable
from worker.ring.rate_counters import Counts
from worker.settings import settings

logger = logging.getLogger(__name__)

REST_SECONDS = 5.0
"""How long requests pass uncounted after Redis has failed. A dead Redis would hold up each of
them."""


class Standing(NamedTuple):
    """How a token, or an address, stands with a limit: how many requests the limit allows, how many
    are left (below 0 once it is exceeded), and in how many seconds counting begins again."""

    limit: int
    remaining: int
    seconds: int

    @property
    def exceeded(self) -> bool:
        return self.remaining < 0

    def list_headers(self) -> dict[str, str]:
        """Returns the RateLimit-* headers, with Retry-After once the limit is exceeded."""
        headers = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(self.remaining, 0)),
            "RateLimit-Reset": str(self.seconds),
        }
        return headers | {"Retry-After": headers["RateLimit-Reset"]} if self.exceeded else headers


class RateLimit:
    """A limit such as "36000/hour", or several with commas between, by the hours of the clock.

    One question to Redis counts a request. The key has the number of the hour in it, so the count
    is all that is needed."""

    def __init__(
        self,
        text: str,
        counts: Counts,
        rest_seconds: float = REST_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._limits, self._counts = parse_many(text), counts
        self._rest_seconds, self._now = rest_seconds, now
        self._lock, self._away, self._rests_until = Lock(), False, -math.inf

    def hit(self, *whose: int | str) -> Standing | None:
        """Counts a request of a token or an address, and returns how it stands with the nearest of
        the limits. None while Redis is away: then the request may pass."""
        if not self._may_ask():
            return None
        try:
            standings = [self._count_hit(limit, *whose) for limit in self._limits]
        except RingUnreachable as error:
            self._rest(error)
            return None
        self._away, self._rests_until = False, -math.inf
        return min(standings, key=lambda standing: (max(standing.remaining, -1), -standing.seconds))

    def _may_ask(self) -> bool:
        """Returns whether to ask Redis. While it is away, one request in `rest_seconds` finds out
        whether it is back, and the others don't wait."""
        with self._lock:
            if time.monotonic() < self._rests_until:
                return False
            if self._away:
                self._rests_until = time.monotonic() + self._rest_seconds
            return True

    def _rest(self, error: RingUnreachable) -> None:
        with self._lock:
            is_news, self._away = not self._away, True
            self._rests_until = time.monotonic() + self._rest_seconds
        if is_news:
            logger.warning("requests pass uncounted until the rings' Redis is back: %s", error)

    def _count_hit(self, limit: RateLimitItem, *whose: int | str) -> Standing:
        period, now = limit.get_expiry(), self._now()
        number = int(now // period)
        count = self._counts.add(limit.key_for(*whose, number), period)
        return Standing(limit.amount, limit.amount - count, math.ceil((number + 1) * period - now))


@cache
def _open_counts() -> Counts:
    """Returns this process's counts in the rings' Redis."""
    counts = Counts(settings().redis_url)
    atexit.register(counts.close)
    return counts


@cache
def get_rate_limit() -> RateLimit:
    """Returns the limit of requests with one access token."""
    return RateLimit(settings().rate_limit, _open_counts())


@cache
def get_form_rate_limit() -> RateLimit:
    """Returns the limit of submissions from one address through one form."""
    return RateLimit(settings().form_rate_limit, _open_counts())


def count(request: Request, limit: RateLimit, token_id: int) -> None:
    """Counts a request by its token. Raises RateLimitExceeded."""
    standing = limit.hit(token_id)
    request.state.standing = standing
    if standing is not None and standing.exceeded:
        raise RateLimitExceeded(limit=standing.limit, seconds=standing.seconds)


class RateLimitHeaders:
    """Adds the RateLimit-* headers to the answer of every counted request, errors included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_standing(message: Message) -> None:
            standing = scope.get("state", {}).get("standing")
            if standing is not None and message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(standing.list_headers())
            await send(message)

        await self._app(scope, receive, send_with_standing)
