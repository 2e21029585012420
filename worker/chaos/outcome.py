"""The result of a soak: every accepted request is checked against SQL, and the time that the stack
took to recover is measured."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import accumulate
from typing import NamedTuple

from worker.chaos import oracle_queries
from worker.chaos.api import Acceptances
from worker.chaos.oracle_queries import EndedRun, OracleReport
from worker.chaos.scheduler import Injection
from worker.domain.audit.reports import Report, Violation
from worker.flows.system import System


@dataclass(frozen=True)
class Recovery:
    """The seconds from the end of a fault until every lead accepted before had its owner."""

    seconds: float = 0.0
    after: str | None = None


@dataclass(frozen=True)
class RunTotals:
    """Runs that got a 2xx, and how they ended."""

    accepted: int
    done: int
    """Runs that did all that they had to do."""
    cancelled: int
    """Runs that were cancelled by request, and whose unused turns came back."""
    records: int
    """Records that the done and the cancelled runs made, moved or took back."""
    lost: list[int]
    """The ids of the other runs."""


@dataclass
class SoakResult:
    """The faults, the work of the stack meanwhile, and whether it kept its promise."""

    faults: dict[str, int]
    answers: dict[str, int]
    captured: int
    """Leads that got a 2xx."""
    assigned: int
    """Captured leads that belong to a person by a turn under their own claim."""
    created: int
    """Leads that were created for a pool, and got a 2xx."""
    created_in_turn: int
    """Created leads that belong to the person in the answer, whose turn it was."""
    imports: RunTotals
    """Files that were imported to a pool."""
    stocked: int
    """Leads that were imported to a person, and are reassigned later."""
    moves: RunTotals
    """Reassignments of those to a pool."""
    undos: RunTotals
    """Undos of reassignments."""
    leads: int
    """All leads that got a 2xx, alone or with their file."""
    unanswered: int
    """Leads that exist although their request got no answer, or an error."""
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
    """Runs in addition to the requested ones."""
    violations: int = 0
    first_violations: list[str] = field(default_factory=list)
    timeline: list[tuple[str, float, float]] = field(default_factory=list)
    """Each fault, when it began and when it was over, in seconds since 1970."""

    @property
    def held(self) -> bool:
        """Whether there is no violation, and everything that was accepted exists and is
        assigned."""
        return not (
            self.violations
            or self.lost_leads
            or self.lost_runs
            or self.created_twice
            or self.runs_twice
        )

    def as_json(self) -> dict[str, object]:
        """Returns the fields as JSON takes them, with `held`."""
        return asdict(self) | {"held": self.held}


class _LeadCounts(NamedTuple):
    captured: int
    assigned: int
    created: int
    created_in_turn: int
    created_twice: list[str]
    lost_leads: list[int]


class _RunCounts(NamedTuple):
    imports: RunTotals
    stocked: RunTotals
    moves: RunTotals
    undos: RunTotals
    runs_twice: int

    @property
    def lost(self) -> list[int]:
        """The ids of all lost runs, in order."""
        kinds = (self.imports, self.stocked, self.moves, self.undos)
        return sorted(run_id for totals in kinds for run_id in totals.lost)


def count_outcome(
    system: System,
    struck: Collection[Injection],
    accepted: Acceptances,
    retried: Counter[str],
    ended_by_themselves: Counter[str],
    reports: list[Report],
) -> SoakResult:
    """Checks the API's answers against SQL."""
    with system.reading() as session:
        found = oracle_queries.read(session)
    runs, totals = _count_runs(accepted, found), found.totals
    imported = runs.imports.records + runs.stocked.records
    leads = len(accepted.leads) + len(accepted.created) + imported
    return SoakResult(
        **_count_leads(accepted, found)._asdict(),
        imports=runs.imports,
        stocked=runs.stocked.records,
        moves=runs.moves,
        undos=runs.undos,
        runs_twice=runs.runs_twice,
        lost_runs=runs.lost,
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
        longest_recovery=measure_recovery(struck, _list_waits(accepted, found)),
        violations=sum(report.violated.total() for report in reports),
        first_violations=[line for report in reports for line in _describe_violations(report)],
        timeline=[(fault.name, round(fault.began, 3), round(fault.over, 3)) for fault in struck],
    )


def _count_leads(accepted: Acceptances, found: OracleReport) -> _LeadCounts:
    lost = {*accepted.leads} - {*found.entered}
    # They don't exist, or have another owner than the answer showed.
    others = {lead for lead, _ in accepted.created.items() - found.created.items()}
    return _LeadCounts(
        captured=len(accepted.leads),
        assigned=len(accepted.leads) - len(lost),
        created=len(accepted.created),
        created_in_turn=len(accepted.created) - len(others),
        created_twice=found.created_twice,
        lost_leads=sorted(lost | others),
    )


def _count_runs(accepted: Acceptances, found: OracleReport) -> _RunCounts:
    return _RunCounts(
        imports=_count_kind(accepted, accepted.imports, found.imported),
        stocked=_count_kind(accepted, accepted.stocks, found.stocked),
        moves=_count_kind(accepted, accepted.moves, found.moved),
        undos=_count_kind(accepted, accepted.undos, found.undone),
        runs_twice=max(found.totals.keyed_runs - accepted.asked, 0),
    )


def _count_kind(
    accepted: Acceptances, asked: Sequence[int], ended: Mapping[int, EndedRun]
) -> RunTotals:
    """Checks the runs of one kind that got a 2xx against those that ended in good order. Two
    requests for the same undo get the same run."""
    kept = {
        run_id: ended[run_id]
        for run_id in asked
        if run_id in ended and (ended[run_id].state == "done" or run_id in accepted.to_cancel)
    }
    states = Counter(run.state for run in kept.values())
    return RunTotals(
        accepted=len({*asked}),
        done=states["done"],
        cancelled=states["cancelled"],
        records=sum(run.records for run in kept.values()),
        lost=sorted({*asked} - {*kept}),
    )


def _list_waits(accepted: Acceptances, found: OracleReport) -> list[tuple[float, float]]:
    """Returns when each captured lead was accepted, and when it had its owner."""
    return [
        (accepted_at, found.entered[lead].timestamp())
        for lead, accepted_at in accepted.leads.items()
        if lead in found.entered
    ]


def _describe_violations(report: Report) -> list[str]:
    return [_describe(report.pool, violation) for violation in report.violations]


def _describe(pool: str, violation: Violation) -> str:
    turn = "" if violation.turn is None else f", turn {violation.turn:,}"
    return f"{pool}{turn}, {violation.point}: {violation.what}"


def measure_recovery(struck: Iterable[Injection], times: Iterable[tuple[float, float]]) -> Recovery:
    """Returns the longest time from the end of a fault until every lead accepted before had its
    owner. `times` are when each lead was accepted, and when it had its owner.

    Other faults go on meanwhile, so the true time is at most that.
    """
    lines = sorted(times)
    moments = [accepted for accepted, _ in lines]
    last_owned = [0.0, *accumulate((owned for _, owned in lines), max)]
    found = [
        Recovery(last_owned[bisect_right(moments, fault.over)] - fault.over, fault.name)
        for fault in struck
    ]
    return max([Recovery(), *found], key=lambda recovery: recovery.seconds)
