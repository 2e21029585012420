"""Upkeep: what was lost on the way is sent again, and nothing else."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from redis import Redis
from sqlalchemy import text, update

from tests.support.factories import (
    accepted,
    an_hour_passes,
    captured,
    give_leads,
    imported,
    pool,
    sheet,
)
from tests.support.faults import photograph
from tests.support.invariants import assert_in_file_order, assert_promise, everything, rows
from tests.support.tasks import Tasks, run
from worker.flows.intake import capture
from worker.flows.system import System
from worker.flows.upkeep import rings, sweeps, tidy
from worker.store.runs import chunks
from worker.store.runs import runs as scan
from worker.store.sql.engine import writing
from worker.store.tables import runs


def sweep(system: System, send: Tasks) -> list[str]:
    """Sweeps, and returns the names of the tasks that were sent."""
    before = len(send.waiting)
    sweeps.sweep(system)
    return send.names()[before:]


def scanned(system: System, send: Tasks) -> int:
    """The id of a run whose three chunks wait to be loaded."""
    pool(system, 3)
    run_id = accepted(system, sheet(700))
    run(system, send.waiting.pop())
    assert send.names() == ["imports.load_chunk"] * 3
    return run_id


def assert_ends(system: System, send: Tasks, run_id: int) -> None:
    send.drain(system)
    assert_in_file_order(system, run_id)
    assert_promise(system)


def test_a_lost_scan_is_sent_again(system: System, send: Tasks) -> None:
    pool(system, 3)
    run_id = accepted(system, sheet(300))
    send.lose()
    an_hour_passes(system)

    assert sweep(system, send) == ["imports.scan"]
    assert_ends(system, send, run_id)


def test_a_scan_whose_worker_died_is_sent_again(system: System, send: Tasks) -> None:
    pool(system, 3)
    run_id = accepted(system, sheet(300))
    send.lose()
    system.transact(lambda session: session.execute(text("UPDATE runs SET state = 'scanning'")))
    an_hour_passes(system)

    assert sweep(system, send) == ["imports.scan"]
    assert_ends(system, send, run_id)


def test_lost_chunks_are_sent_again(system: System, send: Tasks) -> None:
    run_id = scanned(system, send)
    run(system, send.waiting[1])
    send.lose()
    an_hour_passes(system)

    assert sweep(system, send) == ["imports.load_chunk"] * 2
    assert_ends(system, send, run_id)


def test_the_chunk_of_a_worker_that_vanished_is_sent_again_once(
    system: System, send: Tasks
) -> None:
    run_id = scanned(system, send)
    send.lose()
    system.transact(chunks.lease, run_id, 1, "a worker", -1.0)

    assert sweep(system, send) == ["imports.load_chunk"]
    assert send.waiting[0].arguments == {"run": run_id, "chunk": 1}
    assert sweep(system, send) == []


def test_a_chunk_that_a_worker_is_on_is_left_to_it(system: System, send: Tasks) -> None:
    run_id = scanned(system, send)
    send.lose()
    an_hour_passes(system)
    system.transact(chunks.lease, run_id, 1, "a worker", 20.0)

    sweep(system, send)

    assert [task.arguments["chunk"] for task in send.waiting] == [0, 2]


def test_a_lost_close_is_sent_again(system: System, send: Tasks) -> None:
    run_id = scanned(system, send)
    for task in send.lose():
        run(system, task)
    assert send.names() == ["imports.close"]
    send.lose()
    an_hour_passes(system)

    assert sweep(system, send) == ["imports.close"]
    assert_ends(system, send, run_id)


def test_what_was_sent_again_is_not_sent_at_the_next_sweep(system: System, send: Tasks) -> None:
    pool(system, 3)
    accepted(system, sheet(300))
    send.lose()
    an_hour_passes(system)
    assert len(sweep(system, send)) == 1

    assert sweep(system, send) == []


def test_a_sweep_that_finds_everything_in_order_sends_nothing(system: System, send: Tasks) -> None:
    pool(system, 3)
    imported(system, send, sheet(300))
    an_hour_passes(system)
    accepted(system, sheet(300))
    before = rows(system, "SELECT * FROM runs ORDER BY id")

    assert sweep(system, send) == []
    assert rows(system, "SELECT * FROM runs ORDER BY id") == before


def test_a_run_whose_tasks_only_wait_is_given_twice_as_long_each_time(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    run_id = accepted(system, sheet(300))

    def stands_still_for(seconds: int) -> None:
        with writing(system.engine) as session:
            session.execute(
                update(runs)
                .where(runs.c.id == run_id)
                .values(moved_at=datetime.now(UTC) - timedelta(seconds=seconds))
            )

    stands_still_for(seconds=20)
    assert sweep(system, send) == ["imports.scan"]
    stands_still_for(seconds=20)
    assert sweep(system, send) == []
    stands_still_for(seconds=40)
    assert sweep(system, send) == ["imports.scan"]
    assert_ends(system, send, run_id)


# --- several at once, and when all is well ---


@pytest.fixture
def left_lying(system: System, send: Tasks) -> System:
    """A scan, a chunk and captured leads whose workers have vanished, and a run that lost its
    close."""
    pool(system, 3)
    closing = accepted(system, sheet(20))
    run(system, send.waiting.pop())
    run(system, send.waiting.pop())
    loading = accepted(system, sheet(300))
    run(system, send.waiting.pop())
    scanning = accepted(system, sheet(300))
    captured(system, 2)
    send.lose()
    system.transact(chunks.lease, loading, 0, "a worker that died", 20.0)
    system.transact(scan.lease, scanning, "a worker that died", 20.0)
    an_hour_passes(system)
    with writing(system.engine) as session:
        session.execute(update(runs).where(runs.c.id != closing).values(moved_at=datetime.now(UTC)))
    return system


def sweeps_at_once(system: System, times: int) -> None:
    together = Barrier(times)

    def sweep_with_others(_: int) -> None:
        together.wait()
        sweeps.sweep(system)

    with ThreadPoolExecutor(times) as threads:
        list(threads.map(sweep_with_others, range(times)))


@pytest.mark.parametrize("times", [1, 4])
def test_sweeps_that_run_at_once_send_each_task_once(
    left_lying: System, send: Tasks, times: int
) -> None:
    sweeps_at_once(left_lying, times)

    of_runs = sorted(name for name in send.names() if name != "captures.assign")
    assert of_runs == ["imports.close", "imports.load_chunk", "imports.scan"]
    assert len(of_runs) < len(send.waiting) <= len(of_runs) + times
    send.drain(left_lying)
    an_hour_passes(left_lying)
    # This is the one chunk that its run had left, and that no task was sent for.
    assert sweep(left_lying, send) == ["imports.load_chunk"]
    send.drain(left_lying)
    for run_id in (1, 2, 3):
        assert_in_file_order(left_lying, run_id)
    assert_promise(left_lying)


def test_a_sweep_says_what_it_found_and_did(left_lying: System, send: Tasks) -> None:
    found = sweeps.sweep(left_lying)

    assert len(found) == len(send.waiting) == 4
    assert all(each.problem and each.action.startswith("sent") for each in found)


def test_leads_that_somebody_is_on_and_leads_of_an_empty_pool_are_left_alone(
    system: System, send: Tasks
) -> None:
    inbound = pool(system, 3)
    pool(system, 0, "Empty")
    captured(system, 2)
    captured(system, 2, "Empty")
    send.lose()
    an_hour_passes(system)
    system.transact(capture._lease, inbound.id, "a slow one")

    assert sweep(system, send) == []


def test_upkeep_finds_nothing_and_changes_nothing_on_a_healthy_system(
    system: System, send: Tasks, valkey: Redis
) -> None:
    pool(system, 3)
    imported(system, send, sheet(300))
    captured(system, 2)
    send.drain(system)
    give_leads(system, 2)
    pool(system, 0, "Empty")
    captured(system, 2, "Empty")
    send.drain(system)
    an_hour_passes(system)
    accepted(system, sheet(300))
    captured(system, 1)
    before = everything(system), photograph(valkey), list(send.waiting)

    assert [*sweeps.sweep(system), *rings.repair(system), *tidy.tidy(system)] == []

    assert (everything(system), photograph(valkey), send.waiting) == before
    assert_promise(system)


def test_what_died_comes_to_a_good_end_whatever_was_lost(left_lying: System, send: Tasks) -> None:
    for _ in range(6):
        send.drain(left_lying)
        an_hour_passes(left_lying)
        sweeps.sweep(left_lying)
        rings.repair(left_lying)

    assert send.waiting == []
    assert {row["state"] for row in rows(left_lying, "SELECT state FROM runs")} == {"done"}
    assert rows(left_lying, "SELECT lead_id FROM captures") == []
    assert_promise(left_lying)


def test_leads_of_a_pool_without_members_are_told_the_reason_though_their_task_was_lost(
    system: System, send: Tasks
) -> None:
    pool(system, 0)
    captured(system, 2)
    send.lose()
    an_hour_passes(system)

    assert sweep(system, send) == []

    reasons = {row["reason"] for row in rows(system, "SELECT reason FROM captures")}
    assert reasons == {"The pool Inbound has no members. Add one with `evenhand pool add`."}
    assert sweeps.sweep(system) == []
