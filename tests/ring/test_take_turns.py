"""take_turns: each claim once, returned turns first, then the ring."""

import pytest
from redis import Redis

from tests.ring.rings import POOL, seed, take, who_is_next
from worker.errors.turns import EmptyRoster, Unseeded
from worker.ring import Ring


def test_turns_are_handed_out_one_after_another(ring: Ring) -> None:
    seed(ring)

    first, second = take(ring, "lead:1:capture"), take(ring, "lead:2:capture", "lead:3:capture")

    assert (first, second) == (["1:1"], ["2:1", "3:1"])


def test_the_answer_tells_epoch_and_roster_version(ring: Ring) -> None:
    seed(ring, epoch="e9", version=4)

    taken = ring.take_turns(POOL, [("a", 1)])

    assert (taken.epoch, taken.version) == ("e9", 4)


def test_the_same_claim_gets_the_same_turns_again(ring: Ring) -> None:
    seed(ring)
    first = take(ring, "a", ("b", 5))

    again = take(ring, ("b", 5), "c", "a")

    assert first == ["1:1", "2:5"]
    assert again == ["2:5", "7:1", "1:1"]


def test_a_claim_named_twice_in_one_call_takes_once(ring: Ring) -> None:
    seed(ring)

    assert take(ring, "a", "a", "b") == ["1:1", "1:1", "2:1"]


def test_a_claim_of_an_older_epoch_is_taken_again(ring: Ring) -> None:
    seed(ring)
    take(ring, ("a", 3))

    seed(ring, epoch="e2", seen="e1", next_turn=2)

    assert take(ring, ("a", 3)) == ["2:3"]
    assert take(ring, ("a", 3)) == ["2:3"]


def test_returned_turns_go_first_and_are_split(ring: Ring) -> None:
    seed(ring, next_turn=20, returned="3:2 9:3")

    assert take(ring, "a") == ["3:1"]
    assert take(ring, ("b", 3)) == ["4:1 9:2"]
    assert take(ring, ("c", 4)) == ["11:1 20:3"]
    assert take(ring, "d") == ["23:1"]


def test_returned_turns_do_not_move_the_cursor(ring: Ring) -> None:
    seed(ring, next_turn=20, returned="3:2")

    take(ring, ("a", 2))

    assert who_is_next(ring) == (20, 11)


def test_the_cursor_goes_round(ring: Ring) -> None:
    seed(ring)

    seen = []
    for number in range(7):
        seen.append(who_is_next(ring))
        take(ring, f"claim {number}")

    assert seen == [(1, 11), (2, 12), (3, 13), (4, 11), (5, 12), (6, 13), (7, 11)]


def test_a_block_of_a_million_turns_is_one_span(ring: Ring) -> None:
    seed(ring)

    assert take(ring, ("import:1", 1_000_000), "a") == ["1:1000000", "1000001:1"]
    assert who_is_next(ring) == (1_000_002, 13)


def test_turns_beyond_what_a_double_prints_stay_exact(ring: Ring) -> None:
    seed(ring, next_turn=10**15 + 1, returned=f"{10**15 - 1}:2")

    assert take(ring, ("a", 3), "b") == [f"{10**15 - 1}:2 {10**15 + 1}:1", f"{10**15 + 2}:1"]


def test_nothing_is_taken_from_a_ring_without_state(ring: Ring, ring_client: Redis) -> None:
    with pytest.raises(Unseeded):
        take(ring, "a")

    assert ring_client.keys() == []


def test_nothing_is_taken_from_an_empty_roster(ring: Ring) -> None:
    seed(ring, members=())

    with pytest.raises(EmptyRoster):
        take(ring, "a")

    seed(ring, epoch="e2", seen="e1")
    assert take(ring, "a") == ["1:1"]


def test_each_pool_has_its_own_ring(ring: Ring) -> None:
    seed(ring)
    take(ring, "a")

    with pytest.raises(Unseeded):
        ring.take_turns(POOL + 1, [("a", 1)])


def test_the_scripts_survive_being_forgotten_by_the_server(ring: Ring, ring_client: Redis) -> None:
    seed(ring)
    take(ring, "a")

    ring_client.script_flush()

    assert take(ring, "b") == ["2:1"]
    ring_client.script_flush()
    assert ring.change_roster(POOL, "e1", 1, [11, 12]).first_turn == 3
    ring_client.script_flush()
    seed(ring, epoch="e2", seen="e1", next_turn=3)
    assert take(ring, "c") == ["3:1"]


def test_all_keys_of_a_pool_lie_under_one_tag_and_claims_expire(
    ring: Ring, ring_client: Redis
) -> None:
    seed(ring, next_turn=9, returned="2:4")
    take(ring, "lead:1:capture", ("import:2", 2))
    ring.change_roster(POOL, "e1", 1, [12, 13, 14])

    left = {key: ring_client.ttl(key) for key in ring_client.scan_iter()}

    lasting = {f"{{pool:{POOL}}}:{name}" for name in ("ring", "members", "returned")}
    claims = {f"{{pool:{POOL}}}:claim:{name}" for name in ("lead:1:capture", "import:2")}
    assert set(left) == lasting | claims
    assert all(left[key] == -1 for key in lasting)
    assert all(23 * 3600 < left[key] <= 24 * 3600 for key in claims)


def test_a_dropped_ring_is_unseeded_and_leaves_claims_only(ring: Ring, ring_client: Redis) -> None:
    seed(ring, next_turn=9, returned="2:4")
    take(ring, "a")

    ring.drop(POOL)

    assert ring.state(POOL) is None
    assert ring.epoch(POOL) is None
    assert ring_client.keys() == [f"{{pool:{POOL}}}:claim:a"]
