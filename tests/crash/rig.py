"""A whole system to be broken: servers of its own, an API, a beat and two workers, each a process
that may die at any moment."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx2
from celery import Celery
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.acceptance.stack import Home
from tests.crash.servers import Postgres, Valkey
from tests.crash.services import kill, kill_children, start
from tests.support.factories import pool
from tests.support.invariants import assert_promise, rows
from tests.support.servers import wait_until
from worker.domain.turns.allotment import Allotment
from worker.domain.turns.causes import Cause
from worker.flows.audit.verify import verify
from worker.flows.system import System
from worker.queue import Task
from worker.ring import RingState
from worker.settings import LOOPBACK
from worker.store.sql import engine
from worker.store.sql.clock import now
from worker.store.turns import ledger, pools

WORKERS = 2
START_SECONDS = 60.0

RECOVERY_SECONDS = 30.0
"""Within so long what a killed worker was at is done."""

SWIFT_SECONDS = 15.0
"""Within so long everything that waits is done once a server is back. It takes a third of that, on
a machine with nothing else to do."""

QUEUES = {
    "captures": "capture",
    "imports": "bulk",
    "reassignments": "bulk",
    "undos": "bulk",
    "upkeep": "upkeep",
}

UNACKNOWLEDGED = ("evenhand:unacked", "evenhand:unacked_index")

WAITING = (
    "SELECT pid, application_name AS name, query FROM pg_stat_activity WHERE wait_event_type = "
    "'Lock' ORDER BY query_start"
)
BACKENDS = "SELECT pid FROM pg_stat_activity WHERE application_name = :name"


def sender(broker_url: str) -> Any:
    """A way to send tasks to that broker."""
    app = Celery("tests", broker=broker_url, set_as_current=False)
    app.conf.update(
        broker_transport_options={"global_keyprefix": "evenhand:"}, task_ignore_result=True
    )

    def send(tasks: Iterable[Task]) -> None:
        for task in tasks:
            app.send_task(
                task.name,
                kwargs=task.arguments,
                queue=QUEUES[task.name.partition(".")[0]],
                retry=False,
            )

    return send


@dataclass
class Rig:
    """The system, and what its parts run on."""

    home: Home
    postgres: Postgres
    ring: Valkey
    broker: Valkey
    system: System
    port: int
    token: str = ""
    """An admin's."""
    services: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    dead: set[int] = field(default_factory=set)
    """The PostgreSQL backends of children that were killed: they wait on until they notice."""
    numbers: Iterator[int] = field(default_factory=count)

    # --- starting and ending ---

    def make_ready(self) -> None:
        """Whatever has died or was stopped goes on, and what the dead had of the broker is
        forgotten."""
        for name in self.alive():
            self.signal(name, signal.SIGCONT)
        for server in (self.postgres, self.ring, self.broker):
            server.start()
        with self.broker.client as client:
            client.delete(*UNACKNOWLEDGED)
        for name, arguments in {"beat": ["beat"], "api": ["api", "--port", str(self.port)]}.items():
            if name not in self.services or self.services[name].poll() is not None:
                self.services[name] = start(self.home, self.home.folder / f"{name}.log", *arguments)
        while len(self.alive()) < WORKERS:
            self.start_worker()
        wait_until(lambda: all(map(self._is_ready, self.alive())), "the workers", START_SECONDS)
        wait_until(lambda: self._asks("/healthz") == httpx2.codes.OK, "the API", START_SECONDS)

    def alive(self) -> list[str]:
        return [name for name, running in self.workers.items() if running.poll() is None]

    def start_worker(self) -> None:
        name = f"worker-{next(self.numbers)}"
        self.home.environment["EVENHAND_DATABASE_URL"] = self.postgres.url(name)
        log = self.home.folder / f"{name}.log"
        self.workers[name] = start(self.home, log, "worker", "--processes", "1", "--name", name)
        self.home.environment["EVENHAND_DATABASE_URL"] = self.postgres.url()

    def _is_ready(self, name: str) -> bool:
        return " ready." in (self.home.folder / f"{name}.log").read_text()

    def _asks(self, path: str) -> int:
        try:
            return httpx2.get(self.url(path), timeout=5).status_code
        except httpx2.HTTPError:
            return 0

    def url(self, path: str) -> str:
        return f"http://{LOOPBACK}:{self.port}{path}"

    def ask(self, method: str, path: str, **asked: Any) -> Any:
        return httpx2.request(
            method,
            self.url(path),
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=60,
            **asked,
        )

    def stop(self) -> None:
        for running in (*self.services.values(), *self.workers.values()):
            kill(running)
        self.system.close()
        for server in (self.ring, self.broker, self.postgres):
            server.kill()

    # --- what people do ---

    def pool(self, members: int = 3) -> Any:
        """A new pool with a name of its own."""
        return pool(self.system, members, f"Pool {next(self.numbers)}")

    def ask_to_capture(self, name: str) -> Any:
        return self.ask(
            "POST", "/api/leads/capture", json={"pool": name, "lead": {"last_name": "Lee"}}
        )

    def ask_to_import(self, name: str, content: bytes) -> Any:
        return self.ask(
            "POST", "/api/imports", files={"file": ("leads.csv", content)}, data={"owner": name}
        )

    def capture(self, name: str, leads: int = 1) -> list[int]:
        """The ids of leads that were answered with a 202, one after another."""
        answers = [self.ask_to_capture(name) for _ in range(leads)]
        assert {answer.status_code for answer in answers} == {httpx2.codes.ACCEPTED}, answers[
            -1
        ].text
        return [int(answer.json()["id"]) for answer in answers]

    def import_file(self, name: str, content: bytes) -> int:
        answer = self.ask_to_import(name, content)
        assert answer.is_success, answer.text
        return int(answer.json()["id"])

    def state(self, run_id: int) -> str:
        return str(
            rows(self.system, "SELECT state FROM runs WHERE id = :run", run=run_id)[0]["state"]
        )

    def turns(self, lead_ids: list[int]) -> list[int | None]:
        found = {row["id"]: row["turn"] for row in rows(self.system, "SELECT id, turn FROM leads")}
        return [found.get(lead_id) for lead_id in lead_ids]

    def owners(self, lead_ids: list[int]) -> str:
        """The first letters of who owns the leads; a dot for one that waits."""
        owned = "SELECT leads.id, users.email FROM leads JOIN users ON users.id = owner_id"
        emails = {row["id"]: row["email"] for row in rows(self.system, owned)}
        return "".join((emails[lead_id] or ".")[0] for lead_id in lead_ids)

    def wait_for_turns(self, lead_ids: list[int], seconds: float = START_SECONDS) -> float:
        """Waits until the leads have their owners. Returns how long that took."""
        began = time.monotonic()
        wait_until(
            lambda: None not in self.turns(lead_ids), f"owners of the leads {lead_ids}", seconds
        )
        return time.monotonic() - began

    def ring_of(self, pool_id: int) -> RingState:
        """A ring that is seeded."""
        state = self.system.ring.state(pool_id)
        assert state is not None
        return state

    # --- points at which to kill ---

    @contextmanager
    def pool_held(self, pool_id: int) -> Iterator[Session]:
        """Nobody takes a turn of the pool within the block: whoever wants to waits."""
        with engine.writing(self.system.engine) as session:
            engine.allow_long_silence(session)
            pools.lock_exclusive(session, pool_id)
            yield session

    @contextmanager
    def turn_held(self, pool_id: int, turn: int) -> Iterator[None]:
        """Within the block whoever has taken that turn waits before it is entered."""
        with Session(self.system.engine) as session:
            engine.allow_long_silence(session)
            ledger.enter(session, _void(pool_id, turn), now())
            yield
            session.rollback()

    @contextmanager
    def table_held(self, table: str) -> Iterator[None]:
        """Within the block nobody writes to the table."""
        with engine.writing(self.system.engine) as session:
            engine.allow_long_silence(session)
            session.execute(text(f"LOCK TABLE {table} IN EXCLUSIVE MODE"))
            yield

    def waiting_worker(self, words: str) -> str:
        """The name of a worker that waits for a lock with such words in its statement."""
        return self.waiting_workers(words, 1)[0]

    def waiting_workers(self, words: str, number: int) -> list[str]:
        """So many of them, each waiting."""
        return wait_until(
            lambda: len(names := self.waiting(words, self.alive())) >= number and names,
            f"workers that wait with {words}",
        )

    def waiting(self, words: str, names: Sequence[str] = ("tests",)) -> list[str]:
        """Of those clients of the database, the ones that wait for a lock with such words in their
        statement."""
        found = (
            row
            for row in rows(self.system, WAITING)
            if row["pid"] not in self.dead and words in row["query"]
        )
        return [row["name"] for row in found if row["name"] in names]

    def kill(self, name: str) -> None:
        kill(self.workers[name])

    def kill_child(self, name: str) -> None:
        self.dead |= {row["pid"] for row in rows(self.system, BACKENDS, name=name)}
        kill_children(self.workers[name])

    def signal(self, name: str, what: signal.Signals) -> None:
        os.killpg(self.workers[name].pid, what)

    # --- the broker ---

    def unacknowledged(self, queue: str) -> list[str]:
        """The messages that were delivered and not acknowledged."""
        with self.broker.client as client:
            found = [json.loads(kept) for kept in client.hvals(UNACKNOWLEDGED[0])]
        return [json.dumps(message) for message, _, key in found if key == queue]

    def deliver_again(self, queue: str, times: int = 1) -> None:
        """Every message that wasn't acknowledged, as the broker does when its patience is over."""
        messages = self.unacknowledged(queue)
        with self.broker.client as client:
            client.delete(*UNACKNOWLEDGED)
            client.rpush(f"evenhand:{queue}", *messages * times)

    def is_idle(self, queue: str) -> bool:
        """Whether all messages are delivered and acknowledged."""
        with self.broker.client as client:
            return not client.llen(f"evenhand:{queue}") and not self.unacknowledged(queue)

    # --- the promise ---

    def assert_promise(self) -> None:
        assert_promise(self.system)
        assert all(report.holds for report in verify(self.system)), verify(self.system)


def _void(pool_id: int, turn: int) -> Allotment:
    return Allotment(pool_id, Cause.VOID, ["held"], [0], [turn], [0], [None], [None], [None])


def pass_time(seconds: float) -> None:
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() > end, "time to pass", 2 * seconds)
