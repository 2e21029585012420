"""A replica is never taken for the master: not by its address, and not when a master has become
one."""

from collections.abc import Iterator

import pytest

from tests.support.factories import give, give_leads, lead, pool
from tests.support.invariants import assert_promise
from tests.support.servers import wait_until
from tests.topologies.patience import GIVES_UP_SECONDS, hanging, seconds_until_unreachable
from tests.topologies.servers import Pair, is_replica_of, pair
from worker.errors.servers import RingUnreachable
from worker.flows.system import System
from worker.ring import Ring
from worker.ring.client import connect
from worker.settings import LOOPBACK


@pytest.fixture(scope="module")
def servers() -> Iterator[Pair]:
    with pair() as started:
        yield started


@pytest.fixture
def url(servers: Pair) -> str:
    servers.master.ask("FLUSHALL")
    return f"redis://{LOOPBACK}:{servers.master.proxy.port}"


@pytest.mark.fast
def test_a_demoted_master_is_left_at_the_next_try(system: System, servers: Pair) -> None:
    inbound = pool(system, 3)
    demoted, promoted = servers.master, servers.replica
    address, own = demoted.proxy, demoted.port
    assert give_leads(system, 2) == "ab"
    wait_until(lambda: promoted.ring(inbound.id) == demoted.ring(inbound.id), "the replica")

    promoted.ask("REPLICAOF", "NO", "ONE")
    demoted.ask("REPLICAOF", LOOPBACK, promoted.proxy.port)
    address.target = promoted.port
    try:
        assert give_leads(system, 2) == "ca"
        assert promoted.ring(inbound.id)["next"] == "5"
        assert_promise(system)
    finally:
        address.target = own
        wait_until(lambda: is_replica_of(demoted, promoted), "the replica")


def test_a_replica_hands_out_no_turns(system: System, servers: Pair) -> None:
    inbound = pool(system, 3)
    give_leads(system, 1)
    wait_until(
        lambda: servers.replica.ring(inbound.id) == servers.master.ring(inbound.id), "the replica"
    )
    ring = Ring(connect(f"redis://{LOOPBACK}:{servers.replica.port}"))

    with pytest.raises(RingUnreachable, match="read only replica"):
        ring.take_turns(inbound.id, [("lead:1:edit", 1)])

    ring.close()
    assert give_leads(system, 1) == "b"
    assert_promise(system)


def test_a_master_that_is_gone_is_said_to_be_unreachable_until_it_is_back(
    system: System, servers: Pair
) -> None:
    inbound = pool(system, 3)
    record_id, master = lead(system), servers.master
    assert give_leads(system, 2) == "ab"

    master.kill()
    with pytest.raises(RingUnreachable):
        give(system, record_id)
    master.start()

    assert give(system, record_id) == ["c@example.com"]
    assert master.ring(inbound.id)["next"] == "4"
    assert_promise(system)


def test_a_server_that_hangs_is_not_waited_for_long(system: System, servers: Pair) -> None:
    inbound = pool(system, 3)
    assert give_leads(system, 2) == "ab"

    with hanging(*servers.nodes):
        assert seconds_until_unreachable(lambda: system.ring.epoch(inbound.id)) < GIVES_UP_SECONDS

    assert give_leads(system, 2) == "ca"
    assert_promise(system)
