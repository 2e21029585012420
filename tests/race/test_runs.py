"""A chunk is just being entered when its run is cancelled, or found to have failed.

On SQLite whoever enters a chunk holds the whole database, and there is nothing to overlap.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import text

from tests.support.factories import (
    accepted,
    an_hour_passes,
    give_leads,
    leases_run_out,
    pool,
    sheet,
)
from tests.support.invariants import assert_in_file_order, assert_promise, receipt, rows
from tests.support.servers import wait_until
from tests.support.tasks import Tasks, lease_slowly, load_leased, run
from worker.flows.runs import cancel
from worker.flows.system import System
from worker.flows.upkeep import sweeps
from worker.ring import Ring
from worker.store.leases import MOST_ATTEMPTS
from worker.store.runs import chunks
from worker.store.sql.engine import open_engine
from worker.uploads import Uploads

ROWS = 700
SECONDS = 20

Result = TypeVar("Result")


@pytest.fixture
def system(postgresql_url: str, ring: Ring, send: Tasks, tmp_path: Path) -> Iterator[System]:
    engine = open_engine(postgresql_url)
    yield System(engine, ring, Uploads(str(tmp_path / "uploads")), send)
    engine.dispose()


@contextmanager
def nobody_enters(system: System) -> Iterator[None]:
    """Whoever is about to enter the ledger, or to take back what is in it, waits until the block
    ends."""
    with system.engine.connect() as connection, connection.begin():
        connection.execute(text("LOCK TABLE ledger, reversals IN EXCLUSIVE MODE"))
        yield


def waiting(system: System) -> int:
    """How many transactions wait for a lock."""
    blocked = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = "
        "'Lock'"
    )
    return len(rows(system, blocked))


def in_the_middle_of(
    system: System, enter: Callable[[], object], others: Callable[[], Result]
) -> Result:
    """What others answer who come while somebody is entering, and who either wait for that or
    don't."""
    with ThreadPoolExecutor(2) as threads:
        with nobody_enters(system):
            entering = threads.submit(enter)
            wait_until(lambda: waiting(system) == 1, "the one who enters", SECONDS)
            other = threads.submit(others)
            wait_until(lambda: waiting(system) == 2 or other.done(), "the other", SECONDS)
        entering.result(SECONDS)
        return other.result(SECONDS)


def loading(system: System, send: Tasks) -> int:
    """A run whose three chunks wait to be loaded."""
    pool(system, 3)
    run_id = accepted(system, sheet(ROWS))
    run(system, send.waiting.pop())
    return run_id


def test_custom_fields_are_known_before_any_chunk_can_be_loaded(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    run_id = accepted(system, sheet(ROWS))
    [scan] = send.lose()

    with ThreadPoolExecutor(1) as threads:
        with system.engine.connect() as connection, connection.begin():
            connection.execute(text("LOCK TABLE labels IN EXCLUSIVE MODE"))
            scanning = threads.submit(run, system, scan)
            wait_until(lambda: waiting(system) == 1, "the one who scans", SECONDS)
            assert rows(system, "SELECT state FROM runs WHERE id = :run", run=run_id) == [
                {"state": "scanning"}
            ]
        scanning.result(SECONDS)
    send.drain(system)

    assert rows(system, "SELECT name FROM labels WHERE kind = 'custom_field'") == [
        {"name": "Territory"}
    ]
    assert_in_file_order(system, run_id)
    assert_promise(system)


def test_a_cancel_waits_for_the_chunk_that_is_being_entered(system: System, send: Tasks) -> None:
    run_id = loading(system, send)
    first, late, _ = send.waiting
    run(system, first)

    cancelled = in_the_middle_of(
        system, lambda: run(system, late), lambda: system.transact(cancel.cancel, run_id)
    )
    send.drain(system)

    assert (cancelled.records, cancelled.returned) == (500, 200)
    assert len(receipt(system, run_id)) == 500
    assert give_leads(system, 1) == "c"
    assert_promise(system)


def test_a_run_whose_last_chunk_is_being_entered_after_all_has_not_failed(
    system: System, send: Tasks
) -> None:
    run_id = loading(system, send)
    _, *others = send.lose()
    leased = lease_slowly(system, run_id, 0)
    for _ in range(MOST_ATTEMPTS):
        leases_run_out(system)
        system.transact(chunks.lease, run_id, 0, "a worker that dies", -1.0)
    sweeps.sweep(system)
    for task in others:
        run(system, task)

    in_the_middle_of(system, lambda: load_leased(system, *leased), lambda: sweeps.sweep(system))
    send.drain(system)

    assert_in_file_order(system, run_id)
    assert_promise(system)


@pytest.mark.fast
def test_a_sweep_does_not_wait_for_a_run_that_somebody_holds(system: System, send: Tasks) -> None:
    pool(system, 3)
    held, other = accepted(system, sheet(ROWS)), accepted(system, sheet(ROWS))
    send.lose()
    an_hour_passes(system)

    with system.engine.connect() as connection, connection.begin():
        connection.execute(text("SELECT 1 FROM runs WHERE id = :run FOR UPDATE"), {"run": held})
        with ThreadPoolExecutor(1) as thread:
            thread.submit(sweeps.sweep, system).result(SECONDS)

    assert [task.arguments for task in send.lose()] == [{"run": other}]
    sweeps.sweep(system)
    assert [task.arguments for task in send.waiting] == [{"run": held}]
