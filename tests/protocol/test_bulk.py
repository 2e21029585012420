"""No order of imports, reassignments and undos breaks the promise, whatever else happens meanwhile."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from redis import Redis
from sqlalchemy import Engine, event

from tests.protocol.bulk import Bulk
from tests.protocol.test_promise import AS_FAST_AS_FOUND
from tests.support.tasks import Tasks
from worker.domain.runs import chunks
from worker.flows.system import System
from worker.ring import Ring
from worker.store.runs import undos
from worker.store.sql.engine import open_engine
from worker.uploads import Uploads

EXAMPLES = {"sqlite": 10, "postgresql": 5}
STEPS = 25
CHUNK_ROWS = 3


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """SQLite doesn't wait for the disk: no story here ends in a power cut of its own machine."""
    engine = open_engine(database_url)
    if engine.dialect.name == "sqlite":
        event.listen(
            engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF")
        )
    yield engine
    engine.dispose()


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a run of a few records has several."""
    monkeypatch.setattr(chunks, "SMALLEST_ROWS", CHUNK_ROWS)


@pytest.fixture
def machine(engine: Engine, ring: Ring, valkey: Redis, send: Tasks, tmp_path: Path) -> type[Bulk]:
    system = System(engine, ring, Uploads(str(tmp_path / "uploads")), send)
    return type("Machine", (Bulk,), {"system": system, "send": send, "client": valkey})


def test_no_order_of_runs_breaks_the_promise(machine: type[Bulk], engine: Engine) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=EXAMPLES[engine.dialect.name], stateful_step_count=STEPS),
    )


# --- mutants ---

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def assert_found_out(machine: type[Bulk]) -> None:
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=AS_FAST_AS_FOUND)


@ON_SQLITE
def test_an_undo_of_what_others_have_changed_since_is_found_out(
    machine: type[Bulk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undos, "lock_intact", lambda _, done: list(done.allotment.ordinals))

    assert_found_out(machine)
