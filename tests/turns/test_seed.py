"""Seeding: whatever Redis forgets or makes up, the ledger puts right."""

import pytest
from redis import Redis

from tests.support.factories import email, give, give_leads, join, lead, leave, person, pool
from tests.support.faults import photograph, roll_back
from tests.support.invariants import assert_promise, rows
from worker.domain.turns.turns import Turns
from worker.errors.turns import EmptyPool, Stale
from worker.flows.system import System
from worker.flows.turns import assign, seed
from worker.store.turns import pools


def epoch(system: System, pool_id: int) -> str:
    return str(rows(system, "SELECT epoch FROM pools WHERE id = :id", id=pool_id)[0]["epoch"])


def lose_turns(system: System, pool_id: int, count: int) -> None:
    """Takes turns that nobody enters: a worker dies in between and its task never comes again."""
    if system.ring.state(pool_id) is None:
        seed_again(system, pool_id)
    system.ring.take_turns(pool_id, [(f"lost:{epoch(system, pool_id)}:{count}", count)])


def seed_again(system: System, pool_id: int) -> None:
    system.transact(seed.seed_again, pool_id, "a test")


def returned(system: System, pool_id: int) -> list[int]:
    state = system.ring.state(pool_id)
    assert state is not None
    return list(state.returned.each())


def test_turns_go_on_where_they_were_when_redis_forgets_everything(
    system: System, valkey: Redis
) -> None:
    inbound = pool(system, 3)
    assert give_leads(system, 4) == "abca"
    before = epoch(system, inbound.id)

    valkey.flushall()

    assert give_leads(system, 4) == "bcab"
    assert epoch(system, inbound.id) != before
    assert_promise(system)


def test_a_roster_can_be_changed_when_redis_has_forgotten_everything(
    system: System, valkey: Redis
) -> None:
    pool(system, 3)
    give_leads(system, 1)
    valkey.flushall()

    join(system, email(3))
    valkey.flushall()
    leave(system, email(1))

    assert give_leads(system, 4) == "cdac"
    assert_promise(system)


def test_a_ring_that_went_back_in_time_is_refused_and_seeded(system: System, valkey: Redis) -> None:
    inbound = pool(system, 3)
    give_leads(system, 2)
    earlier = photograph(valkey)
    assert give_leads(system, 3) == "cab"
    before = epoch(system, inbound.id)

    roll_back(valkey, earlier)

    assert give_leads(system, 3) == "cab"
    assert epoch(system, inbound.id) != before
    assert_promise(system)


def test_a_ring_that_went_back_across_a_seeding_is_refused_and_seeded(
    system: System, valkey: Redis
) -> None:
    pool(system, 3)
    give_leads(system, 2)
    earlier = photograph(valkey)
    valkey.flushall()
    assert give_leads(system, 2) == "ca"

    roll_back(valkey, earlier)

    assert give_leads(system, 2) == "bc"
    assert_promise(system)


def test_a_ring_that_went_back_behind_an_open_block_is_refused(
    system: System, valkey: Redis
) -> None:
    inbound = pool(system, 3)
    give_leads(system, 1)
    earlier = photograph(valkey)
    system.transact(assign.reserve, inbound.id, "import:1", 4)

    roll_back(valkey, earlier)

    assert give_leads(system, 2) == "ca"
    assert (
        system.transact(lambda session: str(assign.reserve(session, inbound.id, "import:2", 2)))
        == "8:2"
    )
    assert_promise(system)


def test_a_roster_change_that_meets_a_ring_gone_back_does_not_begin_in_the_past(
    system: System, valkey: Redis
) -> None:
    pool(system, 3)
    give_leads(system, 1)
    earlier = photograph(valkey)
    give_leads(system, 3)

    roll_back(valkey, earlier)
    join(system, email(3))

    assert give_leads(system, 4) == "bcda"
    assert_promise(system)


def test_a_ring_from_before_a_roster_change_is_refused(system: System, valkey: Redis) -> None:
    pool(system, 3)
    give_leads(system, 1)
    earlier = photograph(valkey)
    leave(system, email(1))

    roll_back(valkey, earlier)

    assert give_leads(system, 3) == "cac"
    assert_promise(system)


def test_a_ring_from_before_all_left_hands_out_nothing(system: System, valkey: Redis) -> None:
    pool(system, 2)
    give_leads(system, 1)
    earlier = photograph(valkey)
    leave(system, email(0), email(1))

    roll_back(valkey, earlier)

    with pytest.raises(EmptyPool):
        give(system, lead(system))
    assert_promise(system)


def test_a_roster_change_that_died_before_it_was_committed_never_was(system: System) -> None:
    inbound = pool(system, 3)
    give_leads(system, 1)
    with system.reading() as session:
        roster = pools.get_latest_roster(session, inbound.id)
    system.ring.change_roster(
        inbound.id, epoch(system, inbound.id), 1, [*roster.members, person(system, email(3))]
    )

    assert give_leads(system, 4) == "bcab"
    assert_promise(system)


@pytest.mark.parametrize("leavers", [[email(0), email(1), email(2)], [email(1)]])
def test_leaving_that_died_before_it_was_committed_never_was(
    system: System, leavers: list[str]
) -> None:
    inbound = pool(system, 3)
    give_leads(system, 1)
    gone = [person(system, leaver) for leaver in leavers]
    with system.reading() as session:
        stay = [
            member
            for member in pools.get_latest_roster(session, inbound.id).members
            if member not in gone
        ]
    system.ring.change_roster(inbound.id, epoch(system, inbound.id), 1, stay)

    assert give_leads(system, 3) == "bca"
    assert_promise(system)


def test_a_seeding_that_died_before_it_was_committed_is_done_again(system: System) -> None:
    inbound = pool(system, 3)
    give_leads(system, 2)
    with system.reading() as session:
        roster = pools.get_latest_roster(session, inbound.id)
    system.ring.seed(inbound.id, epoch(system, inbound.id), "never committed", roster, 9, Turns())

    assert give_leads(system, 3) == "cab"
    assert_promise(system)


def test_turns_that_were_never_entered_are_the_next_to_be_handed_out(system: System) -> None:
    inbound = pool(system, 3)
    give_leads(system, 1)
    lose_turns(system, inbound.id, 2)
    assert give_leads(system, 1) == "a"

    seed_again(system, inbound.id)

    assert returned(system, inbound.id) == [2, 3]
    assert give_leads(system, 3) == "bcb"
    assert [row["turn"] for row in rows(system, "SELECT turn FROM ledger ORDER BY turn")] == [
        1,
        2,
        3,
        4,
        5,
    ]
    assert_promise(system)


def test_returned_turns_are_still_next_when_redis_goes_back_to_before_they_came_back(
    system: System, valkey: Redis
) -> None:
    inbound = pool(system, 3)
    lose_turns(system, inbound.id, 3)
    give_leads(system, 1)
    earlier = photograph(valkey)
    seed_again(system, inbound.id)

    roll_back(valkey, earlier)

    assert give_leads(system, 4) == "abcb"
    assert_promise(system)


def test_returned_turns_of_who_left_are_void_and_the_others_are_handed_out(system: System) -> None:
    inbound = pool(system, 3)
    lose_turns(system, inbound.id, 3)
    give_leads(system, 1)

    seed_again(system, inbound.id)
    leave(system, email(1))

    assert returned(system, inbound.id) == [1, 3]
    [void] = rows(system, "SELECT turn, user_id, cause FROM ledger WHERE record_id IS NULL")
    assert (void["turn"], void["user_id"], void["cause"]) == (2, person(system, email(1)), "void")
    assert give_leads(system, 4) == "acca"
    assert_promise(system)


def test_lost_turns_of_who_left_meanwhile_are_void(system: System) -> None:
    inbound = pool(system, 3)
    lose_turns(system, inbound.id, 3)
    give_leads(system, 1)
    leave(system, email(0))

    seed_again(system, inbound.id)

    assert returned(system, inbound.id) == [2, 3]
    assert_promise(system)


def test_a_claim_lost_before_a_seeding_is_given_another_turn_after_it(
    system: System, valkey: Redis
) -> None:
    inbound = pool(system, 3)
    first, second = lead(system), lead(system)
    system.ring.drop(inbound.id)
    give_leads(system, 1)
    system.ring.take_turns(inbound.id, [(f"lead:{second}:edit", 1)])

    valkey.flushall()

    assert give(system, first, second) == [email(1), email(2)]
    assert_promise(system)


def test_whoever_comes_second_to_a_seeding_leaves_it_alone(system: System) -> None:
    inbound = pool(system, 3)
    stumbled = epoch(system, inbound.id)
    give_leads(system, 1)
    seeded = epoch(system, inbound.id)

    system.transact(seed.seed, inbound.id, None, "a test")
    system.transact(seed.seed, inbound.id, stumbled, "a test")

    assert stumbled != seeded == epoch(system, inbound.id)


def test_two_seedings_at_once_are_told_apart_in_redis(system: System) -> None:
    inbound = pool(system, 3)
    give_leads(system, 1)
    with system.reading() as session:
        roster = pools.get_latest_roster(session, inbound.id)

    system.ring.seed(inbound.id, epoch(system, inbound.id), "faster", roster, 2, Turns())

    with pytest.raises(Stale):
        system.ring.seed(inbound.id, epoch(system, inbound.id), "slower", roster, 2, Turns())


def test_the_watermark_stands_before_the_first_turn_that_is_not_entered(system: System) -> None:
    inbound = pool(system, 3)
    give_leads(system, 4)

    def watermark() -> int:
        seed_again(system, inbound.id)
        return int(rows(system, "SELECT watermark FROM pools")[0]["watermark"])

    assert watermark() == 4
    system.transact(assign.reserve, inbound.id, "import:1", 2)
    give_leads(system, 1)
    assert watermark() == 4
    lose_turns(system, inbound.id, 1)
    give_leads(system, 1)
    assert watermark() == 4
    assert returned(system, inbound.id) == [8]


def test_what_lies_below_the_watermark_is_not_read_again(system: System) -> None:
    inbound = pool(system, 3)
    give_leads(system, 3)
    seed_again(system, inbound.id)
    lose_turns(system, inbound.id, 1)
    give_leads(system, 2)

    seed_again(system, inbound.id)

    assert returned(system, inbound.id) == [4]
    assert give_leads(system, 2) == "aa"
    assert_promise(system)
