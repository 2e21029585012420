"""Redis forgets, goes back in time or is away, and no turn is skipped or given twice."""

import httpx2
import pytest

from tests.crash.rig import SWIFT_SECONDS, Rig, pass_time
from tests.support.faults import photograph, roll_back
from worker.flows.upkeep import rings

OUTAGE_SECONDS = 10.0
A_WHILE_SECONDS = 2.0


@pytest.mark.fast
def test_a_flushed_redis_costs_nobody_a_turn(rig: Rig) -> None:
    pool = rig.pool()
    leads = rig.capture(pool.name, 2)
    rig.wait_for_turns(leads)

    for server in (rig.ring, rig.broker):
        with server.client as client:
            client.flushall()
    leads += rig.capture(pool.name, 3)

    rig.wait_for_turns(leads)
    assert rig.turns(leads) == [1, 2, 3, 4, 5]
    assert rig.owners(leads) == "abcab"
    rig.assert_promise()


def test_leads_whose_tasks_a_flushed_broker_has_lost_are_given_all_the_same(rig: Rig) -> None:
    pool = rig.pool()

    with rig.pool_held(pool.id):
        leads = rig.capture(pool.name, 4)
        rig.waiting_worker("advisory")
        with rig.broker.client as client:
            client.flushall()

    rig.wait_for_turns(leads)
    assert rig.turns(leads) == [1, 2, 3, 4]
    rig.assert_promise()


def test_a_redis_that_went_back_in_time_gives_no_turn_twice(rig: Rig) -> None:
    pool = rig.pool()
    leads = rig.capture(pool.name, 2)
    rig.wait_for_turns(leads)
    with rig.ring.client as client:
        earlier = photograph(client)
        leads += rig.capture(pool.name, 3)
        rig.wait_for_turns(leads)

        roll_back(client, earlier)
    leads += rig.capture(pool.name, 3)

    rig.wait_for_turns(leads)
    assert rig.turns(leads) == [1, 2, 3, 4, 5, 6, 7, 8]
    rings.repair(rig.system)
    rig.assert_promise()


def test_a_redis_that_lost_its_power_and_the_last_it_had_written_gives_no_turn_twice(
    rig: Rig,
) -> None:
    pool = rig.pool()
    leads = rig.capture(pool.name, 2)
    rig.wait_for_turns(leads)
    copies = {server.folder: server.copy() for server in (rig.ring, rig.broker)}
    leads += rig.capture(pool.name, 3)
    rig.wait_for_turns(leads)

    for server in (rig.ring, rig.broker):
        server.kill()
        server.put_back(copies[server.folder])
        server.start()
    leads += rig.capture(pool.name, 3)

    rig.wait_for_turns(leads)
    assert rig.turns(leads) == [1, 2, 3, 4, 5, 6, 7, 8]
    rings.repair(rig.system)
    rig.assert_promise()


def test_leads_that_come_while_redis_is_away_are_given_in_order_soon_after_it_is_back(
    rig: Rig,
) -> None:
    pool = rig.pool()
    rig.wait_for_turns(rig.capture(pool.name))

    for server in (rig.ring, rig.broker):
        server.kill()
    leads = rig.capture(pool.name, 2)
    pass_time(OUTAGE_SECONDS)
    leads += rig.capture(pool.name, 2)
    for server in (rig.ring, rig.broker):
        server.start()

    rig.wait_for_turns(leads, SWIFT_SECONDS)
    assert rig.turns(leads) == [2, 3, 4, 5]
    rig.assert_promise()


def test_a_lead_is_accepted_without_a_broker_and_given_when_it_is_back(rig: Rig) -> None:
    pool = rig.pool()

    rig.broker.kill()
    answer = rig.ask_to_capture(pool.name)
    pass_time(A_WHILE_SECONDS)
    assert answer.status_code == httpx2.codes.ACCEPTED
    lead = [int(answer.json()["id"])]
    assert rig.turns(lead) == [None]
    rig.broker.start()

    rig.wait_for_turns(lead, SWIFT_SECONDS)
    rig.assert_promise()
