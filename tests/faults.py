"""What Redis may do: forget everything, or go back to an earlier state."""

from collections.abc import Callable
from typing import Any

from redis import Redis

Photograph = dict[str, tuple[str, Any]]


def photograph(client: Redis) -> Photograph:
    """All that the server holds."""
    read: dict[str, Callable[[str], Any]] = {"hash": client.hgetall, "list": lambda key: client.lrange(key, 0, -1), "string": client.get}
    return {key: (kind := str(client.type(key)), read[kind](key)) for key in map(str, client.keys())}


def roll_back(client: Redis, earlier: Photograph) -> None:
    """Puts the server back into an earlier state, as a failover to a stale replica does."""
    write: dict[str, Callable[[str, Any], Any]] = {
        "hash": lambda key, value: client.hset(key, mapping=value),
        "list": lambda key, value: client.rpush(key, *value),
        "string": lambda key, value: client.set(key, value),
    }
    client.flushall()
    for key, (kind, value) in earlier.items():
        write[kind](key, value)
