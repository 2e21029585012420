"""Machines over systems of a test's own. Their SQLite doesn't wait for the disk: no story here ends
in a power cut."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import Engine, event

from tests.protocol.bulk import Bulk
from tests.protocol.machine import Stories, machine_over
from tests.protocol.system import MortalRing, SlowSystem
from tests.support.engines import do_not_wait_for_the_disk
from tests.support.tasks import Tasks
from worker.domain.runs import chunks
from worker.flows.system import System
from worker.ring import Ring
from worker.store.sql.engine import open_engine
from worker.uploads import Uploads

CHUNK_ROWS = 3

Machine = Callable[[type[Stories]], type[Stories]]


def open_without_waiting(url: str) -> Engine:
    engine = open_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", do_not_wait_for_the_disk)
    return engine


@pytest.fixture
def over(sqlite_url: str, valkey: Redis, tmp_path: Path) -> Iterator[Machine]:
    """Makes a machine of stories over a system whose workers may die."""
    engine, send = open_without_waiting(sqlite_url), Tasks()
    system = SlowSystem(engine, MortalRing(valkey), Uploads(str(tmp_path / "uploads")), send)
    yield lambda machine: machine_over(machine, system, send, valkey)
    engine.dispose()


@pytest.fixture
def bulk(
    database_url: str, valkey: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[type[Bulk]]:
    """The machine of runs. Its chunks are small, so that a run of a few records has several."""
    monkeypatch.setattr(chunks, "SMALLEST_ROWS", CHUNK_ROWS)
    engine, send = open_without_waiting(database_url), Tasks()
    system = System(engine, Ring(valkey), Uploads(str(tmp_path / "uploads")), send)
    yield type("Machine", (Bulk,), {"system": system, "send": send, "client": valkey})
    engine.dispose()
