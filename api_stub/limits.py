"""How many requests an access token may make, how much an address may send through a form, and what
every answer tells of that."""

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
"""How long nobody is counted after Redis has failed to: a dead one would hold up every request."""


class Standing(NamedTuple):
    """How a token, or an address, stands with a limit: how many may come, how many still may (below
    0 when it is exceeded), when it begins anew."""

    limit: int
    remaining: int
    seconds: int

    @property
    def exceeded(self) -> bool:
        return self.remaining < 0

    def headers(self) -> dict[str, str]:
        told = {"Limit": self.limit, "Remaining": max(self.remaining, 0), "Reset": self.seconds}
        again = {"Retry-After": str(self.seconds)} if self.exceeded else {}
        return {f"RateLimit-{name}": str(number) for name, number in told.items()} | again


class RateLimit:
    """So many requests in every hour of the clock, or as the setting says. One question to Redis
    counts a request: the key bears the number of the hour, so that the answer tells all there is to
    know."""

    def __init__(
        self,
        text: str,
        counts: Counts,
        rest_seconds: float = REST_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._limits, self._counts, self._rest_seconds, self._now = (
            parse_many(text),
            counts,
            rest_seconds,
            now,
        )
        self._lock, self._away, self._rests_until = Lock(), False, -math.inf

    def hit(self, *whose: int | str) -> Standing | None:
        """Counts a request, and says how whoever makes it stands with the limit that is nearest.
        None when nobody can count: it may pass."""
        if not self._may_ask():
            return None
        try:
            standings = [self._standing(limit, *whose) for limit in self._limits]
        except RingUnreachable as error:
            self._rest(error)
            return None
        self._away, self._rests_until = False, -math.inf
        return min(standings, key=lambda standing: (max(standing.remaining, -1), -standing.seconds))

    def _may_ask(self) -> bool:
        """Whether Redis may answer. While it is away one request in a while finds out, and the
        others don't wait."""
        with self._lock:
            if time.monotonic() < self._rests_until:
                return False
            if self._away:
                self._rests_until = time.monotonic() + self._rest_seconds
            return True

    def _rest(self, error: RingUnreachable) -> None:
        with self._lock:
            news, self._away = not self._away, True
            self._rests_until = time.monotonic() + self._rest_seconds
        if news:
            logger.warning("requests pass uncounted until the rings' Redis is back: %s", error)

    def _standing(self, limit: RateLimitItem, *whose: int | str) -> Standing:
        period, now = limit.get_expiry(), self._now()
        number = int(now // period)
        count = self._counts.add(limit.key_for(*whose, number), period)
        return Standing(limit.amount, limit.amount - count, math.ceil((number + 1) * period - now))


@cache
def _counts() -> Counts:
    """The counts of this process, where the rings live."""
    counts = Counts(settings().redis_url)
    atexit.register(counts.close)
    return counts


@cache
def rate_limit() -> RateLimit:
    """The limit of requests with one access token."""
    return RateLimit(settings().rate_limit, _counts())


@cache
def form_rate_limit() -> RateLimit:
    """The limit of what comes from one address through one form."""
    return RateLimit(settings().form_rate_limit, _counts())


def count(request: Request, limit: RateLimit, token_id: int) -> None:
    """Counts a request by its token. Raises RateLimitExceeded."""
    standing = limit.hit(token_id)
    request.state.standing = standing
    if standing is not None and standing.exceeded:
        raise RateLimitExceeded(limit=standing.limit, seconds=standing.seconds)


class RateLimitHeaders:
    """Has every answer to a request that was counted tell how the token stands, whatever else it
    tells."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_standing(message: Message) -> None:
            standing = scope.get("state", {}).get("standing")
            if standing is not None and message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(standing.headers())
            await send(message)

        await self._app(scope, receive, send_with_standing)
