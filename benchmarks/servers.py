"""The servers under the figures, as safe as in earnest: PostgreSQL syncs to disk, Valkey keeps its
append-only file."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from tests.support.servers import Postgres, _installation, program, short_folder
from worker.settings import Settings
from worker.stack.server import EmbeddedServer


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server with its own defaults: fsync is on."""
    with short_folder() as folder:
        installation, account = _installation(folder)
        programs, cluster = installation / "bin", folder / "pg"
        initialize = [
            str(programs / "initdb"),
            "-D",
            str(cluster),
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
        ]
        subprocess.run(initialize, check=True, capture_output=True, cwd=folder, **account)
        command = [
            str(programs / "postgres"),
            "-D",
            str(cluster),
            "-c",
            "listen_addresses=",
            "-c",
            f"unix_socket_directories={folder}",
        ]
        server = Postgres(f"postgresql+psycopg://postgres@/postgres?host={quote(str(folder))}")
        with program(command, folder / "log", server.answers, cwd=folder, **account):
            yield server


@contextmanager
def valkey(home: Path) -> Iterator[None]:
    """The server that the local stack of that data folder would start."""
    server = EmbeddedServer(Settings(home=home).socket, home / "valkey", home / "valkey.log")
    server.start()
    try:
        yield
    finally:
        server.stop()
