"""The views of `verify`'s findings."""

from dataclasses import dataclass
from typing import ClassVar

from worker.domain.audit.reports import Report, Violation


@dataclass(frozen=True, slots=True)
class ReportView:
    """The checks of one pool, and their findings."""

    __pydantic_config__: ClassVar = {"use_attribute_docstrings": True}

    pool: str
    deleted: bool
    """Whether the pool is deleted. Then its ledger is checked, which stays."""
    holds: bool
    """Whether every point of the promise does."""
    turns: int
    """The last turn that was handed out."""
    entered: int
    voided: int
    """How many of the entered turns belong to members who had left."""
    undone: int
    """How many of the entered turns an undo has taken back without returning them."""
    open: int
    """Turns in open blocks that aren't entered yet."""
    returned: int
    """Turns that wait in the ring to be handed out again."""
    gaps: int
    """Turns that are nowhere, where no ring was compared: the next seeding returns them."""
    owed: int
    """Turns that were taken for captured leads in line."""
    records: int
    """Records that agree with their entry."""
    waiting: int
    """Captured leads that wait for their owner."""
    blocks: int
    rosters: int
    ring: str
    """agrees, disagrees, not seeded, or not asked."""
    violated: dict[str, int]
    """How many violations there are, by point."""
    violations: list[Violation]
    """The first hundred of each point."""


def show_report(report: Report) -> ReportView:
    return ReportView(
        pool=report.pool,
        deleted=report.deleted,
        holds=report.holds,
        turns=report.turns,
        entered=report.entered,
        voided=report.voided,
        undone=report.undone,
        open=report.open,
        returned=report.returned,
        gaps=report.gaps,
        owed=report.owed,
        records=report.records,
        waiting=report.waiting,
        blocks=report.blocks,
        rosters=report.rosters,
        ring=report.ring,
        violated=dict(report.violated),
        violations=report.violations,
    )
