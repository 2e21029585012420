"""One claim asked by several at once takes one turn, and everybody is told the same."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.support.factories import accepted, give, lead, pool, sheet
from tests.support.invariants import assert_in_file_order, assert_promise, rows
from tests.support.tasks import Tasks
from worker.flows.system import System
from worker.flows.turns import assign

WORKERS = 4


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.fast
def test_requests_delivered_to_several_workers_at_once_take_one_turn_each(
    system: System, count: int
) -> None:
    pool(system, 3)
    leads = [lead(system) for _ in range(count)]
    together = Barrier(WORKERS)

    def ask(_: int) -> list[str]:
        together.wait()
        return give(system, *leads)

    for _ in range(3):
        with ThreadPoolExecutor(WORKERS) as threads:
            answers = list(threads.map(ask, range(WORKERS)))
        assert all(answer == answers[0] for answer in answers)

    assert len(rows(system, "SELECT * FROM ledger")) == count
    assert_promise(system)


def test_a_block_asked_for_by_several_workers_at_once_is_one_block(system: System) -> None:
    inbound = pool(system, 3)
    together = Barrier(WORKERS)

    def reserve(_: int) -> str:
        together.wait()
        return str(system.transact(assign.reserve, inbound.id, "import:1", 5))

    with ThreadPoolExecutor(WORKERS) as threads:
        assert set(threads.map(reserve, range(WORKERS))) == {"1:5"}
    assert_promise(system)


def test_leads_given_by_several_workers_at_once_get_all_turns_once(system: System) -> None:
    pool(system, 3)
    leads = [lead(system) for _ in range(24)]

    with ThreadPoolExecutor(WORKERS) as threads:
        given = [
            owner[0] for owner in threads.map(lambda record_id: give(system, record_id), leads)
        ]

    assert sorted(owner[0] for owner in given) == sorted("abc" * 8)
    assert [row["turn"] for row in rows(system, "SELECT turn FROM ledger ORDER BY turn")] == list(
        range(1, 25)
    )
    assert_promise(system)


@pytest.mark.fast
def test_an_import_closed_by_several_workers_at_once_ends_once(system: System, send: Tasks) -> None:

    pool(system, 3)
    run_id = accepted(system, sheet(700))

    send.drain_in_threads(system, WORKERS, times=WORKERS)

    assert_in_file_order(system, run_id)
    assert_promise(system)
