"""A Redis server of chaos, for the ring or for the broker, that can be restored to a snapshot."""

import shutil
from collections import deque
from functools import cached_property
from pathlib import Path
from random import Random

from worker.chaos.proxy import Proxy
from worker.settings import socket_path
from worker.stack.server import EmbeddedServer

SNAPSHOTS = 3


class RedisNode:
    """An embedded server, a proxy in front of it, and copies of its folder from a while ago."""

    def __init__(self, home: Path, name: str) -> None:
        self.name, self._folder = name, home / name / "server"
        self._server = EmbeddedServer(
            socket_path(home / name), self._folder, home / "logs" / f"{name}.log"
        )
        self.client = self._server.client
        """A client that doesn't go through the proxy."""
        self._snapshots: deque[Path] = deque()
        self._taken = 0

    def start(self) -> None:
        self._server.start()
        self.client.connection_pool.disconnect()  # from the server that was there before
        # Else it would rewrite its files one day, maybe while they are copied.
        self.client.config_set("auto-aof-rewrite-percentage", 0)

    def stop(self) -> None:
        self._server.stop()

    def kill(self) -> None:
        self._server.kill()

    def flush(self) -> None:
        self.client.flushall()

    def remember(self) -> None:
        """Copies the server's folder as it is now. The oldest copy goes when there are enough."""
        self._taken += 1
        copy = self._folder.with_name(f"snapshot-{self._taken}")
        self._snapshots.append(shutil.copytree(self._folder, copy))
        if len(self._snapshots) > SNAPSHOTS:
            shutil.rmtree(self._snapshots.popleft())

    def go_back(self, dice: Random) -> None:
        """Starts the server again with the content of a while ago, as after a failover to a stale
        replica."""
        self.kill()
        shutil.rmtree(self._folder)
        shutil.copytree(dice.choice(self._snapshots), self._folder)
        self.start()

    @cached_property
    def proxy(self) -> Proxy:
        return Proxy(str(self._server.socket))
