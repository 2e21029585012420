"""Captured leads and several workers at once: threads and processes, every task delivered twice,
while the roster changes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import text

from tests.race.test_imports import workers
from tests.race.worker import RedisTasks
from tests.support.factories import (
    accepted,
    captured,
    email,
    give_leads,
    join,
    leases_run_out,
    leave,
    person,
    pool,
    sheet,
)
from tests.support.invariants import assert_in_file_order, assert_promise, rows
from tests.support.servers import wait_until
from tests.support.tasks import Tasks, run
from worker.flows.intake import capture
from worker.flows.system import System
from worker.flows.upkeep import rings, sweeps
from worker.store.intake.captures import WaitingLead

WORKERS = 4
SECONDS = 90
BURSTS = 12


def turns(system: System) -> list[int]:
    """Of all captured leads, in the order of acceptance."""
    return [
        row["turn"]
        for row in rows(
            system,
            "SELECT turn FROM leads "
            "WHERE first_name IS NULL AND last_name LIKE 'Lead%' ORDER BY id",
        )
    ]


def all_assigned(system: System) -> bool:
    return not rows(system, "SELECT lead_id FROM captures")


def carried_on(system: System, send: Tasks) -> None:
    """Until nobody waits: leads whose task came while another was on them are sent again."""

    def done() -> bool:
        leases_run_out(system)
        sweeps.sweep(system)
        send.drain_in_threads(system, WORKERS)
        return all_assigned(system)

    wait_until(done, "the leads in line", SECONDS)


@pytest.mark.parametrize("times", [1, 3])
def test_leads_get_turns_in_the_order_of_acceptance_from_several_workers(
    system: System, send: Tasks, times: int
) -> None:
    pool(system, 3)
    for _ in range(BURSTS):
        captured(system, 3)

    send.drain_in_threads(system, WORKERS, times=times)
    carried_on(system, send)

    assert turns(system) == list(range(1, 3 * BURSTS + 1))
    assert_promise(system)


def test_leads_accepted_by_several_at_once_all_get_their_turn(system: System, send: Tasks) -> None:
    pool(system, 3)

    with ThreadPoolExecutor(WORKERS) as threads:
        bursts = list(threads.map(lambda _: captured(system, 2), range(BURSTS)))
    send.drain_in_threads(system, WORKERS)
    carried_on(system, send)

    assert sorted(lead_id for burst in bursts for lead_id in burst) == [
        row["id"] for row in rows(system, "SELECT id FROM leads ORDER BY id")
    ]
    assert turns(system) == list(range(1, 2 * BURSTS + 1))
    assert_promise(system)


def test_workers_whose_leases_run_out_under_their_hands_enter_nothing_twice(
    system: System, send: Tasks
) -> None:
    inbound = pool(system, 3)
    captured(system, 6)
    batches = []
    for holder in ("one", "two", "three"):
        batches.append(system.transact(capture._lease, inbound.id, holder))
        leases_run_out(system)

    def enter(batch: list[WaitingLead]) -> None:
        system.transact(capture._enter, inbound.id, batch)

    with ThreadPoolExecutor(WORKERS) as threads:
        for done in [threads.submit(enter, batch) for batch in batches * 2]:
            done.result()
    carried_on(system, send)

    assert turns(system) == [1, 2, 3, 4, 5, 6]
    assert_promise(system)


def test_leads_deleted_while_workers_are_on_them_leave_nothing_half_done(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    leads = [lead_id for _ in range(BURSTS) for lead_id in captured(system, 2)]
    tasks = send.lose()

    def delete(lead_id: int) -> None:
        waiting = text("DELETE FROM leads WHERE id = :id AND turn IS NULL")
        system.transact(lambda session: session.execute(waiting, {"id": lead_id}))

    with ThreadPoolExecutor(WORKERS) as threads:
        work = [threads.submit(run, system, task) for task in tasks]
        work += [threads.submit(delete, lead_id) for lead_id in leads[::5]]
        for done in work:
            done.result()
    carried_on(system, send)
    rings.repair(system)

    assert all(turns(system))
    assert_promise(system)


def test_leads_and_imports_from_several_processes_while_the_roster_changes(
    system: System, valkey: Redis, database_url: str, valkey_url: str, tmp_path: Path
) -> None:
    system = replace(system, send=RedisTasks(valkey))
    pool(system, 4)
    person(system, email(5))
    run_id = accepted(system, sheet(700))
    steps: list[Callable[[], object]] = [
        partial(captured, system, 3),
        partial(join, system, email(5)),
        partial(captured, system, 1),
        partial(leave, system, email(5)),
        partial(give_leads, system, 1),
    ]

    with workers(valkey, tmp_path, database_url, valkey_url, str(tmp_path / "uploads")) as running:
        for step in islice(cycle(steps), 5 * BURSTS):
            step()

        def ended() -> bool:
            sweeps.sweep(system)
            done = all_assigned(system) and not rows(
                system, "SELECT id FROM runs WHERE ended_at IS NULL"
            )
            return done or any(worker.poll() is not None for worker in running)

        wait_until(ended, "the import and the leads", SECONDS)

    assert turns(system) == sorted(turns(system))
    assert len(turns(system)) == 4 * BURSTS
    assert_in_file_order(system, run_id)
    rings.repair(system)
    assert_promise(system)
