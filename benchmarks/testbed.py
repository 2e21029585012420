"""A testbed: one database with people and pools, and worker processes on it."""

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from testing.servers import Postgres
from worker.flows.names import find_user_by_name, find_users_by_name
from worker.flows.people import people
from worker.flows.runs import imports
from worker.flows.system import System, open_system
from worker.flows.turns import pools
from worker.flows.unit import Unit
from worker.sample import write_sample
from worker.settings import Settings, settings
from worker.stack.server import EmbeddedServer
from worker.store.runs import runs
from worker.store.sql.migrate import migrate

MEMBERS = 5
WORKERS = 2
WARM_UP_ROWS = 2_000
"""Enough for several chunks, so that both processes have worked before anything is measured."""

POLL_SECONDS = 0.2
"""Looking seldom costs those nothing who are measured; times come from what is stored, not from
looking."""

LONGEST_SECONDS = 900.0
STOP_SECONDS = 60.0

PRODUCT = ("worker", "worker", "--queues", "bulk", "--processes", str(WORKERS))


@dataclass(frozen=True)
class Bench:
    """What every figure is given: how many rows and pairs, a server, and sample files."""

    rows: int
    pairs: int
    postgres: Postgres

    def find_sheet(self, rows: int) -> Path:
        """A sample file with so many rows, written once."""
        path = settings().home / f"leads-{rows}.csv"
        if not path.exists():
            write_sample(path, rows)
        return path


class Testbed:
    """One migrated database with five people who share every pool on it."""

    def __init__(self, bench: Bench, database_url: str) -> None:
        self._bench, self._database_url = bench, database_url
        self.system: System = open_system(Settings(database_url=database_url))
        migrate(self.system.engine)
        self._emails = [f"member{number}@example.com" for number in range(MEMBERS)]
        for email in self._emails:
            self._add_person(email)

    def _add_person(self, email: str) -> None:
        self.system.transact(people.add, email.partition("@")[0], email)

    def find_person(self) -> int:
        """The id of one of the people."""
        with self.system.reading() as session:
            return int(find_user_by_name(session, self._emails[0]).id)

    def add_pool(self) -> tuple[int, str]:
        """The id and the name of a new pool."""
        name = f"Pool {secrets.token_hex(4)}"
        return self.system.transact(self._create_pool, name), name

    def _create_pool(self, unit: Unit, name: str) -> int:
        return pools.create(unit, name, "lead", find_users_by_name(unit, self._emails), None)

    def run_import(self, rows: int) -> float:
        """Imports a sample file into a new pool, and returns the seconds from its acceptance to its
        end."""
        sheet, (pool_id, _) = self._bench.find_sheet(rows), self.add_pool()
        with sheet.open("rb") as file:
            run_id = imports.accept(
                self.system, imports.ImportRequest(sheet.name, "lead", pool_id, {}), file
            )
        wait_until(lambda: self._has_ended(run_id), f"the import of {sheet.name}")
        with self.system.reading() as session:
            run = runs.get(session, run_id)
        if run.state != "done":
            raise RuntimeError(f"the import of {sheet.name} is {run.state}: {run.reason}")
        assert run.ended_at is not None
        return (run.ended_at - run.accepted_at).total_seconds()

    def _has_ended(self, run_id: int) -> bool:
        with self.system.reading() as session:
            return runs.get(session, run_id).ended_at is not None

    @contextmanager
    def run_program(self, command: Sequence[str]) -> Iterator[int]:
        """The process id of a Python module that runs on this testbed within the block."""
        environment = os.environ | {"EVENHAND_DATABASE_URL": self._database_url}
        with (settings().home / "worker.log").open("ab") as log:
            running = subprocess.Popen(
                [sys.executable, "-m", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
            )
        try:
            yield running.pid
        finally:
            running.terminate()
            running.wait(STOP_SECONDS)

    @contextmanager
    def run_workers(self) -> Iterator[int]:
        """The process id of a worker with two processes that have loaded something before."""
        with self.run_program(PRODUCT) as pid:
            self.run_import(WARM_UP_ROWS)
            yield pid


@contextmanager
def testbed(bench: Bench, database_url: str) -> Iterator[Testbed]:
    """A testbed whose connections are closed in the end."""
    opened = Testbed(bench, database_url)
    try:
        yield opened
    finally:
        opened.system.engine.dispose()


@contextmanager
def valkey(home: Path) -> Iterator[None]:
    """The server of the rings that the local stack of that data folder would start: it keeps its
    append-only file."""
    server = EmbeddedServer(Settings(home=home).socket, home / "valkey", home / "valkey.log")
    server.start()
    try:
        yield
    finally:
        server.stop()


def wait_until(true: Callable[[], bool], what: str) -> None:
    for _ in range(int(LONGEST_SECONDS / POLL_SECONDS)):
        if true():
            return
        Event().wait(POLL_SECONDS)
    raise TimeoutError(f"waited {LONGEST_SECONDS:g} s in vain for {what}")
