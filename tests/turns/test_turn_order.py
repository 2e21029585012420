"""Who gets the next record: the examples that a team tells each other."""

import pytest

from tests.support.factories import email, give, give_leads, join, lead, leave, pool
from tests.support.invariants import assert_promise, rows
from worker.errors.turns import EmptyPool
from worker.flows.system import System


def test_three_members_get_one_each_and_then_the_first_again(system: System) -> None:
    pool(system, 3)

    assert give_leads(system, 7) == "abcabca"
    assert_promise(system)


def test_the_first_member_added_has_turn_1(system: System) -> None:
    pool(system, ["c@example.com", "a@example.com", "b@example.com"])

    assert give_leads(system, 4) == "cabc"


def test_several_leads_at_once_get_turns_in_their_order(system: System) -> None:
    pool(system, 3)
    leads = [lead(system) for _ in range(4)]

    assert give(system, *leads) == [email(0), email(1), email(2), email(0)]
    assert_promise(system)


def test_turns_follow_the_order_asked_for_not_the_ids(system: System) -> None:
    pool(system, 3)
    leads = [lead(system) for _ in range(3)]

    assert give(system, *reversed(leads)) == [email(0), email(1), email(2)]
    assert rows(system, "SELECT record_id FROM ledger ORDER BY turn") == [
        {"record_id": record_id} for record_id in reversed(leads)
    ]


def test_a_new_member_goes_to_the_end_and_next_stays_next(system: System) -> None:
    pool(system, 3)
    assert give_leads(system, 1) == "a"

    join(system, email(3))

    assert give_leads(system, 6) == "bcdabc"
    assert_promise(system)


def test_a_member_who_joins_at_the_end_of_a_round_waits_for_a_whole_one(system: System) -> None:
    pool(system, 3)
    assert give_leads(system, 3) == "abc"

    join(system, email(3))

    assert give_leads(system, 5) == "abcda"


def test_a_removed_member_leaves_no_hole(system: System) -> None:
    pool(system, 3)
    assert give_leads(system, 1) == "a"

    leave(system, email(1))

    assert give_leads(system, 4) == "caca"
    assert [row["turn"] for row in rows(system, "SELECT turn FROM ledger ORDER BY turn")] == [
        1,
        2,
        3,
        4,
        5,
    ]
    assert_promise(system)


def test_when_the_last_in_the_list_leaves_while_next_the_first_is_next(system: System) -> None:
    pool(system, 3)
    assert give_leads(system, 2) == "ab"

    leave(system, email(2))

    assert give_leads(system, 3) == "aba"


def test_a_member_who_comes_back_is_at_the_end(system: System) -> None:
    pool(system, 3)
    leave(system, email(0))
    join(system, email(0))

    assert give_leads(system, 4) == "bcab"
    assert_promise(system)


def test_rosters_that_no_turn_was_taken_under_change_nothing(system: System) -> None:
    pool(system, 3)
    assert give_leads(system, 1) == "a"
    join(system, email(3))
    leave(system, email(3))
    join(system, email(4))

    assert give_leads(system, 5) == "bceab"
    assert_promise(system)


def test_a_pool_that_all_left_waits_for_somebody_to_join(system: System) -> None:
    pool(system, 2)
    assert give_leads(system, 1) == "a"

    leave(system, email(0), email(1))

    with pytest.raises(EmptyPool, match="The pool Inbound has no members"):
        give(system, lead(system))
    join(system, email(2))
    assert give_leads(system, 2) == "cc"
    assert_promise(system)


def test_members_can_join_a_pool_that_began_empty(system: System) -> None:
    pool(system, 0)
    with pytest.raises(EmptyPool):
        give(system, lead(system))

    join(system, email(1), email(0))

    assert give_leads(system, 3) == "bab"
    assert_promise(system)
