"""What verification reckons with: spans as streams, rosters in any state, and what a run should
have entered."""

from hypothesis import given
from hypothesis import strategies as st

from worker.domain.audit import reservations
from worker.domain.audit.reservations import Reservation, ReservingRun
from worker.domain.turns import claims, succession
from worker.domain.turns.rosters import Roster, Rosters
from worker.domain.turns.turns import Span, Turns, drop_last, find_islands, merge, subtract

A, B, C, D = 11, 12, 13, 14

SPANS = st.lists(st.builds(Span, st.integers(1, 60), st.integers(1, 8)), max_size=12).map(merge)
LOADED = ReservingRun("import", "loading", 6, 4, 0, 0, 1, 100)


def turns_in(spans: object) -> list[int]:
    return list(Turns(spans).each())  # type: ignore[arg-type]


@given(SPANS, SPANS)
def test_what_is_uncovered_is_in_none_of_the_covers(spans: list[Span], covers: list[Span]) -> None:
    assert turns_in(subtract(iter(spans), iter(covers))) == sorted(
        set(turns_in(spans)) - set(turns_in(covers))
    )


@given(SPANS, st.integers(0, 40))
def test_all_but_the_last_turns_are_the_first_ones(spans: list[Span], count: int) -> None:
    turns = turns_in(spans)

    assert turns_in(drop_last(iter(spans), count)) == turns[: max(len(turns) - count, 0)]


@given(SPANS)
def test_islands_are_as_long_as_they_can_be(spans: list[Span]) -> None:
    turns = turns_in(spans)

    assert [Span(turns[begin], end - begin) for begin, end in find_islands(turns)] == spans


@given(
    st.lists(
        st.builds(
            Roster,
            st.just(0),
            st.integers(-5, 40),
            st.integers(-3, 9),
            st.lists(st.integers(1, 5)).map(tuple),
        ),
        max_size=6,
    ),
    st.builds(Span, st.integers(-3, 45), st.integers(1, 30)),
)
def test_rosters_in_any_state_tell_who_is_rightful(drawn: list[Roster], span: Span) -> None:
    numbered = [
        Roster(version, each.first_turn, each.first_slot, each.members)
        for version, each in enumerate(drawn, 1)
    ]
    rosters = Rosters(numbered)

    told = list(rosters.rightful(span))

    for turn, user in enumerate(told, span.first):
        begun = [roster for roster in numbered if roster.first_turn <= turn]
        assert user == (begun[-1].member(turn) if begun and begun[-1].members else None)
    assert len(told) == span.count
    assert rosters.first_not_among(span, {1, 2, None}) == next(  # type: ignore[arg-type]
        (turn for turn, user in enumerate(told, span.first) if user not in {1, 2, None}), None
    )
    list(succession.find_faults(numbered))


def test_a_span_of_any_length_is_looked_through_at_once() -> None:
    rosters = Rosters([Roster(1, 1, 0, (A, B, C)), Roster(2, 10**15, 0, (A, B, C, D))])

    assert rosters.first_not_among(Span(1, 2 * 10**15), {A, B, C}) == 10**15 + 3


def test_rosters_that_follow_each_other_have_no_fault() -> None:
    first = Roster(1, 1, 0, (A, B, C))
    second = first.succeeded_by((A, C, D), 3)

    assert (
        list(
            succession.find_faults(
                [first, second, second.succeeded_by((), 9), Roster(4, 9, 0, (B,))]
            )
        )
        == []
    )


def booking(*loaded: tuple[int, int], turns: str = "3:2 10:4") -> Reservation:
    return Reservation("import:1", Turns.parse(turns), True, LOADED, loaded)


def faults(of: Reservation, *entries: tuple[int, int, int | None]) -> list[tuple[str, int | None]]:
    return [
        (violation.point, violation.turn) for violation in reservations.check_entries(of, entries)
    ]


def test_what_is_loaded_is_entered_in_the_order_of_the_block() -> None:
    right = [(0, 3, 100), (1, 4, 101), (2, 10, 102), (3, 11, 103)]

    assert faults(booking((0, 4)), *right) == []
    assert faults(booking((0, 2), (2, 2)), *right) == []
    assert reservations.join_pieces(booking((0, 1), (1, 3)).pieces()) == [
        (0, Span(3, 2)),
        (2, Span(10, 2)),
    ]


def test_what_is_missing_or_too_much_or_elsewhere_is_told() -> None:
    assert faults(booking((0, 4)), (0, 3, 100), (3, 11, 103)) == [
        ("none skipped", 4),
        ("none skipped", 10),
    ]
    assert faults(booking((0, 1)), (0, 3, 100), (1, 4, 101)) == [("once", 4)]
    assert faults(booking((0, 2)), (0, 4, 100), (1, 3, 101)) == [("in order", 4), ("in order", 3)]
    assert faults(booking((0, 2)), (0, 3, 101), (1, 4, None)) == [("in order", 3)]
    assert faults(booking((0, 10**15), turns=f"1:{10**15}")) == [("none skipped", 1)]


def test_turns_that_are_no_turns_are_not_taken_for_some() -> None:
    assert reservations.parse_turns("3:2 10:4") == Turns([Span(3, 2), Span(10, 4)])
    assert [
        reservations.parse_turns(text) for text in ("x", "3", "0:1", "3:0", "3:-1", f"1:{2**63}")
    ] == [None] * 6


def test_the_run_of_a_claim_is_told_by_its_number() -> None:
    assert [
        claims.parse_run_id(claim)
        for claim in ("import:42", "import:", "import:x", "import:²", f"import:{10**30}", "")
    ] == [
        42,
        0,
        0,
        0,
        0,
        0,
    ]
