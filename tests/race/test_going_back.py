"""Redis goes back in time while transactions are open: nobody may be given what another has not yet
committed.

On SQLite only one transaction is open at a time, and there is nothing to overlap.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest
from redis import Redis

from tests.support.factories import accepted, give, give_leads, lead, pool, sheet
from tests.support.faults import photograph, roll_back
from tests.support.invariants import assert_in_file_order, assert_promise, rows
from tests.support.servers import wait_until
from tests.support.tasks import Tasks
from worker.domain.records.record_type import RecordType
from worker.domain.turns.causes import Cause
from worker.flows.system import System
from worker.flows.turns import assign
from worker.flows.unit import Unit
from worker.ring import Ring
from worker.store.sql.engine import open_engine
from worker.uploads import Uploads

SECONDS = 20


@pytest.fixture
def system(postgresql_url: str, ring: Ring, send: Tasks, tmp_path: Path) -> Iterator[System]:
    engine = open_engine(postgresql_url)
    yield System(engine, ring, Uploads(str(tmp_path / "uploads")), send)
    engine.dispose()


@contextmanager
def going_back_before_its_commit(
    system: System, valkey: Redis, ask: assign.TurnRequest | int, pool_id: int
) -> Iterator[None]:
    """Somebody has taken turns and not committed when Redis goes back to before; within the block
    others ask for turns."""
    taken, commit = Event(), Event()

    def slow(unit: Unit) -> None:
        if isinstance(ask, int):
            assign.reserve(unit, pool_id, "import:slow", ask)
        else:
            assign.assign(unit, pool_id, RecordType.LEAD, [ask], Cause.EDIT)
        if not taken.is_set():
            taken.set()
            commit.wait(SECONDS)

    earlier = photograph(valkey)
    with ThreadPoolExecutor(1) as thread:
        slower = thread.submit(system.transact, slow)
        assert taken.wait(SECONDS)
        roll_back(valkey, earlier)
        try:
            yield
        finally:
            commit.set()
        slower.result(SECONDS)


def waits_or_ends(system: System, done: Callable[[], bool]) -> None:
    """Until the other has ended, or waits for a lock that somebody holds."""
    waiting = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = "
        "'Lock'"
    )
    wait_until(lambda: done() or rows(system, waiting), "the other transaction")


def test_a_turn_that_another_is_about_to_enter_is_not_given_twice(
    system: System, valkey: Redis
) -> None:
    inbound = pool(system, 3)
    give_leads(system, 1)
    first, second = lead(system), lead(system)

    with ThreadPoolExecutor(1) as thread:
        with going_back_before_its_commit(
            system, valkey, assign.TurnRequest(f"lead:{first}:edit", first, None), inbound.id
        ):
            other = thread.submit(give, system, second)
            waits_or_ends(system, other.done)
        owners = [*give(system, first), *other.result(SECONDS)]

    assert sorted(owner[0] for owner in owners) == ["b", "c"]
    assert_promise(system)


def test_a_turn_that_another_is_about_to_reserve_is_not_given_away(
    system: System, valkey: Redis
) -> None:
    inbound = pool(system, 3)
    give_leads(system, 1)
    record_id = lead(system)

    with ThreadPoolExecutor(1) as thread:
        with going_back_before_its_commit(system, valkey, 5, inbound.id):
            other = thread.submit(give, system, record_id)
            waits_or_ends(system, other.done)
        other.result(SECONDS)

    assert_promise(system)


def test_two_imports_do_not_reserve_the_same_turns(
    system: System, valkey: Redis, send: Tasks
) -> None:
    inbound = pool(system, 3)
    give_leads(system, 1)
    run_id = accepted(system, sheet(20))

    with ThreadPoolExecutor(1) as thread:
        with going_back_before_its_commit(system, valkey, 5, inbound.id):
            other = thread.submit(send.drain, system)
            waits_or_ends(system, other.done)
        other.result(SECONDS)

    assert_in_file_order(system, run_id)
    assert_promise(system)
