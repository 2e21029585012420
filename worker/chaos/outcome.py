"""What came of it: every acceptance held against the books, and how long the stack took to recover."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import accumulate
from typing import Any, NamedTuple

from worker.chaos import oracle_queries
from worker.chaos.api import Accepted
from worker.chaos.oracle_queries import Ended, OracleTotals
from worker.chaos.scheduler import Injection
from worker.domain.audit.reports import Report, Violation
from worker.flows.system import System


class Recovery(NamedTuple):
    """How long after a fault was over the last of the leads accepted before had its owner."""

    seconds: float = 0.0
    after: str | None = None


class RunTotals(NamedTuple):
    """Runs that got a 2xx, and what became of them."""

    accepted: int
    done: int
    """Those that did all that they were to do."""
    cancelled: int
    """Those that were cancelled by request, and whose unused turns came back."""
    records: int
    """That both have made, moved or taken back."""
    lost: list[int]
    """The others, by id."""


@dataclass
class SoakResult:
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
    imports: RunTotals
    """Files that were imported to a pool."""
    stocked: int
    """Leads that were imported to a person, to be reassigned."""
    moves: RunTotals
    """Reassignments of those to a pool."""
    undos: RunTotals
    """Undos of reassignments."""
    leads: int
    """All that got a 2xx, by themselves or with their file."""
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
    lost_runs: list[int] = field(default_factory=list)
    created_twice: list[str] = field(default_factory=list)
    """Keys under which several leads were created."""
    runs_twice: int = 0
    """Runs beyond those that were asked for under keys."""
    violations: int = 0
    first_violations: list[str] = field(default_factory=list)
    timeline: list[tuple[str, float, float]] = field(default_factory=list)
    """Each fault, when it began and when it was over, in seconds since 1970."""

    @property
    def held(self) -> bool:
        """Whether the promise was kept: no violation, and everything that was accepted is there and
        assigned."""
        return not (
            self.violations
            or self.lost_leads
            or self.lost_runs
            or self.created_twice
            or self.runs_twice
        )

    def as_json(self) -> dict[str, Any]:
        tuples = {
            name: value._asdict()
            for name, value in vars(self).items()
            if isinstance(value, Recovery | RunTotals)
        }
        return asdict(self) | tuples | {"held": self.held}


def count_outcome(
    system: System,
    struck: Collection[Injection],
    accepted: Accepted,
    retried: Counter[str],
    ended_by_themselves: Counter[str],
    reports: list[Report],
) -> SoakResult:
    """Holds what was answered against what SQL says."""
    with system.reading() as session:
        said = oracle_queries.read(session)
    entered = {
        lead: (at, said.entered[lead].timestamp())
        for lead, at in accepted.leads.items()
        if lead in said.entered
    }
    of_runs, totals = _of_runs(accepted, said), said.totals
    leads = (
        len(accepted.leads)
        + len(accepted.created)
        + of_runs["imports"].records
        + of_runs["stocked"]
    )
    return SoakResult(
        **_of_leads(accepted, said),
        **of_runs,
        faults=dict(sorted(Counter(fault.name for fault in struck).items())),
        answers=dict(sorted(Counter(accepted.answers).items())),
        leads=leads,
        unanswered=totals.leads - leads,
        roster_changes=accepted.roster_changes,
        turns=totals.turns,
        conflicts=totals.conflicts,
        seeds=totals.seeds,
        returned=totals.returned,
        retried=dict(retried),
        ended_by_themselves=dict(ended_by_themselves),
        longest_recovery=longest_recovery(struck, entered.values()),
        violations=sum(report.violated.total() for report in reports),
        first_violations=[
            _words(report.pool, found) for report in reports for found in report.violations
        ],
        timeline=[(fault.name, round(fault.began, 3), round(fault.over, 3)) for fault in struck],
    )


def _of_leads(accepted: Accepted, said: OracleTotals) -> dict[str, Any]:
    lost = {*accepted.leads} - {*said.entered}
    others = {
        lead for lead, _ in accepted.created.items() - said.created.items()
    }  # not there, or not theirs whom the answer showed
    return {
        "captured": len(accepted.leads),
        "assigned": len(accepted.leads) - len(lost),
        "created": len(accepted.created),
        "created_in_turn": len(accepted.created) - len(others),
        "created_twice": said.created_twice,
        "lost_leads": sorted(lost | others),
    }


def _of_runs(accepted: Accepted, said: OracleTotals) -> dict[str, Any]:
    asked = (
        (accepted.imports, said.imported), (accepted.stocks, said.stocked), (accepted.moves, said.moved), (accepted.undos, said.undone),
    )  # fmt: skip
    imports, stocks, moves, undos = (_kept(accepted, runs, ended) for runs, ended in asked)
    return {
        "imports": imports,
        "stocked": stocks.records,
        "moves": moves,
        "runs_twice": max(said.totals.keyed_runs - accepted.asked, 0),
        "undos": undos,
        "lost_runs": sorted([*imports.lost, *stocks.lost, *moves.lost, *undos.lost]),
    }


def _kept(accepted: Accepted, runs: Sequence[int], ended: Mapping[int, Ended]) -> RunTotals:
    """Runs that got a 2xx, held against those that ended in good order. An undo that is asked for
    again is the same one."""
    kept = {
        run: ended[run]
        for run in runs
        if run in ended and (ended[run].state == "done" or run in accepted.to_cancel)
    }
    states = Counter(run.state for run in kept.values())
    lost = sorted({*runs} - {*kept})
    return RunTotals(
        len({*runs}),
        states["done"],
        states["cancelled"],
        sum(run.records for run in kept.values()),
        lost,
    )


def _words(pool: str, violation: Violation) -> str:
    turn = "" if violation.turn is None else f", turn {violation.turn:,}"
    return f"{pool}{turn}, {violation.point}: {violation.what}"


def longest_recovery(struck: Iterable[Injection], times: Iterable[tuple[float, float]]) -> Recovery:
    """From the end of a fault until every lead accepted before had its owner; times are when each
    was accepted, and when it had it. Other faults go on meanwhile, so this is the most that it can
    have been."""
    lines = sorted(times)
    moments = [accepted for accepted, _ in lines]
    last_owned = [0.0, *accumulate((owned for _, owned in lines), max)]
    found = [
        Recovery(last_owned[bisect_right(moments, fault.over)] - fault.over, fault.name)
        for fault in struck
    ]
    return max([Recovery(), *found], key=lambda recovery: recovery.seconds)
