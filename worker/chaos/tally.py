"""What came of it: every acceptance held against the books, and how long the stack took to recover."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import accumulate
from typing import Any, NamedTuple

from worker.chaos import books
from worker.chaos.books import Ended, Totals
from worker.chaos.producers import CREATED, Accepted
from worker.chaos.storm import Struck
from worker.domain.reports import Report, Violation
from worker.flows.system import System


class Recovery(NamedTuple):
    """How long after a fault was over the last of the leads accepted before had its owner."""

    seconds: float = 0.0
    after: str | None = None


@dataclass
class Outcome:
    """What was done to the stack, what it did, and whether it kept its promise."""

    faults: dict[str, int]
    answers: dict[str, int]
    captured: int
    """Leads that got a 2xx."""
    assigned: int
    """Of those, the ones that belong to a person by a turn under their own claim."""
    created: int
    """Leads that were created for a pool, and got a 2xx."""
    created_in_turn: int
    """Of those, the ones that belong to the person whom the answer showed, whose turn it was."""
    imports: int
    """Files that got a 2xx."""
    imports_done: int
    """Of those, the ones all of whose good rows belong to a person."""
    imports_cancelled: int
    """Of those, the ones that were cancelled by request, and whose unused turns came back."""
    imported: int
    """The records of both."""
    unanswered: int
    """Leads that are there though nobody got an answer to them, or none but an error."""
    roster_changes: int
    turns: int
    conflicts: int
    seeds: int
    returned: int
    retried: dict[str, int]
    ended_by_themselves: dict[str, int]
    longest_recovery: Recovery
    lost_leads: list[int] = field(default_factory=list)
    lost_imports: list[int] = field(default_factory=list)
    created_twice: list[str] = field(default_factory=list)
    """Keys under which several leads were created."""
    violations: int = 0
    first_violations: list[str] = field(default_factory=list)
    timeline: list[tuple[str, float, float]] = field(default_factory=list)
    """Each fault, when it began and when it was over, in seconds since 1970."""

    @property
    def held(self) -> bool:
        """Whether the promise was kept: no violation, and everything that was accepted is there and assigned."""
        return not (self.violations or self.lost_leads or self.lost_imports or self.created_twice)

    def as_json(self) -> dict[str, Any]:
        recovery = self.longest_recovery._asdict()
        return asdict(self) | {"longest_recovery": recovery, "leads": self.captured + self.created + self.imported, "held": self.held}


def tally(
    system: System,
    struck: Collection[Struck],
    accepted: Accepted,
    retried: Counter[str],
    ended_by_themselves: Counter[str],
    reports: list[Report],
) -> Outcome:
    """Holds what was answered against what SQL says."""
    totals, entered, created, twice, ended = _read(system)
    times = {lead: (at, entered[lead].timestamp()) for lead, at in accepted.leads.items() if lead in entered}
    kept = {run: ended[run] for run in accepted.runs if run in ended and (ended[run].state == "done" or run in accepted.to_cancel)}
    imported, states = sum(run.records for run in kept.values()), Counter(run.state for run in kept.values())
    return Outcome(
        faults=dict(sorted(Counter(fault.name for fault in struck).items())),
        answers=dict(sorted(Counter(accepted.answers).items())),
        captured=len(accepted.leads),
        assigned=len(times),
        created=len(accepted.created),
        created_in_turn=len(accepted.created) - len(_others(accepted, created)),
        imports=len(accepted.runs),
        imports_done=states["done"],
        imports_cancelled=states["cancelled"],
        imported=imported,
        unanswered=totals.leads - len(accepted.leads) - len(accepted.created) - imported,
        roster_changes=accepted.roster_changes,
        turns=totals.turns,
        conflicts=totals.conflicts,
        seeds=totals.seeds,
        returned=totals.returned,
        retried=dict(retried),
        ended_by_themselves=dict(ended_by_themselves),
        longest_recovery=longest_recovery(struck, times.values()),
        lost_leads=sorted({*accepted.leads} - {*entered} | _others(accepted, created)),
        created_twice=twice,
        lost_imports=sorted(set(accepted.runs) - set(kept)),
        violations=sum(report.violated.total() for report in reports),
        first_violations=[_words(report.pool, found) for report in reports for found in report.violations],
        timeline=[(fault.name, round(fault.began, 3), round(fault.over, 3)) for fault in struck],
    )


def _others(accepted: Accepted, created: dict[int, int]) -> set[int]:
    """The leads that were created and aren't there, or aren't theirs whom the answer showed."""
    return {lead for lead, _ in accepted.created.items() - created.items()}


def _read(system: System) -> tuple[Totals, dict[int, datetime], dict[int, int], list[str], dict[int, Ended]]:
    """What the books say at one moment."""
    with system.reading() as session:
        created, twice = books.created(session), books.created_twice(session, CREATED)
        return books.totals(session), books.entered(session), created, twice, books.ended(session)


def _words(pool: str, violation: Violation) -> str:
    turn = "" if violation.turn is None else f", turn {violation.turn:,}"
    return f"{pool}{turn}, {violation.point}: {violation.what}"


def longest_recovery(struck: Iterable[Struck], times: Iterable[tuple[float, float]]) -> Recovery:
    """From the end of a fault until every lead accepted before had its owner; times are when each was accepted, and when it had it. Other
    faults go on meanwhile, so this is the most that it can have been."""
    lines = sorted(times)
    moments = [accepted for accepted, _ in lines]
    last_owned = [0.0, *accumulate((owned for _, owned in lines), max)]
    found = [Recovery(last_owned[bisect_right(moments, fault.over)] - fault.over, fault.name) for fault in struck]
    return max([Recovery(), *found], key=lambda recovery: recovery.seconds)
