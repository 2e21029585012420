"""Servers that lose their power: killed at any moment, and started again on the same or on an older
folder."""

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from redis import Redis
from redis.exceptions import RedisError

from testing import servers
from tests.support.servers import START_SECONDS, wait_until
from worker.stack.server import find_program


@dataclass
class Server:
    """A program with a folder in which it keeps everything."""

    folder: Path
    running: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Starts it, unless it runs."""
        if self.running is None or self.running.poll() is not None:
            with (self.folder / "log").open("ab") as log:
                self.running = subprocess.Popen(
                    self.command(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    **self.account(),
                )
            wait_until(self.answers, f"{self.command()[0]}, whose log is {self.folder / 'log'}")

    def kill(self) -> None:
        """Ends it as a power cut does, with all its children."""
        if self.running is not None and self.running.poll() is None:
            os.killpg(self.running.pid, signal.SIGKILL)
            self.running.wait(START_SECONDS)

    def copy(self) -> Path:
        """A copy of what it has kept, as far as that has got to the disk."""
        older = self.folder / "older"
        shutil.rmtree(older, ignore_errors=True)
        shutil.copytree(self.kept(), older, copy_function=shutil.copy)
        return older

    def put_back(self, older: Path) -> None:
        """Has a server that doesn't run go back to that copy."""
        shutil.rmtree(self.kept())
        older.rename(self.kept())
        if account := self.account():
            for path in (self.kept(), *self.kept().rglob("*")):
                os.chown(path, account["user"], account["group"])
                path.chmod(0o700)

    def command(self) -> list[str]:
        raise NotImplementedError

    def kept(self) -> Path:
        raise NotImplementedError

    def answers(self) -> bool:
        raise NotImplementedError

    def account(self) -> dict[str, Any]:
        """As whom it runs."""
        return {}


class Valkey(Server):
    """A Valkey that writes every change to disk, as the embedded server does."""

    @property
    def socket(self) -> str:
        return quote(str(self.folder / "s"))

    @property
    def client(self) -> Redis:
        return Redis(unix_socket_path=str(self.folder / "s"), decode_responses=True)

    def command(self) -> list[str]:
        options = (
            f"--port 0 --unixsocket {self.folder}/s --dir {self.folder} --appendonly yes "
            "--appendfsync everysec"
        )
        return [str(find_program()), *options.split(), "--save", ""]

    def kept(self) -> Path:
        return self.folder / "appendonlydir"

    def answers(self) -> bool:
        try:
            with self.client as client:
                return bool(client.ping())
        except RedisError:
            return False


@dataclass
class Postgres(Server):
    """A PostgreSQL with a folder of its own."""

    programs: Path = Path()
    runs_as: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def install(cls, folder: Path) -> "Postgres":
        """One that has never run before."""
        installation, account = servers.postgres_programs(folder)
        made = cls(folder, programs=installation / "bin", runs_as=account)
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        initialize = [str(made.programs / "initdb"), "-D", str(made.kept()), *options]
        subprocess.run(initialize, check=True, capture_output=True, cwd=folder, **account)
        return made

    def url(self, name: str = "tests") -> str:
        """The address of its database, for a client of that name."""
        query = f"host={quote(str(self.folder))}&application_name={name}"
        return f"postgresql+psycopg://postgres@/postgres?{query}"

    def command(self) -> list[str]:
        # What a commit has told is safe from the death of the server's processes; the machine
        # itself stays up.
        settings = (
            "listen_addresses=",
            f"unix_socket_directories={self.folder}",
            "fsync=off",
            "shared_buffers=64MB",
        )
        return [
            str(self.programs / "postgres"),
            "-D",
            str(self.kept()),
            *(word for setting in settings for word in ("-c", setting)),
        ]

    def kept(self) -> Path:
        return self.folder / "pg"

    def answers(self) -> bool:
        return servers.Postgres(self.url()).answers()

    def account(self) -> dict[str, Any]:
        return self.runs_as
