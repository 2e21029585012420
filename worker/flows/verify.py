"""Verification: the ledger is replayed against the rosters, and every point of the promise checked."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.domain.rosters import Rosters
from worker.domain.turns import Span, Turns, holes
from worker.flows.names import pool_named
from worker.flows.system import System
from worker.ring import RingState
from worker.store import audit, engine, ledger, pools

NOT_SEEDED, AGREES, DISAGREES = "not seeded", "agrees", "disagrees"


class Violation(NamedTuple):
    """A point of the promise that doesn't hold, and the turn at which it doesn't."""

    point: str
    turn: int
    what: str


@dataclass
class Report:
    """What was checked of one pool, and what was found."""

    pool: str
    turns: int = 0
    entered: int = 0
    voided: int = 0
    open: int = 0
    returned: int = 0
    rosters: int = 0
    ring: str = NOT_SEEDED
    violations: list[Violation] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.violations

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"holds": self.holds, "violations": [violation._asdict() for violation in self.violations]}


def verify(system: System, name: str | None = None) -> list[Report]:
    """One report a pool: of the one named, or of all that are not deleted."""
    with system.reading() as session:
        chosen = [pool_named(session, name)] if name else pools.live(session)
    return [_verify(system, pool) for pool in chosen]


def _verify(system: System, pool: Row[Any]) -> Report:
    with _moment(system, pool.id) as (session, ring):
        epoch = pools.epoch(session, pool.id)
        seeded = ring if ring is not None and ring.epoch == epoch else None
        rosters, reserved = pools.all_rosters(session, pool.id), ledger.open_blocks(session, pool.id)
        report = Report(pool.name, rosters=len(list(rosters)), voided=audit.voided(session, pool.id))
        report.open = sum(turns.total for turns in reserved.values())
        gaps = _replay(session, pool.id, rosters, report)
        last = seeded.next_turn - 1 if seeded else max(report.turns, ledger.greatest_turn(session, pool.id))
        _check_blocks(session, pool.id, reserved, report)
        _check_gaps([*gaps, Span(report.turns + 1, max(last - report.turns, 0))], reserved, seeded, report)
        _check_records(session, pool, report)
        if seeded:
            _check_ring(seeded, rosters, ledger.greatest_turn(session, pool.id), report)
        report.turns = last
    return report


@contextmanager
def _moment(system: System, pool_id: int) -> Iterator[tuple[Session, RingState | None]]:
    """SQL and the ring at one moment at which nobody is between taking and entering a turn."""
    with system.reading() as snapshot:
        with engine.writing(system.engine) as session:
            pools.lock(session, pool_id)
            pools.epoch(snapshot, pool_id)  # the first statement: the snapshot is of now
            ring = system.ring.state(pool_id)
        yield snapshot, ring


def _replay(session: Session, pool_id: int, rosters: Rosters, report: Report) -> list[Span]:
    """Goes through the ledger turn by turn; returns the gaps in it."""
    gaps, expected = [], 1
    for turn, user_id in audit.stream(session, pool_id):
        if turn != expected:
            gaps.append(Span(expected, turn - expected))
        if user_id != rosters.member(turn):
            report.violations.append(Violation("in turn", turn, f"belongs to user {rosters.member(turn)}, was given to user {user_id}"))
        expected = turn + 1
        report.entered += 1
    report.turns = expected - 1
    return gaps


def _check_blocks(session: Session, pool_id: int, reserved: dict[str, Turns], report: Report) -> None:
    for claim, turns in reserved.items():
        for turn, stranger in audit.strangers(session, pool_id, claim, turns):
            report.violations.append(Violation("once", turn, f"is reserved by {claim} and entered by {stranger}"))


def _check_gaps(gaps: list[Span], reserved: dict[str, Turns], ring: RingState | None, report: Report) -> None:
    """A turn that isn't entered must wait in an open block or in the ring. Without a ring, a gap is returned by the next seeding."""
    if ring is None:
        return
    waiting = [*ring.returned, *(span for turns in reserved.values() for span in turns)]
    for gap in gaps:
        for lost in holes(waiting, gap.first, gap.last):
            what = f"turns {lost.first} to {lost.last} were handed out and never entered" if lost.count > 1 else "was never entered"
            report.violations.append(Violation("none skipped", lost.first, what))


def _check_records(session: Session, pool: Row[Any], report: Report) -> None:
    for turn, record_id in audit.entries_without_record(session, pool.id, pool.record_type):
        report.violations.append(Violation("nothing lost", turn, f"was given to {pool.record_type} {record_id}, which is not there"))
    for turn, record_id in audit.records_without_entry(session, pool.id, pool.record_type):
        report.violations.append(Violation("checkable", turn, f"{pool.record_type} {record_id} names it, but it doesn't give its owner"))


def _check_ring(ring: RingState, rosters: Rosters, greatest: int, report: Report) -> None:
    latest = rosters.latest
    cursor = latest.slot(ring.next_turn) if latest.members else 0
    found = [
        (ring.next_turn > greatest, f"the ring hands it out next, but turns up to {greatest} are used"),
        (ring.version == latest.version, f"the ring has roster version {ring.version}, SQL {latest.version}"),
        (ring.members == latest.members, f"the ring has the members {ring.members}, SQL {latest.members}"),
        (ring.cursor == cursor, f"the ring's cursor is {ring.cursor}, by the roster it is {cursor}"),
    ]
    wrong = [Violation("one ring", ring.next_turn, what) for right, what in found if not right]
    report.returned, report.ring = ring.returned.total, DISAGREES if wrong else AGREES
    report.violations += wrong
