"""Reservations: a block together with the run that reserved it, and whether the run has entered the
right turns."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from worker.domain.audit.reports import (
    CHECKABLE,
    IN_ORDER,
    NONE_SKIPPED,
    NOTHING_LOST,
    ONCE,
    Violation,
)
from worker.domain.storable import GREATEST
from worker.domain.turns.turns import Span, Turns

Loaded = Sequence[tuple[int, int]]

Piece = tuple[int, Span]
"""Turns that are used one after another, and the ordinal of the first."""


@dataclass(frozen=True, slots=True)
class ReservingRun:
    """The facts about the run that reserved a block."""

    kind: str
    state: str
    turns: int
    records: int
    skipped: int
    returned: int
    chunks_left: int | None
    first_record_id: int | None


def skip_nothing() -> Iterable[int]:
    """The left-out ordinals of a run that has left out none."""
    return ()


class Reservation(NamedTuple):
    """A block with its run."""

    claim: str
    turns: Turns
    open: bool
    run: ReservingRun | None
    loaded: Loaded
    """The (first ordinal, records) of the parts that the run has finished."""
    left_out: Callable[[], Iterable[int]] = skip_nothing
    """Reads the ordinals that the run has left out, which may be many."""

    @property
    def first(self) -> int | None:
        return self.turns[0].first if self.turns else None

    def pieces(self) -> Iterator[Piece]:
        """The turns that must be entered, by ordinal: all turns of a run that is done, otherwise
        the turns of its loaded parts. The ordinals that were left out are missing."""
        spans, at = iter(self.turns), 0
        span = next(spans, None)
        for ordinal, count in remove_ordinals(self.loaded, self.left_out()):
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
    """Turns as a block stores them, "FIRST:COUNT FIRST:COUNT"; None for any other text."""
    try:
        turns = Turns.parse(text)
    except ValueError:
        return None
    return turns if all(0 < span.first <= span.last <= GREATEST for span in turns) else None


def remove_ordinals(
    loaded: Iterable[tuple[int, int]], ordinals: Iterable[int]
) -> Iterator[tuple[int, int]]:
    """The same (first ordinal, records) without some ordinals. Both ascend."""
    rest = iter(ordinals)
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


def check_state(reservation: Reservation) -> Iterator[Violation]:
    """Whether the turns of an open block will be used, and the turns of a closed block won't."""
    run, claim, first = reservation.run, reservation.claim, reservation.first
    if run is None:
        point = NONE_SKIPPED if reservation.open else CHECKABLE
        yield Violation(point, first, f"is reserved by {claim}, and there is no such run")
        return
    goes_on = run.state == "loading" or (run.state == "failed" and bool(run.chunks_left))
    if reservation.open and not goes_on:
        what = f"is reserved by {claim}, which is {run.state}: nobody will use its block"
        yield Violation(NONE_SKIPPED, first, what)
    if not reservation.open and goes_on:
        what = f"is not reserved any more, and {claim}, which is {run.state}, may still use it"
        yield Violation(ONCE, first, what)


def check_numbers(reservation: Reservation, entered: int) -> Iterator[Violation]:
    """Whether the run's own numbers agree with its block and its entries."""
    run, total = reservation.run, reservation.turns.total
    if run is None:
        return
    numbers = [
        ("turns", run.turns, "its block has", total),
        ("records", run.records, "the ledger has", entered),
    ]
    if run.state in ("done", "cancelled"):
        numbers.append(("turns returned", run.returned, "its block has unused", total - entered))
    for what, own, others, have in numbers:
        if own != have:
            counts = f"it counts {own:,} {what}, {others} {have:,}"
            begins = f"begins the block of {reservation.claim}: {counts}"
            yield Violation(NOTHING_LOST, reservation.first, begins)


def join_pieces(pieces: Iterable[Piece]) -> list[Piece]:
    """The same turns in as few pieces as possible."""
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
    reservation: Reservation, entries: Iterable[tuple[int, int, int | None]]
) -> Iterator[Violation]:
    """What is wrong with a claim's entries: (ordinal, turn, record), by ordinal. Takes constant
    memory, however many turns the block has."""
    due = _DueTurns(reservation.pieces())
    for ordinal, turn, record in entries:
        for span in due.drop_before(ordinal):
            yield _missing(reservation.claim, span)
        yield from _check_entry(reservation, ordinal, turn, record, due.take(ordinal))
    for span in due.drop_before(GREATEST):
        yield _missing(reservation.claim, span)


class _DueTurns:
    """The turns that must be entered, taken one after another from pieces that ascend."""

    def __init__(self, pieces: Iterator[Piece]) -> None:
        self._rest = pieces
        self._piece = next(pieces, None)

    def take(self, ordinal: int) -> int | None:
        """The turn at an ordinal, if it is the next one; else None."""
        if self._piece is None or self._piece[0] != ordinal:
            return None
        turn = self._piece[1].first
        self._drop(self._piece, 1)
        return turn

    def drop_before(self, ordinal: int) -> Iterator[Span]:
        """Drops the turns at smaller ordinals, and yields them."""
        while self._piece is not None and self._piece[0] < ordinal:
            first, span = self._piece
            count = min(span.count, ordinal - first)
            yield Span(span.first, count)
            self._drop(self._piece, count)

    def _drop(self, piece: Piece, count: int) -> None:
        ordinal, span = piece
        if span.count > count:
            self._piece = ordinal + count, Span(span.first + count, span.count - count)
        else:
            self._piece = next(self._rest, None)


def _check_entry(
    reservation: Reservation, ordinal: int, turn: int, record: int | None, due: int | None
) -> Iterator[Violation]:
    """What is wrong with one entry. The turn `due` must be entered at its ordinal."""
    claim, run = reservation.claim, reservation.run
    place = f"is entered by {claim} as its record {ordinal + 1:,}"
    if due is None:
        yield Violation(ONCE, turn, f"{place}, which isn't loaded")
        return
    if due != turn:
        yield Violation(IN_ORDER, turn, f"{place}, whose turn is {due:,}")
    if run is None or run.first_record_id is None:
        return
    expected = run.first_record_id + ordinal
    if record not in (None, expected):
        what = f"is record {ordinal + 1:,} of {claim}: {expected}, not {record}"
        yield Violation(IN_ORDER, turn, what)


def _missing(claim: str, span: Span) -> Violation:
    through = f"and each to {span.last:,} " if span.count > 1 else ""
    return Violation(NONE_SKIPPED, span.first, f"{through}should be entered by {claim}, and isn't")
