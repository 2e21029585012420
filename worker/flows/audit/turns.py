"""Checks the turns of a pool: replays its ledger against its rosters, and compares its ring. Finds
gaps, void turns and turns of the wrong member.

It keeps only counts and the first violations in memory, however long the ledger is.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from sqlalchemy.orm import Session

from worker.domain.audit.reports import (
    CHECKABLE,
    IN_TURN,
    NEXT_STAYS_NEXT,
    NONE_SKIPPED,
    ONCE,
    ONE_RING,
    Report,
)
from worker.domain.turns import succession
from worker.domain.turns.rosters import Roster, Rosters
from worker.domain.turns.turns import Span, drop_last, find_islands, intersect, merge, subtract
from worker.flows.audit.blocks import check_blocks
from worker.flows.audit.run_totals import check_counts, check_undone
from worker.ring import RingState
from worker.store.audit import records
from worker.store.audit import turns as stored
from worker.store.turns import pools

NO_ROSTER = Roster(0, 1, 0, ())


def check_turns(session: Session, pool_id: int, ring: RingState | None, report: Report) -> None:
    """Checks every turn of a pool: who has it, or where it is if no record uses it."""
    rosters = _read_rosters(session, pool_id, report)
    reserved = check_blocks(session, pool_id, report)
    known = max(
        [0, *(roster.first_turn - 1 for roster in rosters), *(span.last for span in reserved)]
    )
    last = max(known, ring.next_turn - 1) if ring else known
    unused = subtract(_replay(session, pool_id, rosters, last, report), merge(reserved))
    above = _check_watermark(unused, pools.get(session, pool_id).watermark, report)
    _check_gaps(session, pool_id, above, ring, report)
    _check_voids(session, pool_id, rosters, report)
    check_counts(session, pool_id, report)
    check_undone(session, pool_id, report)
    if ring is not None:
        latest = rosters.latest if report.rosters else NO_ROSTER
        for what in ring.list_disagreements(latest, max(known, report.turns)):
            report.violate(ONE_RING, ring.next_turn, what)
        _check_returned(session, pool_id, ring, rosters, merge(reserved), report)
    report.turns = max(report.turns, last)


# --- rosters ---


def _read_rosters(session: Session, pool_id: int, report: Report) -> Rosters:
    found = []
    for row in stored.read_rosters(session, pool_id):
        members = _parse_members(row.members)
        if members is None:
            report.violate(
                CHECKABLE,
                row.first_turn,
                f"the members of roster version {row.version} can't be read: {row.members:.80}",
            )
        found.append(Roster(row.version, row.first_turn, row.first_slot, members or ()))
    for turn, what in succession.find_faults(found):
        report.violate(NEXT_STAYS_NEXT, turn, what)
    for user_id in stored.find_unknown_users(
        session, {member for roster in found for member in roster.members}
    ):
        report.violate(CHECKABLE, None, f"user {user_id} is a member, and isn't there")
    if not found:
        report.violate(CHECKABLE, None, "has no roster")
    report.rosters = len(found)
    return Rosters(found)


def _parse_members(text: str) -> tuple[int, ...] | None:
    try:
        members = json.loads(text)
    except ValueError:
        return None
    return (
        tuple(members)
        if isinstance(members, list) and all(type(member) is int for member in members)
        else None
    )


# --- turns ---


def _replay(
    session: Session, pool_id: int, rosters: Rosters, last: int, report: Report
) -> Iterator[Span]:
    """Goes through the ledger in the order of turns. Yields its gaps up to the last turn."""
    expected = 1
    for turns, users in stored.read_slices(session, pool_id):
        report.entered += len(turns)
        for begin, end in find_islands(turns):
            span = Span(turns[begin], end - begin)
            if span.first > expected:
                yield Span(expected, span.first - expected)
            expected = max(expected, span.last + 1)
            rightful = tuple(rosters.rightful(span))
            if users[begin:end] != rightful:
                _report_wrong(span.first, users[begin:end], rightful, report)
    report.turns = expected - 1
    if last >= expected:
        yield Span(expected, last - expected + 1)


def _report_wrong(
    first: int, given: Sequence[int], rightful: Sequence[int | None], report: Report
) -> None:
    for turn, (user, owner) in enumerate(zip(given, rightful, strict=True), first):
        if user != owner:
            belongs = (
                f"belongs to user {owner}"
                if owner is not None
                else "belongs to nobody, for want of a roster with members"
            )
            report.violate(IN_TURN, turn, f"{belongs}, was given to user {user}")


def _check_voids(session: Session, pool_id: int, rosters: Rosters, report: Report) -> None:
    """Checks that each void turn's member has left since."""
    last_without: dict[int, int] = {}
    for turn, user in stored.read_voids(session, pool_id):
        report.voided += 1
        if user not in last_without:
            last_without[user] = max(
                (roster.version for roster in rosters if user not in roster.members), default=0
            )
        if report.rosters and last_without[user] <= rosters.in_force(turn).version:
            report.violate(NONE_SKIPPED, turn, f"is void, though user {user} hasn't left since")


def _check_watermark(unused: Iterable[Span], watermark: int, report: Report) -> Iterator[Span]:
    """Reports gaps below the watermark, where no seeding looks: they never come back. Yields the
    gaps above it."""
    for span in unused:
        below = max(min(span.last, watermark) - span.first + 1, 0)
        if below:
            through = _say_through(Span(span.first, below))
            report.violate(
                NONE_SKIPPED,
                span.first,
                f"{through}was never entered, and no seeding looks below {watermark:,}",
            )
        if below < span.count:
            yield Span(span.first + below, span.count - below)


def _check_gaps(
    session: Session, pool_id: int, unused: Iterable[Span], ring: RingState | None, report: Report
) -> None:
    """Checks that each turn that is neither entered nor reserved waits in the ring, or was taken
    for a captured lead in line. Without a ring, the next seeding returns it."""
    report.waiting, in_line = records.count_waiting(session, pool_id)
    if ring is None:
        report.gaps = sum(span.count for span in unused)
        return
    for span in drop_last(_count_owed(subtract(unused, merge(ring.returned)), report), in_line):
        report.owed -= span.count
        report.violate(
            NONE_SKIPPED, span.first, f"{_say_through(span)}was handed out and never entered"
        )


def _count_owed(spans: Iterable[Span], report: Report) -> Iterator[Span]:
    for span in spans:
        report.owed += span.count
        yield span


def _say_through(span: Span) -> str:
    return f"and each to {span.last:,} " if span.count > 1 else ""


# --- returned turns ---


def _check_returned(
    session: Session,
    pool_id: int,
    ring: RingState,
    rosters: Rosters,
    reserved: list[Span],
    report: Report,
) -> None:
    """Checks that the returned turns ascend, are below the next turn and not in use, and that their
    members are still in the pool."""
    report.returned, members = ring.returned.total, rosters.latest.members if report.rosters else ()
    for before, after in pairwise(ring.returned):
        if after.first <= before.last:
            report.violate(ONE_RING, after.first, "is returned out of order, or twice")
    for span in ring.returned:
        if span.last >= ring.next_turn:
            early = f"is returned, though the ring is only at turn {ring.next_turn:,}"
            report.violate(ONE_RING, span.first, f"{_say_through(span)}{early}")
        if (turn := rosters.first_not_among(span, members)) is not None:
            report.violate(ONE_RING, turn, "is returned, though its member isn't there any more")
    for turn, claim in stored.find_entered(session, pool_id, ring.returned):
        report.violate(ONCE, turn, f"is returned, and entered by {claim}")
    returned = merge(ring.returned)
    for span in intersect(returned, reserved):
        report.violate(ONCE, span.first, f"{_say_through(span)}is returned, and reserved")
