"""In a cluster a replica that lags takes over: turns it has never heard of are not given again."""

from collections.abc import Iterator

import pytest

from tests.support.factories import give_leads, join, pool
from tests.support.invariants import assert_promise, rows
from tests.support.servers import wait_until
from tests.topologies.patience import (
    come,
    give_leads_patiently,
    hanging,
    last_turn,
    leads_coming_in,
    turns_are_shared_evenly,
)
from tests.topologies.servers import Node, Nodes, cluster, identity, is_replica_of
from worker.errors.servers import RingUnreachable
from worker.flows.system import System

POOLS = 6


@pytest.fixture(scope="module")
def servers() -> Iterator[Nodes]:
    """Three masters; the fourth node is a replica of the first."""
    with cluster() as started:
        started.spare.ask("CLUSTER", "REPLICATE", identity(started.masters[0]))
        wait_until(lambda: is_replica_of(started.spare, started.masters[0]), "the replica")
        yield started


@pytest.fixture
def url(servers: Nodes) -> str:
    for master in servers.masters[1:]:
        master.ask("FLUSHALL")
    master_of_two(servers).ask("FLUSHALL")
    return servers.url


def master_of_two(servers: Nodes) -> Node:
    return servers.of_slot(0)


def replica_of_two(servers: Nodes) -> Node:
    return next(
        node for node in (servers.masters[0], servers.spare) if node is not master_of_two(servers)
    )


def pools_on(system: System, servers: Nodes, node: Node) -> list[str]:
    """Pools whose rings lie on that node, of some that are spread over all nodes."""
    made = {
        name: pool(system, 3, name).id for name in (f"Pool {number}" for number in range(POOLS))
    }
    for name in made:
        assert give_leads(system, 4, name) == "abca"
    return [name for name, pool_id in made.items() if servers.home(pool_id) is node]


def ids(system: System, names: list[str]) -> list[int]:
    found = {row["name"]: int(row["id"]) for row in rows(system, "SELECT id, name FROM users")}
    return [found[name] for name in names]


def take_over(dead: Node, heir: Node, servers: Nodes) -> None:
    heir.ask("CLUSTER", "FAILOVER", "TAKEOVER")
    wait_until(
        lambda: all(sees_as_master(node, heir) for node in servers.all if node is not dead),
        "the cluster to know its new master",
    )


def sees_as_master(witness: Node, node: Node) -> bool:
    slots = witness.ask("CLUSTER", "SLOTS")
    return any(first == 0 and serving[0][1] == node.proxy.port for first, _, *serving in slots)


def test_turns_that_a_lagging_replica_never_heard_of_are_not_given_again(
    system: System, servers: Nodes
) -> None:
    dead, stale = master_of_two(servers), replica_of_two(servers)
    names = pools_on(system, servers, dead)
    assert 0 < len(names) < POOLS
    wait_until(
        lambda: all(stale.ring(pool_id) == dead.ring(pool_id) for pool_id in ids(system, names)),
        "the replica",
    )

    dead.proxy.hold_back()
    for name in names:
        assert give_leads(system, 5, name) == "bcabc"
    assert is_replica_of(stale, dead)
    dead.kill()
    with pytest.raises(RingUnreachable):
        system.ring.ping()
    take_over(dead, stale, servers)
    system.ring.ping()

    assert [stale.ring(pool_id)["next"] for pool_id in ids(system, names)] == ["5"] * len(names)
    assert last_turn(system) == 9
    assert [give_leads_patiently(system, 4, name) for name in names] == ["abca"] * len(names)
    others = [name for name in (f"Pool {number}" for number in range(POOLS)) if name not in names]
    assert [give_leads_patiently(system, 2, name) for name in others] == ["bc"] * len(others)
    assert_promise(system)

    dead.proxy.let_go()
    dead.start()
    wait_until(lambda: is_replica_of(dead, stale), "the old master to be a replica")
    join(system, "d@example.com", name=names[0])
    assert give_leads_patiently(system, 3, names[0]) == "bcd"
    assert_promise(system)


def test_a_master_that_hangs_is_left_for_the_replica_that_took_over(
    system: System, servers: Nodes
) -> None:
    hung, heir = master_of_two(servers), replica_of_two(servers)
    [name, *_] = pools_on(system, servers, hung)
    [pool_id] = ids(system, [name])
    wait_until(lambda: heir.ring(pool_id) == hung.ring(pool_id), "the replica")

    with hanging(hung):
        take_over(hung, heir, servers)
        state = system.ring.state(pool_id)
        assert state is not None
        assert state.next_turn == 5
        assert give_leads(system, 2, name) == "bc"

    wait_until(lambda: is_replica_of(hung, heir), "the old master to be a replica")
    assert_promise(system)


def test_every_lead_gets_its_owner_while_a_lagging_replica_takes_over(
    system: System, servers: Nodes
) -> None:
    dead, stale = master_of_two(servers), replica_of_two(servers)
    [name, *_] = pools_on(system, servers, dead)
    before = give_leads(system, 2, name)

    with leads_coming_in(system, name=name) as owners:
        dead.proxy.hold_back()
        come(owners, 12)
        dead.kill()
        take_over(dead, stale, servers)
        come(owners, 12)
        dead.proxy.let_go()
        dead.start()
        wait_until(lambda: is_replica_of(dead, stale), "the old master to be a replica")

    assert turns_are_shared_evenly([*"abca", *before, *owners], "abc")
    assert_promise(system)
