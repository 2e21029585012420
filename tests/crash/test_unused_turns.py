"""Turns that nobody will use, members that aren't there: what was taken comes back, and what waits
is seen to wait."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from sqlalchemy import text

from tests.crash.rig import Rig
from tests.crash.services import service
from tests.support.factories import join, person, sheet
from tests.support.servers import wait_until
from worker.flows.runs import cancel as cancel_flow
from worker.flows.runs.cancel import CancelledRun
from worker.flows.unit import Unit
from worker.queue import Task
from worker.store.sql import advisory_locks
from worker.store.sql.advisory_locks import LockKind

ROWS = 20


def upkeep_comes(rig: Rig, pool_id: int) -> None:
    """And finds turns that were handed out and never entered."""
    before = rig.system.ring.epoch(pool_id)
    rig.system.send([Task("upkeep.mend_rings", {})])
    wait_until(lambda: rig.system.ring.epoch(pool_id) != before, "upkeep to find the hole")


def test_turns_that_were_taken_by_somebody_who_is_gone_for_good_are_handed_out_again(
    rig: Rig,
) -> None:
    pool = rig.pool()
    first = rig.capture(pool.name)
    rig.wait_for_turns(first)

    rig.system.ring.take_turns(pool.id, [("lead:999999:capture", 2)])
    later = rig.capture(pool.name)
    rig.wait_for_turns(later)
    assert rig.turns([*first, *later]) == [1, 4]
    upkeep_comes(rig, pool.id)

    more = rig.capture(pool.name, 3)
    rig.wait_for_turns(more)
    assert rig.turns(more) == [2, 3, 5]
    rig.assert_promise()


def test_the_turn_of_a_lead_that_is_deleted_before_it_is_entered_goes_to_the_next(rig: Rig) -> None:
    pool = rig.pool()

    with rig.turn_held(pool.id, 1):
        [gone] = rig.capture(pool.name)
        rig.kill(rig.waiting_worker('COPY "ledger"'))
    rig.system.transact(
        lambda session: session.execute(text(f"DELETE FROM leads WHERE id = {gone}"))
    )
    upkeep_comes(rig, pool.id)

    leads = rig.capture(pool.name, 2)
    rig.wait_for_turns(leads)
    assert rig.turns(leads) == [1, 2]
    rig.assert_promise()


def test_a_run_that_is_cancelled_before_its_chunk_is_entered_gives_all_its_turns_back(
    rig: Rig,
) -> None:
    pool = rig.pool()
    rig.wait_for_turns(rig.capture(pool.name))  # the ring is seeded then: the run reserves at once
    free = ExitStack()

    with free:
        free.enter_context(rig.pool_held(pool.id))
        run_id = rig.import_file(pool.name, sheet(ROWS).getvalue())
        rig.waiting_worker("advisory")

        def free_the_pool() -> None:
            wait_until(lambda: rig.waiting("advisory"), "the run's lock to be wanted by the test")
            free.close()

        def cancel(unit: Unit) -> CancelledRun:
            """The test is the next to lock the run: before any worker that has a chunk of it."""
            with ThreadPoolExecutor(1) as threads:
                freed = threads.submit(free_the_pool)
                advisory_locks.lock_exclusive(unit, LockKind.RUN, run_id)
                freed.result()
            rig.waiting_worker("lock_shared")
            return cancel_flow.cancel(unit, run_id)

        cancelled = rig.system.transact(cancel)
    leads = rig.capture(pool.name, 3)

    rig.wait_for_turns(leads)
    assert cancelled == CancelledRun(run_id, records=0, returned=ROWS)
    assert rig.turns(leads) == [2, 3, 4]
    wait_until(lambda: rig.is_idle("bulk"), "the chunk to be given up")
    assert rig.state(run_id) == "cancelled"
    rig.assert_promise()


def test_leads_of_a_pool_without_members_wait_visibly_until_somebody_joins_and_imports_are_refused(
    rig: Rig,
) -> None:
    pool = rig.pool(members=0)

    leads = rig.capture(pool.name, 3)
    wait_until(
        lambda: all("no members" in (lead["reason"] or "") for lead in waiting(rig, pool.name)),
        "the reason to be told",
    )
    refused = rig.ask_to_import(pool.name, sheet(2).getvalue())
    join(rig.system, "a@example.com", name=pool.name)

    rig.wait_for_turns(leads)
    assert rig.turns(leads) == [1, 2, 3]
    assert (refused.status_code, refused.json()["errors"][0]["error"]["code"]) == (
        422,
        "empty_pool",
    )
    rig.assert_promise()


def waiting(rig: Rig, name: str) -> list[dict[str, str]]:
    answer = rig.ask("GET", "/api/leads/waiting", params={"pool": name})
    assert answer.is_success, answer.text
    return list(answer.json())


def test_a_roster_change_that_dies_between_redis_and_sql_changes_nothing(rig: Rig) -> None:
    pool = rig.pool()
    person(rig.system, "d@example.com")
    leads = rig.capture(pool.name)
    rig.wait_for_turns(leads)

    with (
        rig.table_held("rosters"),
        service(rig.home, "pool", "add", pool.name, "-m", "d@example.com"),
    ):
        wait_until(lambda: rig.waiting("INTO rosters"), "the change to be in Redis, and not in SQL")
        assert len(rig.ring_of(pool.id).members) == 4
    leads += rig.capture(pool.name, 4)
    rig.wait_for_turns(leads)
    join(rig.system, "d@example.com", name=pool.name)
    leads += rig.capture(pool.name, 4)

    rig.wait_for_turns(leads)
    assert rig.turns(leads) == list(range(1, 10))
    assert rig.owners(leads) == "abcab" + "cdab"
    rig.assert_promise()
