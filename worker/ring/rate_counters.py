"""Counts in the rings' Redis. They give up quickly: a request waits, and is let through without
them."""

from limits.storage import RedisStorage

from worker.errors.servers import RingUnreachable
from worker.ring.client import find_server

TIMEOUT_SECONDS = 0.25

PREFIX = "evenhand:limit"


class Counts:
    """Numbers that grow, each under a key of its own that Redis forgets by itself."""

    def __init__(self, url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._server = find_server(url, timeout_seconds)

    def close(self) -> None:
        self._server.close()

    def add(self, key: str, seconds: int) -> int:
        """Adds one to the count under a key, and returns the count. The key lives for the given
        number of seconds after its first count. Raises RingUnreachable for every error: no request
        fails because it can't be counted."""
        try:
            increment = self._server.client.register_script(RedisStorage.SCRIPT_INCR_EXPIRE)
            return int(increment([f"{PREFIX}:{key}"], [seconds, 1]))
        except Exception as error:
            self._server.look_again()
            raise RingUnreachable(address=self._server.address, reason=error) from error
