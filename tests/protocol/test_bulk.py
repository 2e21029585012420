"""No order of imports, reassignments and undos breaks the promise, whatever else happens meanwhile."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from redis import Redis
from sqlalchemy import Engine, event

from tests.protocol.bulk import Bulk
from tests.tasks import Tasks
from worker.domain import chunks
from worker.flows.system import System
from worker.ring import Ring
from worker.store.engine import open_engine
from worker.uploads import Uploads

EXAMPLES = {"sqlite": 20, "postgresql": 5}
STEPS = 25
CHUNK_ROWS = 3


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """SQLite doesn't wait for the disk: no story here ends in a power cut of its own machine."""
    engine = open_engine(database_url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))
    yield engine
    engine.dispose()


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a run of a few records has several."""
    monkeypatch.setattr(chunks, "SMALLEST_ROWS", CHUNK_ROWS)


def test_no_order_of_runs_breaks_the_promise(engine: Engine, ring: Ring, valkey: Redis, send: Tasks, tmp_path: Path) -> None:
    system = System(engine, ring, Uploads(str(tmp_path / "uploads")), send)
    machine = type("Machine", (Bulk,), {"system": system, "send": send, "client": valkey})

    run_state_machine_as_test(machine, settings=settings(max_examples=EXAMPLES[engine.dialect.name], stateful_step_count=STEPS))
