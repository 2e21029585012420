"""What Redis may do to the rings: forget everything, or go back to an earlier state."""

from collections.abc import Callable
from typing import Any

from redis import Redis

Photograph = dict[str, tuple[str, Any]]

RINGS = "{pool:*"
"""The keys of rings, as a pattern: a broker may live on the same server."""


def photograph(client: Redis) -> Photograph:
    """All rings that the server holds, with their claims."""
    read: dict[str, Callable[[str], Any]] = {
        "hash": client.hgetall,
        "list": lambda key: client.lrange(key, 0, -1),
        "string": client.get,
    }
    return {
        key: (kind := str(client.type(key)), read[kind](key))
        for key in map(str, client.keys(RINGS))
    }


def roll_back(client: Redis, earlier: Photograph) -> None:
    """Puts the rings back into an earlier state, as a failover to a stale replica does."""
    write: dict[str, Callable[[str, Any], Any]] = {
        "hash": lambda key, value: client.hset(key, mapping=value),
        "list": lambda key, value: client.rpush(key, *value),
        "string": lambda key, value: client.set(key, value),
    }
    forget(client)
    for key, (kind, value) in earlier.items():
        write[kind](key, value)


def forget(client: Redis) -> None:
    """Loses all rings and their claims."""
    if known := client.keys(RINGS):
        client.delete(*known)
