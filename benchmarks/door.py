"""The API of a stand, and those who ask it: at a steady rate, or as fast as it answers."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from threading import Event, local
from typing import Any

from benchmarks.stand import Stand, wait_until
from worker.flows import access, people
from worker.settings import LOOPBACK
from worker.stack.stack import answers

API_PROCESSES = 2
SUCCESSES = (200, 202)


class Failed(Exception):
    """A request that got no success."""


@dataclass
class Door:
    """An API that runs, and the header by which it lets people in."""

    port: int
    token: str
    _mine: local

    def create_lead(self, owner_id: int) -> None:
        """A lead for a user, or for the next member of the pool with that id. Raises Failed."""
        self._post("/v2/leads", {"data": {"last_name": "Lee", "email": "lee@example.com", "owner_id": owner_id}})

    def capture(self, pool: str) -> None:
        """A lead that is stored, and assigned afterwards. Raises Failed."""
        self._post("/api/leads/capture", {"pool": pool, "lead": {"last_name": "Lee", "email": "lee@example.com"}})

    def _post(self, path: str, facts: dict[str, Any]) -> None:
        """Asks on a connection of the calling thread's own."""
        if not hasattr(self._mine, "connection"):
            self._mine.connection = HTTPConnection(LOOPBACK, self.port, timeout=30)
        connection = self._mine.connection
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", "User-Agent": "benchmark"}
        connection.request("POST", path, json.dumps(facts), headers)
        answer = connection.getresponse()
        told = answer.read()
        if answer.status not in SUCCESSES:
            raise Failed(f"{answer.status}: {told[:200]!r}")


@contextmanager
def door(stand: Stand) -> Iterator[Door]:
    """The API of the stand, with the processes that it has by default, ready within the block."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port = int(probe.getsockname()[1])
    actor = stand.system.transact(lambda session: people.add(session, "Asker", "asker@example.com"))
    token = stand.system.transact(lambda session: access.issue(session, actor.id, "benchmark")).token
    with stand.program(("worker", "api", "--port", str(port), "--processes", str(API_PROCESSES))):
        wait_until(lambda: answers(f"http://{LOOPBACK}:{port}/healthz"), "the API")
        yield Door(port, token, local())


def at_a_rate(ask: Callable[[], None], per_second: float, seconds: float, threads: int) -> list[float]:
    """How long each answer took, in seconds, from the moment at which its request was due: one that had to wait for its turn counts."""
    begun = time.monotonic()

    def one(number: int) -> float:
        due, pause = begun + number / per_second, Event()
        pause.wait(max(due - time.monotonic(), 0))
        ask()
        return time.monotonic() - due

    with ThreadPoolExecutor(threads) as askers:
        return list(askers.map(one, range(int(per_second * seconds))))


def as_fast_as_it_answers(ask: Callable[[], None], times: int, threads: int) -> float:
    """The seconds that so many requests take, of which always so many are on their way."""
    begun = time.monotonic()
    with ThreadPoolExecutor(threads) as askers:
        list(askers.map(lambda _: ask(), range(times)))
    return time.monotonic() - begun
