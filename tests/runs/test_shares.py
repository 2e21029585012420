"""Forecasts: who would get how many records, and how many of these they have already."""

from collections import Counter
from itertools import repeat

from hypothesis import given
from hypothesis import strategies as st

from worker.domain.runs.dry_runs import ExpectedShare, count_shares
from worker.domain.turns.turns import Span, Turns, Upcoming

A, B, C = 11, 12, 13

PEOPLE = st.sampled_from([A, B, C])


def test_each_member_is_told_in_their_order_even_who_would_get_nothing() -> None:
    assert count_shares([C, A, B], [C, A, C], [None, A, B]) == [
        ExpectedShare(C, 2, 0),
        ExpectedShare(A, 1, 1),
        ExpectedShare(B, 0, 0),
    ]


def test_whoever_gets_something_without_being_a_member_is_told_last() -> None:
    assert count_shares([A], [B, A, C], repeat(None, 3)) == [
        ExpectedShare(A, 1, 0),
        ExpectedShare(B, 1, 0),
        ExpectedShare(C, 1, 0),
    ]


def test_without_records_nobody_gets_any() -> None:
    assert count_shares([A, B], iter(()), iter(())) == [
        ExpectedShare(A, 0, 0),
        ExpectedShare(B, 0, 0),
    ]


@given(st.lists(st.tuples(PEOPLE, PEOPLE)))
def test_shares_are_what_counting_one_by_one_gives(pairs: list[tuple[int, int]]) -> None:
    found = count_shares([A, B, C], (owner for owner, _ in pairs), (before for _, before in pairs))

    assert {share.user_id: share.records for share in found if share.records} == Counter(
        owner for owner, _ in pairs
    )
    assert sum(share.stay for share in found) == sum(owner == before for owner, before in pairs)


def test_turns_that_came_back_are_the_first_that_are_handed_out() -> None:
    upcoming = Upcoming(Turns([Span(3, 2), Span(8, 1)]), 20)

    assert [list(upcoming.first(count).each()) for count in (1, 3, 5)] == [
        [3],
        [3, 4, 8],
        [3, 4, 8, 20, 21],
    ]
    assert list(Upcoming(Turns(), 1).first(2).each()) == [1, 2]
