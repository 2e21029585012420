"""Counts in the rings' Redis: quick to give up, because somebody waits, and nothing is lost without
them."""

from typing import Any

from limits.storage import RedisStorage, Storage
from redis import Redis
from redis.exceptions import RedisError

from worker.errors.servers import RingUnreachable
from worker.ring.client import Cluster, Server, connect

TIMEOUT_SECONDS = 0.25

PREFIX = "evenhand:limit"


class _Storage(RedisStorage):
    """The library's storage, on a client of our own: it knows all forms of address, and gives up in
    time."""

    STORAGE_SCHEME = None  # type: ignore[assignment]  # it is nobody's to find by an address

    def __init__(self, client: Any) -> None:
        Storage.__init__(self)
        self.key_prefix, self.storage = PREFIX, client
        self.initialize_storage("")

    @property
    def base_exceptions(self) -> type[Exception]:
        return RedisError


class Counts:
    """Numbers that grow, each under a key of its own that is forgotten by itself."""

    def __init__(self, url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        client = connect(url, timeout_seconds)
        self._server: Server | Cluster = Server(client) if isinstance(client, Redis) else client
        self._storage: _Storage | None = None

    def close(self) -> None:
        self._server.close()

    def add(self, key: str, seconds: int) -> int:
        """Counts one more, and says how many these are in so many seconds after the first. Raises
        RingUnreachable, whatever is wrong: no request fails because it can't be counted."""
        try:
            return self._on_the_server().incr(key, seconds)
        except Exception as error:
            self._storage = None
            self._server.look_again()
            raise RingUnreachable(address=self._server.address, reason=error) from error

    def _on_the_server(self) -> _Storage:
        """Made at the first question: a cluster is looked up for it."""
        storage = self._storage
        if storage is None:
            storage = self._storage = _Storage(self._server.client)
        return storage
