"""Blocks against the runs that reserved them: open ones are somebody's, and each has entered what
it should have, in order."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.domain.audit.reports import CHECKABLE, IN_ORDER, ONCE, Report
from worker.domain.audit.reservations import (
    Loaded,
    Reservation,
    Run,
    as_few,
    check_entries,
    check_numbers,
    check_state,
    parse_turns,
)
from worker.domain.runs.runs import RunKind
from worker.domain.turns.claims import run_id_of
from worker.domain.turns.turns import Span, Turns
from worker.store.audit import evidence, reservations
from worker.store.audit.reservations import Stretch


def check_blocks(session: Session, pool_id: int, report: Report) -> list[Span]:
    """Checks every block with its run and its entries; returns the turns in open ones, lowest
    first."""
    reserved: list[tuple[Span, str]] = []
    for batch in reservations.block_rows(session, pool_id):
        report.blocks += len(batch)
        booked = _bookings(session, pool_id, batch, report)
        entered, found = _entered(session, pool_id, booked)
        for booking in booked:
            _check_booking(
                session, pool_id, booking, entered[booking.claim], found[booking.claim], report
            )
            reserved += [(span, booking.claim) for span in booking.turns if booking.open]
    return _check_overlaps(sorted(reserved), report)


def _bookings(
    session: Session, pool_id: int, batch: Sequence[Row[Any]], report: Report
) -> list[Reservation]:
    runs = reservations.runs_with(
        session, [run_id for row in batch if (run_id := run_id_of(row.claim))]
    )
    booked = []
    for row in batch:
        run, turns = runs.get(run_id_of(row.claim)), parse_turns(row.turns)
        if turns is None:
            report.violate(
                CHECKABLE,
                None,
                f"the turns of the block of {row.claim} can't be read: {row.turns:.80}",
            )
            continue
        its = run is not None and (run.kind, run.owner_id) == (row.claim.partition(":")[0], pool_id)
        facts = Run(*(getattr(run, name) for name in Run._fields)) if its else None
        booked.append(Reservation(row.claim, turns, row.open, facts, *_loaded(session, run, turns)))
    return booked


def _loaded(
    session: Session, run: Row[Any] | None, turns: Turns
) -> tuple[Loaded, Callable[[], Iterable[int]]]:
    """The (first ordinal, records) of what the run has been through by now, and a way to read the
    ordinals that it has left out."""
    whole = [(0, turns.total)] if turns else []
    loaded = (
        whole if run is None or run.state == "done" else reservations.loaded_chunks(session, run.id)
    )
    return loaded, partial(reservations.skipped, session, run.id) if run is not None else tuple


def _entered(
    session: Session, pool_id: int, booked: Sequence[Reservation]
) -> tuple[Counter[str], dict[str, list[Stretch]]]:
    """How many turns each claim has entered, and as which stretches: of too many, only so many that
    one sees it."""
    counts, found = Counter[str](), {booking.claim: list[Stretch]() for booking in booked}
    most = {booking.claim: len(booking.turns) + len(booking.loaded) for booking in booked}
    for stretch in reservations.stretches(session, pool_id, found):
        counts[stretch.claim] += stretch.count
        if len(found[stretch.claim]) <= most[stretch.claim]:
            found[stretch.claim].append(stretch)
    return counts, found


def _check_booking(
    session: Session,
    pool_id: int,
    booking: Reservation,
    entered: int,
    found: list[Stretch],
    report: Report,
) -> None:
    report.open += booking.turns.total - entered if booking.open else 0
    for violation in (*check_state(booking), *check_numbers(booking, entered)):
        report.add(violation)
    if booking.open:
        for turn, stranger in evidence.entered_within(
            session, pool_id, booking.turns, booking.claim
        ):
            report.violate(ONCE, turn, f"is reserved by {booking.claim} and entered by {stranger}")
    if booking.run is not None and not _as_expected(booking, found):
        for violation in check_entries(
            booking, reservations.entries_of(session, pool_id, booking.claim)
        ):
            report.add(violation)
    if booking.run is not None and booking.run.kind == RunKind.REASSIGN:
        for entry in reservations.out_of_order(
            session, pool_id, booking.claim, run_id_of(booking.claim)
        ):
            what = f"is record {entry.ordinal + 1:,} of {booking.claim}: {entry.listed}, not {entry.record_id}"
            report.violate(IN_ORDER, entry.turn, what)


def _as_expected(booking: Reservation, found: list[Stretch]) -> bool:
    """Whether the stretches tell already that all is well. Of a run that has left records out they
    don't."""
    if booking.run is not None and booking.run.skipped:
        return False
    first = booking.run.first_record_id if booking.run else None
    whole = all(stretch.last - stretch.first + 1 == stretch.count for stretch in found)
    in_order = first is None or all(
        (stretch.least, stretch.greatest) == (first, first) for stretch in found
    )
    pieces = [(stretch.first, Span(stretch.turn, stretch.count)) for stretch in found]
    return whole and in_order and sorted(pieces) == as_few(booking.pieces())


def _check_overlaps(reserved: list[tuple[Span, str]], report: Report) -> list[Span]:
    for (before, first), (after, second) in pairwise(reserved):
        if before.overlaps(after):
            report.violate(ONCE, after.first, f"is reserved by {first} and by {second}")
    return [span for span, _ in reserved]
