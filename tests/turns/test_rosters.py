"""Rosters: who is rightful at each turn, also across changes."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from worker.domain.turns.rosters import Roster, Rosters
from worker.domain.turns.turns import Span

A, B, C, D = 11, 12, 13, 14


def test_the_first_member_has_turn_1_and_comes_again_after_the_last() -> None:
    roster = Roster(1, 1, 0, (A, B, C))

    assert [roster.member(turn) for turn in range(1, 8)] == [A, B, C, A, B, C, A]


def test_following_begins_with_whose_turn_it_is() -> None:
    roster = Roster(2, 10, 1, (A, B, C))

    assert roster.following(10) == (B, C, A)
    assert roster.following(12) == (A, B, C)
    assert Roster(2, 10, 0, ()).following(10) == ()


def test_a_newcomer_goes_to_the_end_and_next_stays_next() -> None:
    successor = Roster(1, 1, 0, (A, B, C)).succeeded_by((A, B, C, D), 3)

    assert successor == Roster(2, 3, 2, (A, B, C, D))
    assert [successor.member(turn) for turn in range(3, 8)] == [C, D, A, B, C]


def test_when_next_leaves_the_member_after_them_is_next() -> None:
    assert Roster(1, 1, 0, (A, B, C)).succeeded_by((A, C), 2).member(2) == C
    assert Roster(1, 1, 0, (A, B, C)).succeeded_by((A, B), 3).member(3) == A


def test_after_an_empty_roster_the_first_of_the_new_ones_is_next() -> None:
    empty = Roster(1, 1, 0, (A, B)).succeeded_by((), 2)

    assert empty == Roster(2, 2, 0, ())
    assert empty.succeeded_by((C, D), 2) == Roster(3, 2, 0, (C, D))


def test_of_rosters_that_begin_at_one_turn_the_latest_is_in_force() -> None:
    rosters = Rosters([Roster(3, 5, 0, (C,)), Roster(1, 1, 0, (A,)), Roster(2, 5, 0, (B,))])

    assert [rosters.member(turn) for turn in (4, 5, 6)] == [A, C, C]
    assert rosters.latest.version == 3


@st.composite
def histories(draw: st.DrawFn) -> Rosters:
    """Rosters that followed each other, some of them before any turn was taken."""
    rosters, users = [Roster(1, 1, 0, (1, 2))], 2
    for _ in range(draw(st.integers(0, 6))):
        old = rosters[-1]
        stay = tuple(user for user in old.members if draw(st.booleans()))
        users += 1
        rosters.append(old.succeeded_by((*stay, users), old.first_turn + draw(st.integers(0, 7))))
    return Rosters(rosters)


def naive_owner(rosters: Rosters, turn: int) -> int:
    """Counts from the first turn of the roster in force, one member at a time."""
    roster = [roster for roster in rosters if roster.first_turn <= turn][-1]
    line = [*roster.members[roster.first_slot :], *roster.members[: roster.first_slot]]
    for _ in range(turn - roster.first_turn):
        line.append(line.pop(0))
    return line[0]


@given(histories(), st.lists(st.builds(Span, st.integers(1, 40), st.integers(1, 20)), max_size=4))
def test_owners_of_spans_are_the_rightful_members_across_changes(
    rosters: Rosters, spans: list[Span]
) -> None:
    expected = [
        naive_owner(rosters, turn) for span in spans for turn in range(span.first, span.last + 1)
    ]

    assert list(rosters.owners(spans)) == expected
    assert [
        rosters.member(turn) for span in spans for turn in range(span.first, span.last + 1)
    ] == expected


@given(histories())
def test_whoever_is_next_and_stays_is_next_under_the_new_roster(rosters: Rosters) -> None:
    every = list(rosters)

    for old, new in itertools.pairwise(every):
        stay = [user for user in old.following(new.first_turn) if user in new.members]
        assert new.member(new.first_turn) == (stay[0] if stay else new.members[0])
