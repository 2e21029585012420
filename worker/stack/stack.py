"""The stack as a whole: started in order, kept running, stopped in order."""

import fcntl
import shutil
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from worker.app import app
from worker.errors.base import EvenhandError
from worker.errors.servers import NotADemo, PortTaken, ServerDidNotStart, StackRunning
from worker.flows.system import system
from worker.settings import LOOPBACK, Settings
from worker.stack.server import EmbeddedServer
from worker.stack.services import Service, stop_all
from worker.stack.wait import wait_for
from worker.store.sql.migrate import migrate

READY_SECONDS = 60.0
PORT_SECONDS = 15.0
"""How long a port may stay taken: a stack that was killed a moment ago may not have freed it."""

PAUSE_SECONDS = 0.1

LOCK, DEMO = "stack.lock", "made-by-a-demo"

BULK, SWIFT = "bulk", "capture,notify,upkeep"


class Stack:
    """The processes of one data folder."""

    def __init__(
        self,
        settings: Settings,
        workers: int,
        port: int | None = None,
        flower_port: int | None = None,
        api_processes: int = 1,
    ) -> None:
        """Without a port, the API isn't started; without a Flower port, Flower isn't."""
        self._settings, self._port, self._flower_port = settings, port, flower_port
        self.logs = settings.home / "logs"
        self._server = _server(settings) if settings.embedded else None
        self._children = [
            self._child(
                "bulk workers",
                "worker",
                "--queues",
                BULK,
                "--processes",
                str(workers),
                "--name",
                "bulk",
            ),
            self._child(
                "swift workers", "worker", "--queues", SWIFT, "--processes", "1", "--name", "swift"
            ),
            self._child("beat", "beat"),
        ]
        if port is not None:
            self._children.append(
                self._child("api", "api", "--port", str(port), "--processes", str(api_processes))
            )
        if flower_port is not None:
            self._children.append(self._child("flower", "flower", "--port", str(flower_port)))

    def _child(self, name: str, *arguments: str) -> Service:
        return Service(name, list(arguments), self.logs / f"{name.replace(' ', '-')}.log")

    @contextmanager
    def running(self, on_step: Callable[[str], None]) -> Iterator[None]:
        """Runs the stack within the block. It is up and ready at the start, and always stopped at
        the end. Raises StackRunning, PortTaken or ServerDidNotStart."""
        self.logs.mkdir(parents=True, exist_ok=True)
        with _only_one(self._settings.home):
            _await_free(self._port, "--port")
            _await_free(self._flower_port, "--flower-port")
            try:
                self._start(on_step)
                yield
            finally:
                on_step("stopping")
                stop_all(self._children)
                if self._server is not None:
                    self._server.stop()

    def _start(self, on_step: Callable[[str], None]) -> None:
        if self._server is not None:
            on_step("starting the embedded server")
            self._server.start()
        on_step("bringing the database up to date")
        migrate(system().engine)
        on_step(f"starting {', '.join(child.name for child in self._children)}")
        for child in self._children:
            child.start()
        self._wait_for("the workers", lambda: len(app.control.ping(timeout=0.5)) >= 2)
        if self._port is not None:
            self._wait_for("the API", lambda: answers(f"http://{LOOPBACK}:{self._port}/healthz"))
        if self._flower_port is not None:
            self._wait_for(
                "Flower", lambda: answers(f"http://{LOOPBACK}:{self._flower_port}/healthcheck")
            )

    def _wait_for(self, what: str, ready: Callable[[], bool]) -> None:
        def ready_or_restarted() -> bool:
            for child in self._children:
                child.keep()
            return ready()

        if not wait_for(ready_or_restarted, READY_SECONDS):
            raise ServerDidNotStart(what=what, seconds=round(READY_SECONDS), log=self.logs)

    def keep_running(self, on_restart: Callable[[str], None]) -> None:
        """Starts services again that end by themselves, until Ctrl-C."""
        pause = Event()
        while not pause.wait(PAUSE_SECONDS):
            for child in self._children:
                if child.keep():
                    on_restart(child.name)


def wipe(settings: Settings) -> None:
    """Empties the data folder of a demo, and stops a server that a killed demo has left there.
    Raises StackRunning, and NotADemo for a folder that isn't empty and wasn't made by a demo."""
    with only_one_on(settings.home, DEMO, NotADemo):
        _server(settings).stop()
        empty(settings.home, DEMO)


@contextmanager
def only_one_on(home: Path, mark: str, foreign: type[EvenhandError]) -> Iterator[None]:
    """Locks a folder that is empty or has the mark, and marks it. Raises StackRunning, and the
    error `foreign` for any other folder."""
    home.mkdir(parents=True, exist_ok=True)
    if any(home.iterdir()) and not (home / mark).exists():
        raise foreign(home=home)
    (home / mark).touch()
    with _only_one(home):
        yield


def empty(home: Path, mark: str) -> None:
    """Empties a folder, except for the mark and the lock."""
    for path in home.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in (LOCK, mark):
            path.unlink()


def _server(settings: Settings) -> EmbeddedServer:
    return EmbeddedServer(
        settings.socket, settings.home / "valkey", settings.home / "logs" / "valkey.log"
    )


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """Holds the data folder's lock. The operating system frees it however its holder dies."""
    with (home / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackRunning(home=home) from None
        yield


def _await_free(port: int | None, option: str) -> None:
    if port is not None and not wait_for(lambda: _is_free(port), PORT_SECONDS):
        raise PortTaken(port=port, option=option)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def answers(url: str) -> bool:
    """Returns whether an address of the stack answers with success."""
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310  our own address
            return True
    except (urllib.error.URLError, OSError):
        return False
