"""change_roster: next stays next, or else the member after them is next."""

import pytest
from redis import Redis

from tests.ring.rings import POOL, seed, take, who_is_next
from worker.domain.turns.turns import Turns
from worker.errors.turns import EmptyRoster, Stale, Unseeded
from worker.ring import Ring


def test_a_newcomer_at_the_end_changes_nothing_about_who_is_next(ring: Ring) -> None:
    seed(ring)
    take(ring, "a")

    change = ring.change_roster(POOL, "e1", 1, [11, 12, 13, 14])

    assert change == (2, 1, 0)
    assert who_is_next(ring) == (2, 12)


def test_the_roster_version_goes_up_by_one(ring: Ring) -> None:
    seed(ring, version=9)

    ring.change_roster(POOL, "e1", 9, [11])

    assert ring.take_turns(POOL, [("a", 1)]).version == 10


def test_when_the_next_member_leaves_the_one_after_them_is_next(ring: Ring) -> None:
    seed(ring)
    take(ring, "a")

    ring.change_roster(POOL, "e1", 1, [11, 13])

    assert who_is_next(ring) == (2, 13)


def test_when_the_last_in_the_list_is_next_and_leaves_the_first_is_next(ring: Ring) -> None:
    seed(ring)
    take(ring, ("a", 2))

    ring.change_roster(POOL, "e1", 1, [11, 12])

    assert who_is_next(ring) == (3, 11)


def test_when_several_leave_the_first_who_stays_is_next(ring: Ring) -> None:
    seed(ring, members=(11, 12, 13, 14, 15))
    take(ring, "a")

    change = ring.change_roster(POOL, "e1", 1, [11, 15, 16])

    assert (change.first_turn, change.first_slot) == (2, 1)
    assert who_is_next(ring) == (2, 15)


def test_when_somebody_else_leaves_next_stays_next(ring: Ring) -> None:
    seed(ring)
    take(ring, ("a", 2))

    ring.change_roster(POOL, "e1", 1, [12, 13])

    assert who_is_next(ring) == (3, 13)


def test_all_may_leave_and_the_turns_go_on_with_who_joins(ring: Ring) -> None:
    seed(ring)
    take(ring, "a")

    assert ring.change_roster(POOL, "e1", 1, []) == (2, 0, 0)
    with pytest.raises(EmptyRoster):
        take(ring, "b")

    assert ring.change_roster(POOL, "e1", 2, [14]) == (2, 0, 0)
    assert take(ring, "b") == ["2:1"]
    assert who_is_next(ring) == (3, 14)


def test_the_answer_tells_how_many_spans_wait_to_be_taken_again(ring: Ring) -> None:
    seed(ring, next_turn=9, returned="2:4 7:1")

    assert ring.change_roster(POOL, "e1", 1, [11]).returned == 2


def test_returned_turns_stay(ring: Ring) -> None:
    seed(ring, next_turn=9, returned="2:4")

    ring.change_roster(POOL, "e1", 1, [11])

    state = ring.state(POOL)
    assert state is not None
    assert state.returned == Turns.parse("2:4")


@pytest.mark.parametrize(("epoch", "version"), [("e0", 1), ("e1", 0), ("e1", 2)])
def test_a_change_made_for_another_epoch_or_version_is_stale(
    ring: Ring, epoch: str, version: int
) -> None:
    seed(ring)
    before = ring.state(POOL)

    with pytest.raises(Stale):
        ring.change_roster(POOL, epoch, version, [14])

    assert ring.state(POOL) == before


def test_a_change_repeated_is_stale(ring: Ring) -> None:
    seed(ring)
    ring.change_roster(POOL, "e1", 1, [11, 12])

    with pytest.raises(Stale):
        ring.change_roster(POOL, "e1", 1, [11, 12])


def test_a_ring_without_state_has_no_roster_to_change(ring: Ring, ring_client: Redis) -> None:
    with pytest.raises(Unseeded):
        ring.change_roster(POOL, "e1", 1, [11])

    assert ring_client.keys() == []
