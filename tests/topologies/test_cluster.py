"""On a Redis Cluster each pool's ring lies in one slot, the pools are spread over all nodes, and
slots may move."""

from collections.abc import Iterator
from itertools import cycle, islice

import pytest

from tests.support.factories import give, give_leads, imported, join, lead, leave, pool, sheet
from tests.support.invariants import assert_in_file_order, assert_promise, rows
from tests.support.tasks import Tasks
from tests.topologies.patience import (
    GIVES_UP_SECONDS,
    give_leads_patiently,
    hanging,
    seconds_until_unreachable,
)
from tests.topologies.servers import Node, Nodes, cluster, identity
from worker.errors.servers import RingUnreachable
from worker.flows.system import System
from worker.ring.rate_counters import Counts
from worker.settings import LOOPBACK

POOLS = 5


@pytest.fixture(scope="module")
def servers() -> Iterator[Nodes]:
    with cluster() as started:
        yield started


@pytest.fixture
def url(servers: Nodes) -> str:
    for node in servers.all:
        node.ask("FLUSHALL")
    return servers.url


def pools_on_all_nodes(system: System, servers: Nodes) -> dict[str, int]:
    """The ids of some pools by their names: as many as it takes until each node has the ring of
    one."""
    made: dict[str, int] = {}
    while len(made) < POOLS or len({servers.home(pool_id).port for pool_id in made.values()}) < len(
        servers.masters
    ):
        name = f"Pool {len(made)}"
        made[name] = pool(system, 3, name).id
    return made


def keys_on(node: Node) -> list[str]:
    with node.client as client:
        return list(map(str, client.keys()))


def test_pools_spread_over_all_nodes_take_turns_and_change_rosters(
    system: System, servers: Nodes
) -> None:
    made = pools_on_all_nodes(system, servers)

    for name in made:
        assert give_leads(system, 4, name) == "abca"
        join(system, "d@example.com", name=name)
        leave(system, "b@example.com", name=name)
        assert give_leads(system, 4, name) == "cdac"

    assert all(keys_on(master) for master in servers.masters)
    for pool_id in made.values():
        tag, home = f"{{pool:{pool_id}}}", servers.home(pool_id)
        of_pool = [key for key in keys_on(home) if key.startswith(tag)]
        assert len(of_pool) == len(("ring", "members")) + 8
        assert {home.ask("CLUSTER", "KEYSLOT", key) for key in of_pool} == {servers.slot(pool_id)}
        assert not [
            key
            for master in servers.masters
            if master is not home
            for key in keys_on(master)
            if key.startswith(tag)
        ]
    assert_promise(system)


def test_an_import_reserves_its_block_and_is_loaded_in_file_order(
    system: System, servers: Nodes, send: Tasks
) -> None:
    pool(system, 3)
    assert give_leads(system, 2) == "ab"

    run_id = imported(system, send, sheet(700))

    assert assert_in_file_order(system, run_id) == list(range(3, 703))
    assert give_leads(system, 2) == "ab"
    assert_promise(system)


def test_turns_go_on_where_they_were_when_a_cluster_forgets_everything(
    system: System, servers: Nodes
) -> None:
    made = pools_on_all_nodes(system, servers)
    for name in made:
        assert give_leads(system, 4, name) == "abca"

    for master in servers.masters:
        master.ask("FLUSHALL")
        master.ask("SCRIPT", "FLUSH")

    assert [give_leads(system, 3, name) for name in made] == ["bca"] * len(made)
    assert_promise(system)


def test_a_ring_is_dropped_with_all_its_keys(system: System, servers: Nodes) -> None:
    inbound = pool(system, 3)
    give_leads(system, 1)

    system.ring.drop(inbound.id)

    assert system.ring.state(inbound.id) is None
    assert [
        key for master in servers.masters for key in keys_on(master) if "claim" not in key
    ] == []
    assert give_leads(system, 1) == "b"
    assert_promise(system)


def test_a_pool_goes_on_when_its_slot_moves_to_a_node_that_has_just_joined(
    system: System, servers: Nodes
) -> None:
    inbound = pool(system, 3)
    slot, old, new = servers.slot(inbound.id), servers.home(inbound.id), servers.spare
    record_id, owners = lead(system), cycle("abc")
    assert give_leads(system, 4) == "".join(islice(owners, 4))

    new.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", identity(old))
    old.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", identity(new))
    with pytest.raises(RingUnreachable, match="Redis Cluster"):
        give(system, record_id)  # its claim is new, and would lie on the other node than the ring
    old.ask("MIGRATE", LOOPBACK, new.port, "", 0, 5000, "KEYS", *keys_of_slot(old, slot))
    assert keys_on(new)
    assert system.ring.epoch(inbound.id) == rows(system, "SELECT epoch FROM pools")[0]["epoch"]
    for node in (new, old, *servers.masters):
        node.ask("CLUSTER", "SETSLOT", slot, "NODE", identity(new))

    state = system.ring.state(inbound.id)
    assert state is not None
    assert state.next_turn == 5
    assert give(system, record_id)[0][0] == next(owners)
    assert give_leads(system, 3) == "".join(islice(owners, 3))
    assert_promise(system)


def keys_of_slot(node: Node, slot: int) -> list[str]:
    return list(node.ask("CLUSTER", "GETKEYSINSLOT", slot, 1000))


def test_a_node_that_hangs_is_not_waited_for_long_and_the_others_serve_their_pools(
    system: System, servers: Nodes
) -> None:
    made = pools_on_all_nodes(system, servers)
    hung = servers.masters[0]
    [served, *_] = [name for name, pool_id in made.items() if servers.home(pool_id) is not hung]
    [waiting, *_] = [name for name, pool_id in made.items() if servers.home(pool_id) is hung]
    assert give_leads(system, 2, served) == give_leads(system, 2, waiting) == "ab"

    with hanging(hung):
        assert (
            seconds_until_unreachable(lambda: system.ring.state(made[waiting])) < GIVES_UP_SECONDS
        )
        assert give_leads(system, 2, served) == "ca"

    assert give_leads_patiently(system, 2, waiting) == "ca"
    assert_promise(system)


def test_a_cluster_that_hangs_is_not_waited_for_long(system: System, servers: Nodes) -> None:
    inbound = pool(system, 3)
    assert give_leads(system, 2) == "ab"

    with hanging(*servers.all):
        assert seconds_until_unreachable(lambda: system.ring.epoch(inbound.id)) < GIVES_UP_SECONDS

    assert give_leads_patiently(system, 2) == "ca"
    assert_promise(system)


def test_requests_are_counted_on_all_nodes(url: str, servers: Nodes) -> None:
    counts = Counts(url)

    added = [counts.add(f"token-{number}", 60) for _ in range(2) for number in range(20)]

    counts.close()
    assert added == [1] * 20 + [2] * 20
    assert all(keys_on(master) for master in servers.masters)
    assert sorted(key for master in servers.masters for key in keys_on(master)) == sorted(
        f"evenhand:limit:token-{n}" for n in range(20)
    )
