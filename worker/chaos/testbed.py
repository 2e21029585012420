"""The stack that chaos breaks: two Redis servers, proxies in front of them and of the database,
workers, beat and an API."""

import signal
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property

from worker.chaos import database
from worker.chaos.proxy import Mode, Proxy
from worker.chaos.redis_node import RedisNode
from worker.errors.servers import NotChaos, ServerDidNotStart
from worker.flows.system import System
from worker.settings import LOOPBACK, Settings
from worker.stack.services import Service, stop_all
from worker.stack.stack import answers, empty, only_one_on
from worker.stack.wait import wait_for

MARK = "made-by-chaos"
RING, BROKER = "ring", "broker"
WORKERS, PROCESSES = 3, 1
READY_SECONDS = 60.0


class Testbed:
    """The stack, and the means to break each of its parts."""

    def __init__(self, system: System, settings: Settings) -> None:
        self.system, self._home = system, settings.home
        self.logs = settings.home / "logs"
        self.ring, self.broker = RedisNode(settings.home, RING), RedisNode(settings.home, BROKER)
        self._url, self._port = settings.database_url, _find_free_port()
        self.api_address = f"{LOOPBACK}:{self._port}"
        self.ended_by_itself: Counter[str] = Counter()
        self._killed: set[str] = set()
        self._paused: list[Service] = []

    @cached_property
    def database(self) -> Proxy | None:
        """The proxy in front of the database. None for SQLite, which has no server."""
        upstream = database.find_upstream(self._url)
        return Proxy(upstream) if upstream else None

    @cached_property
    def workers(self) -> list[Service]:
        options = ("worker", "--processes", str(PROCESSES), "--name")
        return [
            self._child(f"worker {number}", *options, f"chaos-{number}")
            for number in range(1, WORKERS + 1)
        ]

    @cached_property
    def beat(self) -> Service:
        return self._child("beat", "beat")

    @cached_property
    def api(self) -> Service:
        return self._child("api", "api", "--port", str(self._port))

    @property
    def _parts(self) -> list[Service]:
        return [*self.workers, self.beat, self.api]

    @property
    def nodes(self) -> list[RedisNode]:
        return [self.ring, self.broker]

    @property
    def proxies(self) -> dict[str, Proxy]:
        """The proxies by the name of the server behind them."""
        found = {node.name: node.proxy for node in self.nodes}
        return found | ({"database": self.database} if self.database else {})

    def _child(self, name: str, *arguments: str) -> Service:
        return Service(
            name,
            list(arguments),
            self.logs / f"{name.replace(' ', '-')}.log",
            self._go_through_proxies(),
        )

    def _go_through_proxies(self) -> dict[str, str]:
        ring, broker = (f"redis://{LOOPBACK}:{node.proxy.port}/0" for node in self.nodes)
        url = (
            database.find_address_behind(self._url, self.database.port)
            if self.database
            else self._url
        )
        return {
            "EVENHAND_REDIS_URL": ring,
            "EVENHAND_BROKER_URL": broker,
            "EVENHAND_DATABASE_URL": url,
        }

    @contextmanager
    def running(self) -> Iterator[None]:
        """Runs the stack within the block, in an emptied folder and on an emptied database. It is
        always stopped at the end."""
        with ExitStack() as stack:
            stack.enter_context(only_one_on(self._home, MARK, NotChaos))
            self._clear()
            stack.callback(self._stop)
            for node in self.nodes:
                node.start()
            self.remember()
            for part in self._parts:
                part.start()
            self._await_answers()
            yield

    def _clear(self) -> None:
        for node in self.nodes:
            node.stop()  # one that a killed driver has left
        empty(self._home, MARK)
        self.logs.mkdir()
        database.prepare(self.system)

    def _await_answers(self) -> None:
        def up() -> bool:
            self.keep()
            return answers(f"http://{self.api_address}/healthz")

        if not wait_for(up, READY_SECONDS):
            raise ServerDidNotStart(what="The API", seconds=round(READY_SECONDS), log=self.logs)

    def _stop(self) -> None:
        """Stops everything in order. All parts must be awake and reach their servers to stop."""
        self.wake()
        for proxy in self.proxies.values():
            proxy.switch(Mode.PASS)
        stop_all(self._parts)
        for node in self.nodes:
            node.stop()
        for proxy in self.proxies.values():
            proxy.close()

    def remember(self) -> None:
        """Takes snapshots of the Redis servers, for a fault that restores them."""
        for node in self.nodes:
            node.remember()

    def keep(self) -> None:
        """Restarts services that have ended, and counts how many ended by themselves."""
        for part in self._parts:
            if part.keep() and part.name not in self._killed:
                self.ended_by_itself[part.name] += 1
            self._killed.discard(part.name)

    def kill(self, part: Service) -> None:
        self._killed.add(part.name)
        part.kill()

    def list_awake(self) -> list[Service]:
        """Returns the workers that run and aren't paused."""
        return [worker for worker in self.workers if worker not in self._paused and worker.runs()]

    def pause(self, worker: Service) -> None:
        """Pauses a worker in the middle of its work."""
        self._paused.append(worker)
        worker.send_to_all(signal.SIGSTOP)

    def wake(self) -> None:
        for worker in self._paused:
            worker.send_to_all(signal.SIGCONT)
        self._paused.clear()


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
