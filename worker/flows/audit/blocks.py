"""Blocks against the runs that reserved them: each open block belongs to a run, and each run has
entered the right turns, in order."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import pairwise

from sqlalchemy.orm import Session

from worker.domain.audit.reports import CHECKABLE, IN_ORDER, ONCE, Report
from worker.domain.audit.reservations import (
    Loaded,
    Reservation,
    ReservingRun,
    check_entries,
    check_numbers,
    check_state,
    join_pieces,
    parse_turns,
    skip_nothing,
)
from worker.domain.runs.runs import RunKind
from worker.domain.turns.claims import parse_run_id
from worker.domain.turns.turns import Span, Turns
from worker.store.audit import reservations
from worker.store.audit.reservations import StoredBlock, StoredRun, Stretch
from worker.store.audit.turns import find_entered


def check_blocks(session: Session, pool_id: int, report: Report) -> list[Span]:
    """Checks every block with its run and its entries; returns the turns in open ones, lowest
    first."""
    reserved: list[tuple[Span, str]] = []
    for batch in reservations.read_blocks(session, pool_id):
        report.blocks += len(batch)
        found = _read_reservations(session, pool_id, batch, report)
        entered, stretches = _read_stretches(session, pool_id, found)
        for each in found:
            claim = each.claim
            _check_reservation(session, pool_id, each, entered[claim], stretches[claim], report)
            reserved += [(span, claim) for span in each.turns if each.open]
    return _check_overlaps(sorted(reserved), report)


def _read_reservations(
    session: Session, pool_id: int, batch: Sequence[StoredBlock], report: Report
) -> list[Reservation]:
    ids = [run_id for block in batch if (run_id := parse_run_id(block.claim))]
    runs = reservations.find_runs(session, ids)
    found = []
    for block in batch:
        run, turns = runs.get(parse_run_id(block.claim)), parse_turns(block.turns)
        if turns is None:
            what = f"the turns of the block of {block.claim} can't be read: {block.turns:.80}"
            report.violate(CHECKABLE, None, what)
            continue
        loaded, left_out = _read_loaded(session, run, turns)
        its_run = _find_reserving_run(run, block.claim, pool_id)
        found.append(Reservation(block.claim, turns, block.open, its_run, loaded, left_out))
    return found


def _find_reserving_run(run: StoredRun | None, claim: str, pool_id: int) -> ReservingRun | None:
    """The run that a claim names, if that run takes turns of the pool."""
    if run is None or (run.kind, run.owner_id) != (claim.partition(":")[0], pool_id):
        return None
    return ReservingRun(
        kind=run.kind,
        state=run.state,
        turns=run.turns,
        records=run.records,
        skipped=run.skipped,
        returned=run.returned,
        chunks_left=run.chunks_left,
        first_record_id=run.first_record_id,
    )


def _read_loaded(
    session: Session, run: StoredRun | None, turns: Turns
) -> tuple[Loaded, Callable[[], Iterable[int]]]:
    """The (first ordinal, records) of the parts that the run has finished by now, and a way to read
    the ordinals that it has left out."""
    whole = [(0, turns.total)] if turns else []
    if run is None:
        return whole, skip_nothing
    loaded = whole if run.state == "done" else reservations.list_loaded(session, run.id)
    return loaded, partial(reservations.read_skipped, session, run.id)


def _read_stretches(
    session: Session, pool_id: int, found: Sequence[Reservation]
) -> tuple[Counter[str], dict[str, list[Stretch]]]:
    """How many turns each claim has entered, and as which stretches. If a claim has too many
    stretches, only some are kept: one more than can be right."""
    counts, stretches = Counter[str](), {each.claim: list[Stretch]() for each in found}
    most = {each.claim: len(each.turns) + len(each.loaded) for each in found}
    for stretch in reservations.find_stretches(session, pool_id, stretches):
        counts[stretch.claim] += stretch.count
        if len(stretches[stretch.claim]) <= most[stretch.claim]:
            stretches[stretch.claim].append(stretch)
    return counts, stretches


def _check_reservation(
    session: Session,
    pool_id: int,
    reservation: Reservation,
    entered: int,
    stretches: list[Stretch],
    report: Report,
) -> None:
    claim, run = reservation.claim, reservation.run
    report.open += reservation.turns.total - entered if reservation.open else 0
    for violation in (*check_state(reservation), *check_numbers(reservation, entered)):
        report.add(violation)
    if reservation.open:
        for turn, stranger in find_entered(session, pool_id, reservation.turns, claim):
            report.violate(ONCE, turn, f"is reserved by {claim} and entered by {stranger}")
    if run is not None and not _are_as_expected(reservation, stretches):
        entries = reservations.read_entries(session, pool_id, claim)
        for violation in check_entries(reservation, entries):
            report.add(violation)
    if run is not None and run.kind == RunKind.REASSIGN:
        _check_list_order(session, pool_id, claim, report)


def _check_list_order(session: Session, pool_id: int, claim: str, report: Report) -> None:
    for entry in reservations.find_misplaced(session, pool_id, claim, parse_run_id(claim)):
        place = f"is record {entry.ordinal + 1:,} of {claim}"
        report.violate(IN_ORDER, entry.turn, f"{place}: {entry.listed}, not {entry.record_id}")


def _are_as_expected(reservation: Reservation, stretches: list[Stretch]) -> bool:
    """Whether the stretches alone prove that all is well. They don't for a run that has left
    records out."""
    run = reservation.run
    if run is not None and run.skipped:
        return False
    first = run.first_record_id if run else None
    whole = all(stretch.last - stretch.first + 1 == stretch.count for stretch in stretches)
    in_order = first is None or all(
        (stretch.least, stretch.greatest) == (first, first) for stretch in stretches
    )
    pieces = [(stretch.first, Span(stretch.turn, stretch.count)) for stretch in stretches]
    return whole and in_order and sorted(pieces) == join_pieces(reservation.pieces())


def _check_overlaps(reserved: list[tuple[Span, str]], report: Report) -> list[Span]:
    for (before, first), (after, second) in pairwise(reserved):
        if before.overlaps(after):
            report.violate(ONCE, after.first, f"is reserved by {first} and by {second}")
    return [span for span, _ in reserved]
