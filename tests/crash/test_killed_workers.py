"""Workers are killed at chosen points, and nothing is lost, skipped or done twice."""

import os
import signal
from datetime import datetime

from tests.crash.rig import RECOVERY_SECONDS, Rig
from tests.support.factories import sheet
from tests.support.invariants import assert_in_file_order, rows
from tests.support.servers import wait_until
from worker.queue import Task

ROWS = 600


def entered(rig: Rig, pool_id: int) -> int:
    return len(rows(rig.system, "SELECT turn FROM ledger WHERE pool_id = :pool", pool=pool_id))


def test_a_lead_whose_worker_dies_before_it_takes_a_turn_is_given_within_half_a_minute(
    rig: Rig,
) -> None:
    pool = rig.pool()

    with rig.pool_held(pool.id):
        leads = rig.capture(pool.name, 3)
        rig.kill(rig.waiting_worker("advisory"))
        assert rig.system.ring.state(pool.id) is None

    rig.wait_for_turns(leads, RECOVERY_SECONDS)
    assert rig.turns(leads) == [1, 2, 3]
    assert rig.owners(leads) == "abc"
    rig.assert_promise()


def test_a_turn_whose_worker_dies_between_taking_and_committing_stays_the_lead_s(rig: Rig) -> None:
    pool = rig.pool()
    rig.wait_for_turns(rig.capture(pool.name))

    with rig.turn_held(pool.id, 2):
        leads = rig.capture(pool.name)
        rig.kill(rig.waiting_worker('COPY "ledger"'))
        assert rig.ring_of(pool.id).next_turn == 3
        assert rig.turns(leads) == [None]
        leads += rig.capture(pool.name, 2)

    rig.wait_for_turns(leads, RECOVERY_SECONDS)
    assert rig.turns(leads) == [2, 3, 4]
    rig.assert_promise()


def test_a_lead_whose_worker_dies_between_its_commit_and_its_acknowledgement_is_given_once(
    rig: Rig,
) -> None:
    pool = rig.pool()
    rig.wait_for_turns(rig.capture(pool.name))

    with rig.turn_held(pool.id, 2):
        leads = rig.capture(pool.name)
        doomed = rig.waiting_worker('COPY "ledger"')
        os.kill(rig.workers[doomed].pid, signal.SIGSTOP)  # who acknowledges, not who works
    rig.wait_for_turns(leads)
    rig.kill(doomed)
    assert len(rig.unacknowledged("capture")) == 1
    rig.deliver_again("capture")
    wait_until(lambda: rig.is_idle("capture"), "the task to be done again")

    assert rig.turns(leads) == [2]
    assert entered(rig, pool.id) == 2
    rig.assert_promise()


def test_a_task_that_is_delivered_many_times_at_once_and_later_gives_one_turn(rig: Rig) -> None:
    pool = rig.pool()
    task = [Task("captures.assign", {"lead": lead_id}) for lead_id in rig.capture(pool.name)]

    rig.system.send(task * 20)
    wait_until(lambda: rig.is_idle("capture"), "all deliveries")
    more = rig.capture(pool.name, 2)
    rig.wait_for_turns(more)
    rig.system.send(task)
    wait_until(lambda: rig.is_idle("capture"), "the late delivery")

    assert rig.turns(more) == [2, 3]
    assert entered(rig, pool.id) == 3
    rig.assert_promise()


def test_a_chunk_whose_worker_dies_while_it_enters_the_ledger_is_loaded_within_half_a_minute(
    rig: Rig,
) -> None:
    pool = rig.pool()

    with rig.turn_held(pool.id, 1):
        run_id = rig.import_file(pool.name, sheet(ROWS, {3, 500}).getvalue())
        rig.kill(rig.waiting_worker("ledger"))
    wait_until(lambda: rig.state(run_id) == "done", "the end of the import", RECOVERY_SECONDS)

    assert assert_in_file_order(rig.system, run_id) == list(range(1, ROWS - 1))
    rig.assert_promise()


def test_a_worker_that_is_slow_keeps_its_lease(rig: Rig) -> None:
    pool = rig.pool()

    with rig.pool_held(pool.id):
        [lead_id] = rig.capture(pool.name)
        rig.waiting_worker("advisory")
        [begun] = leases(rig, lead_id)
        wait_until(lambda: leases(rig, lead_id) > [begun], "a heartbeat")
        assert rows(
            rig.system, "SELECT attempts FROM captures WHERE lead_id = :lead", lead=lead_id
        ) == [{"attempts": 1}]

    rig.wait_for_turns([lead_id])
    rig.assert_promise()


def leases(rig: Rig, lead_id: int) -> list[datetime]:
    """Until when somebody is on the lead."""
    return [
        row["leased_until"]
        for row in rows(
            rig.system, "SELECT leased_until FROM captures WHERE lead_id = :lead", lead=lead_id
        )
    ]


def test_a_worker_that_is_stopped_beyond_its_lease_gives_nothing_twice_when_it_goes_on(
    rig: Rig,
) -> None:
    pool = rig.pool()
    rig.wait_for_turns(rig.capture(pool.name))

    with rig.pool_held(pool.id):
        leads = rig.capture(pool.name, 2)
        sleeper = rig.waiting_worker("advisory")
        rig.signal(sleeper, signal.SIGSTOP)
    rig.wait_for_turns(leads, RECOVERY_SECONDS)
    rig.signal(sleeper, signal.SIGCONT)
    wait_until(lambda: rig.is_idle("capture"), "the sleeper to end what it was at")

    assert rig.turns(leads) == [2, 3]
    assert entered(rig, pool.id) == 3
    rig.assert_promise()


def test_a_worker_that_is_frozen_in_the_middle_of_a_transaction_does_not_hold_up_its_pool(
    rig: Rig,
) -> None:
    pool = rig.pool()

    with rig.pool_held(pool.id):
        leads = rig.capture(pool.name, 2)
        sleeper = rig.waiting_worker("advisory")
        rig.signal(sleeper, signal.SIGSTOP)
    # The ring is unseeded. Seeding it locks the pool exclusively, and the sleeper shares it by now.
    rig.wait_for_turns(leads, RECOVERY_SECONDS)
    rig.signal(sleeper, signal.SIGCONT)
    wait_until(lambda: rig.is_idle("capture"), "the sleeper to end what it was at")

    assert rig.turns(leads) == [1, 2]
    rig.assert_promise()


def test_a_lead_that_kills_its_workers_is_set_aside_and_comes_home_when_somebody_retries_it(
    rig: Rig,
) -> None:
    pool, other = rig.pool(), rig.pool()

    with rig.pool_held(pool.id):
        [poison] = rig.capture(pool.name)
        for _ in range(3):
            rig.kill_child(rig.waiting_worker("advisory"))
        rig.wait_for_turns(rig.capture(other.name, 3))
        wait_until(lambda: set_aside(rig, poison), "the lead to be set aside", RECOVERY_SECONDS)
    assert rig.turns([poison]) == [None]
    assert set_aside(rig, poison) == ["its worker died each of the 3 times that it was tried"]
    later = rig.capture(pool.name, 2)
    rig.wait_for_turns(later)

    retried = rig.home.facts("runs", "retry", "--leads")

    assert retried == {"retried": 1}
    rig.wait_for_turns([poison])
    assert rig.turns([*later, poison]) == [1, 2, 3]
    rig.assert_promise()


def set_aside(rig: Rig, lead_id: int) -> list[str]:
    """Why the lead was set aside, if it was."""
    found = rows(
        rig.system, "SELECT reason FROM captures WHERE lead_id = :lead AND set_aside", lead=lead_id
    )
    return [row["reason"] for row in found]
