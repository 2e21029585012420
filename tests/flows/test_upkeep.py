"""Upkeep: what was lost on the way is sent again, and nothing else."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text, update

from tests.factories import accepted, imported, leases_run_out, pool, sheet
from tests.invariants import assert_in_file_order, assert_promise, rows
from tests.tasks import Tasks, run
from worker.flows import upkeep
from worker.flows.system import System
from worker.store import imports
from worker.store.engine import writing
from worker.store.tables import runs


def an_hour_passes(system: System) -> None:
    """Puts every sign of progress, and every lease, an hour back."""
    leases_run_out(system)
    with writing(system.engine) as session:
        session.execute(update(runs).values(moved_at=datetime.now(UTC) - timedelta(hours=1)))


def sweep(system: System, send: Tasks) -> list[str]:
    """Sweeps, and returns the names of the tasks that were sent."""
    before = len(send.waiting)
    upkeep.sweep(system)
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


def test_the_chunk_of_a_worker_that_vanished_is_sent_again_once(system: System, send: Tasks) -> None:
    run_id = scanned(system, send)
    send.lose()
    system.transact(lambda session: imports.lease(session, run_id, 1, "a worker", -1.0))

    assert sweep(system, send) == ["imports.load_chunk"]
    assert send.waiting[0].arguments == {"run": run_id, "chunk": 1}
    assert sweep(system, send) == []


def test_a_chunk_that_a_worker_is_on_is_left_to_it(system: System, send: Tasks) -> None:
    run_id = scanned(system, send)
    send.lose()
    an_hour_passes(system)
    system.transact(lambda session: imports.lease(session, run_id, 1, "a worker", 20.0))

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


def test_a_run_whose_tasks_only_wait_is_given_twice_as_long_each_time(system: System, send: Tasks) -> None:
    pool(system, 3)
    run_id = accepted(system, sheet(300))

    def stands_still_for(seconds: int) -> None:
        with writing(system.engine) as session:
            session.execute(update(runs).where(runs.c.id == run_id).values(moved_at=datetime.now(UTC) - timedelta(seconds=seconds)))

    stands_still_for(seconds=20)
    assert sweep(system, send) == ["imports.scan"]
    stands_still_for(seconds=20)
    assert sweep(system, send) == []
    stands_still_for(seconds=40)
    assert sweep(system, send) == ["imports.scan"]
    assert_ends(system, send, run_id)
