"""The API of a stand, and those who ask it: at a steady rate, or as fast as it answers."""

import json
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from threading import Event, local

from standardwebhooks import Webhook

from benchmarks.testbed import Testbed, wait_until
from worker.domain.intake.integrations import IntegrationValues
from worker.domain.intake.senders.standard import STANDARD
from worker.flows.intake import integrations
from worker.flows.names import pool_named
from worker.flows.people import access, people
from worker.flows.unit import Unit
from worker.secret_box import secret_box
from worker.settings import LOOPBACK
from worker.stack.stack import answers

API_PROCESSES = 2
SUCCESSES = (200, 202)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Failed(Exception):
    """A request that got no success."""


@dataclass
class LoadClient:
    """An API that runs, and the header by which it lets people in."""

    port: int
    token: str
    _mine: local

    def create_lead(self, owner_id: int) -> None:
        """A lead for a user, or for the next member of the pool with that id. Raises Failed."""
        body = json.dumps(
            {"data": {"last_name": "Lee", "email": "lee@example.com", "owner_id": owner_id}}
        )
        self._post("/v2/leads", body, {"Authorization": f"Bearer {self.token}"})

    def deliver(self, slug: str) -> None:
        """A lead by a signed webhook: it is stored, and assigned afterwards. Raises Failed."""
        number, body = (
            secrets.token_hex(8),
            json.dumps({"last_name": "Lee", "email": "lee@example.com"}),
        )
        moment = datetime.now(UTC)
        signed = {
            "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": Webhook(SECRET).sign(number, moment, body),
        }
        self._post(f"/hooks/{slug}", body, {"webhook-id": number, **signed})

    def _post(self, path: str, body: str, headers: dict[str, str]) -> None:
        """Asks on a connection of the calling thread's own."""
        if not hasattr(self._mine, "connection"):
            self._mine.connection = HTTPConnection(LOOPBACK, self.port, timeout=30)
        connection = self._mine.connection
        connection.request(
            "POST",
            path,
            body,
            {"Content-Type": "application/json", "User-Agent": "benchmark", **headers},
        )
        answer = connection.getresponse()
        told = answer.read()
        if answer.status not in SUCCESSES:
            raise Failed(f"{answer.status}: {told[:200]!r}")


def hook(testbed: Testbed, pool: str) -> str:
    """The slug of a new integration whose leads go to the pool."""
    return testbed.system.transact(_add_integration, pool)


def _add_integration(unit: Unit, pool: str) -> str:
    values: IntegrationValues = {"name": pool, "owner_id": pool_named(unit, pool).id}
    added = integrations.add(unit, secret_box(), STANDARD.kind, SECRET, values)
    return integrations.find(unit, added).slug


@contextmanager
def client(testbed: Testbed) -> Iterator[LoadClient]:
    """The API of the stand, with the processes that it has by default, ready within the block."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port = int(probe.getsockname()[1])
    actor = testbed.system.transact(people.add, "Asker", "asker@example.com")
    token = testbed.system.transact(access.issue, actor.id, "benchmark").token
    with testbed.program(("worker", "api", "--port", str(port), "--processes", str(API_PROCESSES))):
        wait_until(lambda: answers(f"http://{LOOPBACK}:{port}/healthz"), "the API")
        yield LoadClient(port, token, local())


def at_a_rate(
    ask: Callable[[], None], per_second: float, seconds: float, threads: int
) -> list[float]:
    """How long each answer took, in seconds, from the moment at which its request was due: one that
    had to wait for its turn counts."""
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
