"""The API of a testbed, and the load on it: at a steady rate, or as fast as it answers."""

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
from worker.flows.names import find_pool_by_name
from worker.flows.people import access, people
from worker.flows.unit import Unit
from worker.secret_box import secret_box
from worker.settings import LOOPBACK
from worker.stack.stack import answers

API_PROCESSES = 2
SUCCESSES = (200, 202)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Failed(Exception):
    """The API did not answer with success."""


@dataclass
class LoadClient:
    """Sends requests to an API that runs on this machine, with an access token."""

    port: int
    token: str
    _mine: local

    def create_lead(self, owner_id: int) -> None:
        """Creates a lead for a user, or for the next member of a pool. Raises Failed."""
        body = json.dumps(
            {"data": {"last_name": "Lee", "email": "lee@example.com", "owner_id": owner_id}}
        )
        self._post("/v2/leads", body, {"Authorization": f"Bearer {self.token}"})

    def deliver(self, slug: str) -> None:
        """Sends a lead by a signed webhook, to be assigned afterwards. Raises Failed."""
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
        """Sends a request on a connection that belongs to the calling thread."""
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
        body_of_answer = answer.read()
        if answer.status not in SUCCESSES:
            raise Failed(f"{answer.status}: {body_of_answer[:200]!r}")


def add_hook(testbed: Testbed, pool: str) -> str:
    """Adds an integration whose leads go to the pool, and returns its slug."""
    return testbed.system.transact(_add_integration, pool)


def _add_integration(unit: Unit, pool: str) -> str:
    values: IntegrationValues = {"name": pool, "owner_id": find_pool_by_name(unit, pool).id}
    added = integrations.add(unit, secret_box(), STANDARD.kind, SECRET, values)
    return integrations.find(unit, added).slug


@contextmanager
def run_api(testbed: Testbed) -> Iterator[LoadClient]:
    """Runs the API of the testbed within the block, with its default number of processes."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port = int(probe.getsockname()[1])
    actor = testbed.system.transact(people.add, "Asker", "asker@example.com")
    token = testbed.system.transact(access.issue, actor.id, "benchmark").token
    with testbed.run_program(
        ("worker", "api", "--port", str(port), "--processes", str(API_PROCESSES))
    ):
        wait_until(lambda: answers(f"http://{LOOPBACK}:{port}/healthz"), "the API")
        yield LoadClient(port, token, local())


def send_at_rate(
    ask: Callable[[], None], per_second: float, seconds: float, threads: int
) -> list[float]:
    """Returns how long each answer took, in seconds from the moment at which its request was due:
    the time that a request waited for a thread counts."""
    begun = time.monotonic()

    def send(number: int) -> float:
        due, pause = begun + number / per_second, Event()
        pause.wait(max(due - time.monotonic(), 0))
        ask()
        return time.monotonic() - due

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(send, range(int(per_second * seconds))))


def send_at_full_speed(ask: Callable[[], None], times: int, threads: int) -> float:
    """Sends so many requests on so many threads, and returns the seconds that they took."""
    begun = time.monotonic()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: ask(), range(times)))
    return time.monotonic() - begun
