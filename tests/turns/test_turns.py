"""Turns and spans."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from worker.domain.turns.turns import Span, Turns, find_gaps, intersect, merge, share_a_turn

SPANS = st.builds(Span, st.integers(1, 60), st.integers(1, 12))
TURNS = st.lists(SPANS, max_size=6).map(Turns)


def test_a_span_is_written_as_first_and_count() -> None:
    assert str(Span(17, 4)) == "17:4"
    assert Span.parse("17:4") == Span(17, 4)
    assert Span(17, 4).last == 20


@given(SPANS, SPANS)
def test_spans_overlap_when_they_share_a_turn(one: Span, other: Span) -> None:
    assert one.overlaps(other) == bool({*Turns([one]).each()} & {*Turns([other]).each()})


@given(TURNS)
def test_turns_come_back_as_they_were_written(turns: Turns) -> None:
    assert Turns.parse(str(turns)) == turns
    assert turns.total == len(list(turns.each()))


@given(TURNS, st.integers(0, 70), st.integers(0, 70))
def test_a_slice_is_the_turns_at_those_ordinals(turns: Turns, start: int, count: int) -> None:
    part = turns.slice(start, count)

    assert list(part.each()) == list(turns.each())[start : start + count]
    assert all(span.count for span in part)


@given(st.lists(SPANS, max_size=8), st.integers(1, 60), st.integers(0, 80))
def test_holes_are_the_turns_in_none_of_the_spans(used: list[Span], first: int, last: int) -> None:
    found = list(find_gaps(used, first, last))

    taken = {turn for span in used for turn in range(span.first, span.last + 1)}
    assert list(Turns(found).each()) == [
        turn for turn in range(first, last + 1) if turn not in taken
    ]
    assert all(before.last + 1 < after.first for before, after in itertools.pairwise(found))


@given(TURNS, TURNS)
def test_spans_meet_when_a_turn_is_in_both(some: Turns, others: Turns) -> None:
    assert share_a_turn(some, others) == bool({*some.each()} & {*others.each()})
    assert {*Turns(intersect(merge(some), merge(others))).each()} == {*some.each()} & {
        *others.each()
    }


def test_many_spans_are_compared_with_many_without_a_word() -> None:
    even, odd = ([Span(turn, 1) for turn in range(first, 200_000, 2)] for first in (1, 2))

    assert not share_a_turn(even, odd)
    assert share_a_turn(even, [*odd, even[-1]])
