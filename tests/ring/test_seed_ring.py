"""seed_ring: the whole ring under a new epoch, once, if nobody else was faster."""

import pytest

from tests.ring.rings import POOL, seed, take, who_is_next
from worker.domain.turns.rosters import Roster
from worker.domain.turns.turns import Turns
from worker.errors.turns import Stale
from worker.ring import Ring, RingState


def test_a_seeded_ring_is_what_was_written(ring: Ring) -> None:
    ring.seed(POOL, None, "e1", Roster(3, 10, 1, (11, 12, 13)), 12, Turns.parse("4:2 8:1"))

    assert ring.state(POOL) == RingState("e1", 3, 12, 0, 3, (11, 12, 13), Turns.parse("4:2 8:1"))


def test_a_ring_without_members_can_be_seeded(ring: Ring) -> None:
    seed(ring, members=(), next_turn=5)

    assert who_is_next(ring) == (5, None)


def test_nothing_of_the_old_ring_is_left(ring: Ring) -> None:
    seed(ring, next_turn=30, returned="2:4")

    seed(ring, members=(14,), epoch="e2", seen="e1", next_turn=5)

    assert ring.state(POOL) == RingState("e2", 1, 5, 0, 1, (14,), Turns())


@pytest.mark.parametrize("seen", [None, "e0"])
def test_whoever_saw_another_epoch_writes_nothing(ring: Ring, seen: str | None) -> None:
    seed(ring)
    before = ring.state(POOL)

    with pytest.raises(Stale):
        seed(ring, epoch="e2", seen=seen, next_turn=9)

    assert ring.state(POOL) == before


def test_whoever_saw_an_epoch_that_is_gone_writes_nothing(ring: Ring) -> None:
    with pytest.raises(Stale):
        seed(ring, epoch="e2", seen="e1")

    assert ring.state(POOL) is None


def test_a_seeding_repeated_changes_nothing(ring: Ring) -> None:
    seed(ring, returned="2:1", next_turn=4)
    take(ring, ("a", 2))
    before = ring.state(POOL)

    seed(ring, returned="2:1", next_turn=4)

    assert ring.state(POOL) == before
