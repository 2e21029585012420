"""Bookings: a block together with the run that reserved it, and whether what the run has entered is
what it should have."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from worker.domain.audit.reports import (
    CHECKABLE,
    IN_ORDER,
    NONE_SKIPPED,
    NOTHING_LOST,
    ONCE,
    Violation,
)
from worker.domain.integers import GREATEST
from worker.domain.turns.turns import Span, Turns

Loaded = Sequence[tuple[int, int]]

Piece = tuple[int, Span]
"""Turns that are used one after another, and the ordinal of the first."""


class ReservingRun(NamedTuple):
    """What is known of the run that reserved a block."""

    kind: str
    state: str
    turns: int
    records: int
    skipped: int
    returned: int
    chunks_left: int | None
    first_record_id: int | None


class Reservation(NamedTuple):
    """A block, its run if it is there, the (first ordinal, records) of what the run has been
    through, and a way to read the ordinals that it has left out, which may be many."""

    claim: str
    turns: Turns
    open: bool
    run: ReservingRun | None
    loaded: Loaded
    left_out: Callable[[], Iterable[int]] = tuple

    @property
    def first(self) -> int | None:
        return self.turns[0].first if self.turns else None

    def pieces(self) -> Iterator[Piece]:
        """The turns that must be entered, by ordinal: all of a run that is done, else those of what
        is loaded; but for those left out."""
        spans, at = iter(self.turns), 0
        span = next(spans, None)
        for ordinal, count in without(self.loaded, self.left_out()):
            stop = ordinal + count
            while span is not None and ordinal < stop:
                beyond = max(ordinal - at, 0)
                if beyond < span.count:
                    found = Span(span.first + beyond, min(span.count - beyond, stop - ordinal))
                    yield ordinal, found
                    ordinal += found.count
                else:
                    at, span = at + span.count, next(spans, None)


def parse_turns(text: str) -> Turns | None:
    """Turns as a block stores them; None for a text that isn't that."""
    try:
        turns = Turns.parse(text)
    except ValueError:
        return None
    return turns if all(0 < span.first <= span.last <= GREATEST for span in turns) else None


def without(loaded: Iterable[tuple[int, int]], skipped: Iterable[int]) -> Iterator[tuple[int, int]]:
    """The same (first ordinal, records) but for some ordinals. Both ascend."""
    rest = iter(skipped)
    hole = next(rest, None)
    for first, count in loaded:
        stop = first + count
        while hole is not None and hole < stop:
            if first < hole:
                yield first, hole - first
            first = max(first, hole + 1)
            hole = next(rest, None)
        if first < stop:
            yield first, stop - first


def check_state(booking: Reservation) -> Iterator[Violation]:
    """Whether somebody will use the turns of an open block, and nobody those of a closed one."""
    run, claim = booking.run, booking.claim
    if run is None:
        yield Violation(
            NONE_SKIPPED if booking.open else CHECKABLE,
            booking.first,
            f"is reserved by {claim}, and there is no such run",
        )
        return
    goes_on = run.state == "loading" or (run.state == "failed" and bool(run.chunks_left))
    if booking.open and not goes_on:
        yield Violation(
            NONE_SKIPPED,
            booking.first,
            f"is reserved by {claim}, which is {run.state}: nobody will use its block",
        )
    if not booking.open and goes_on:
        yield Violation(
            ONCE,
            booking.first,
            f"is not reserved any more, and {claim}, which is {run.state}, may still use it",
        )


def check_numbers(booking: Reservation, entered: int) -> Iterator[Violation]:
    """Whether the run's own numbers are those of its block and its entries."""
    run = booking.run
    if run is None:
        return
    told = [
        ("turns", run.turns, "its block has", booking.turns.total),
        ("records", run.records, "the ledger has", entered),
    ]
    if run.state in ("done", "cancelled"):
        told.append(
            ("turns returned", run.returned, "its block has unused", booking.turns.total - entered)
        )
    for what, says, others, have in told:
        if says != have:
            yield Violation(
                NOTHING_LOST,
                booking.first,
                f"begins the block of {booking.claim}: it counts {says:,} {what}, {others} {have:,}",
            )


def as_few(pieces: Iterable[Piece]) -> list[Piece]:
    """The same pieces, those joined that go on from one to the next."""
    found: list[Piece] = []
    for ordinal, span in pieces:
        if (
            found
            and found[-1][0] + found[-1][1].count == ordinal
            and found[-1][1].last + 1 == span.first
        ):
            begun, before = found.pop()
            ordinal, span = begun, Span(before.first, before.count + span.count)
        found.append((ordinal, span))
    return found


def check_entries(
    booking: Reservation, entries: Iterable[tuple[int, int, int | None]]
) -> Iterator[Violation]:
    """What is wrong with a claim's entries: (ordinal, turn, record), by ordinal. It doesn't matter
    how many turns the block has."""
    pieces, claim = booking.pieces(), booking.claim
    first_record = booking.run.first_record_id if booking.run else None
    piece = next(pieces, None)
    for ordinal, turn, record in entries:
        while piece is not None and piece[0] < ordinal:
            missing = min(piece[1].count, ordinal - piece[0])
            yield _missing(claim, Span(piece[1].first, missing))
            piece = _after(piece, missing) or next(pieces, None)
        if piece is None or piece[0] != ordinal:
            yield Violation(
                ONCE,
                turn,
                f"is entered by {claim} as its record {ordinal + 1:,}, which isn't loaded",
            )
            continue
        if piece[1].first != turn:
            yield Violation(
                IN_ORDER,
                turn,
                f"is entered by {claim} as its record {ordinal + 1:,}, whose turn is {piece[1].first:,}",
            )
        if first_record is not None and record not in (None, first_record + ordinal):
            yield Violation(
                IN_ORDER,
                turn,
                f"is record {ordinal + 1:,} of {claim}: {first_record + ordinal}, not {record}",
            )
        piece = _after(piece, 1) or next(pieces, None)
    while piece is not None:
        yield _missing(claim, piece[1])
        piece = next(pieces, None)


def _after(piece: Piece, count: int) -> Piece | None:
    ordinal, span = piece
    return (
        (ordinal + count, Span(span.first + count, span.count - count))
        if span.count > count
        else None
    )


def _missing(claim: str, span: Span) -> Violation:
    through = f"and each to {span.last:,} " if span.count > 1 else ""
    return Violation(NONE_SKIPPED, span.first, f"{through}should be entered by {claim}, and isn't")
