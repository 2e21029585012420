"""Behind Sentinel the master may die, be demoted, or be replaced by a replica that lags, and
nobody's turn is lost or given twice."""

from collections.abc import Iterator

import pytest

from tests.support.factories import give_leads, imported, join, pool, sheet
from tests.support.invariants import assert_in_file_order, assert_promise
from tests.support.servers import wait_until
from tests.support.tasks import Tasks
from tests.topologies.patience import (
    GIVES_UP_SECONDS,
    come,
    give_leads_patiently,
    hanging,
    last_turn,
    leads_coming_in,
    seconds_until_unreachable,
    turns_are_shared_evenly,
)
from tests.topologies.servers import Watched, is_replica_of, watched
from worker.errors.servers import RingUnreachable
from worker.flows.system import System
from worker.ring.rate_counters import Counts


@pytest.fixture(scope="module")
def servers() -> Iterator[Watched]:
    with watched() as started:
        yield started


@pytest.fixture
def url(servers: Watched) -> str:
    servers.master.ask("FLUSHALL")
    return servers.url


def test_turns_are_taken_from_the_master_that_sentinel_names(
    system: System, servers: Watched, send: Tasks
) -> None:
    inbound = pool(system, 3)

    assert give_leads(system, 4) == "abca"
    join(system, "d@example.com")
    run_id = imported(system, send, sheet(9))

    assert assert_in_file_order(system, run_id) == list(range(5, 14))
    assert servers.master.ring(inbound.id)["next"] == "14"
    assert_promise(system)


def test_every_lead_gets_its_owner_while_the_master_dies(system: System, servers: Watched) -> None:
    pool(system, 3)
    dead = servers.master

    with leads_coming_in(system) as owners:
        dead.kill()
        servers.await_failover(dead)
        come(owners, 12)
        servers.bring_back(dead)

    assert turns_are_shared_evenly(owners, "abc")
    assert_promise(system)


def test_every_lead_gets_its_owner_while_sentinel_swaps_master_and_replica(
    system: System, servers: Watched
) -> None:
    pool(system, 3)

    with leads_coming_in(system) as owners:
        servers.hand_over()
        servers.await_replica()

    assert turns_are_shared_evenly(owners, "abc")
    assert_promise(system)


def test_turns_that_a_lagging_replica_never_heard_of_are_not_given_again(
    system: System, servers: Watched
) -> None:
    inbound = pool(system, 3)
    dead, stale = servers.master, servers.other
    assert give_leads(system, 4) == "abca"
    wait_until(lambda: stale.ring(inbound.id) == dead.ring(inbound.id), "the replica")
    dead.proxy.hold_back()
    assert give_leads(system, 5) == "bcabc"
    assert is_replica_of(stale, dead)

    dead.kill()
    servers.await_failover(dead)

    assert int(stale.ring(inbound.id)["next"]) == 5 < last_turn(system) == 9
    assert give_leads_patiently(system, 4) == "abca"
    assert_promise(system)

    servers.bring_back(dead)

    assert int(dead.ring(inbound.id)["next"]) == 14
    assert give_leads_patiently(system, 3) == "bca"
    assert_promise(system)


def test_a_lagging_replica_from_before_a_seeding_skips_nothing(
    system: System, servers: Watched
) -> None:
    inbound = pool(system, 3)
    dead, stale = servers.master, servers.other
    assert give_leads(system, 4) == "abca"
    # The one who took them dies, and never enters them.
    system.ring.take_turns(inbound.id, [("lead:0:edit", 4)])
    wait_until(lambda: stale.ring(inbound.id) == dead.ring(inbound.id), "the replica")
    dead.proxy.hold_back()
    dead.ask("FLUSHALL")
    assert give_leads(system, 1) == "b"

    dead.kill()
    servers.await_failover(dead)

    assert int(stale.ring(inbound.id)["next"]) == 9 > last_turn(system) == 5
    assert give_leads_patiently(system, 4) == "cabc"
    assert_promise(system)
    servers.bring_back(dead)


def test_nothing_is_given_twice_when_a_lagging_replica_takes_over_while_leads_come_in(
    system: System, servers: Watched
) -> None:
    inbound = pool(system, 3)
    dead, stale = servers.master, servers.other

    with leads_coming_in(system) as owners:
        dead.proxy.hold_back()
        come(owners, 12)
        heard = int(stale.ring(inbound.id)["next"])
        dead.kill()
        servers.await_failover(dead)
        come(owners, 12)
        servers.bring_back(dead)

    assert heard <= len(owners) - 24
    assert turns_are_shared_evenly(owners, "abc")
    assert_promise(system)


def test_a_sentinel_and_a_master_that_hang_are_not_waited_for_long(
    system: System, servers: Watched
) -> None:
    inbound = pool(system, 3)
    assert give_leads(system, 2) == "ab"

    with hanging(servers.sentinel, *servers.pair.nodes):
        assert seconds_until_unreachable(lambda: system.ring.epoch(inbound.id)) < GIVES_UP_SECONDS

    assert give_leads_patiently(system, 2) == "ca"
    assert_promise(system)


def test_requests_are_counted_on_the_master_that_sentinel_names_and_on_its_successor(
    url: str, servers: Watched
) -> None:
    counts = Counts(url)

    def count() -> int | None:
        try:
            return counts.add("requests", 600)
        except RingUnreachable:
            return None

    assert [count(), count()] == [1, 2]
    wait_until(lambda: servers.other.ask("GET", "evenhand:limit:requests") == "2", "the replica")
    servers.hand_over()
    servers.await_replica()

    assert wait_until(count, "a count") == 3
    assert servers.master.ask("GET", "evenhand:limit:requests") == "3"
    counts.close()
