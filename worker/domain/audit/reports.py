"""Reports: the checks of a pool, in numbers, and the places where the promise doesn't hold."""

from collections import Counter
from dataclasses import dataclass, field
from typing import ClassVar

NOT_SEEDED = "not seeded"
NOT_ASKED = "not asked"
AGREES = "agrees"
DISAGREES = "disagrees"

IN_TURN = "in turn"
ONCE = "once"
NONE_SKIPPED = "none skipped"
IN_ORDER = "in order"
ONE_RING = "one ring"
NEXT_STAYS_NEXT = "next stays next"
NOTHING_LOST = "nothing lost"
CHECKABLE = "checkable"

MOST_KEPT = 100
"""The number of violations that are kept for each point. The rest are only counted."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A point of the promise that doesn't hold, and the turn at which it doesn't."""

    __pydantic_config__: ClassVar = {"use_attribute_docstrings": True}

    point: str
    turn: int | None
    """Null for a problem that concerns no turn."""
    what: str


@dataclass
class Report:
    """The checks of one pool, and their findings."""

    pool: str
    turns: int = 0
    entered: int = 0
    voided: int = 0
    undone: int = 0
    """Entries that an undo has taken back, and whose turns stay spent."""
    open: int = 0
    returned: int = 0
    gaps: int = 0
    """Turns that the next seeding will return, where there is no ring that has them."""
    owed: int = 0
    """Turns that were taken for captured leads in line."""
    blocks: int = 0
    records: int = 0
    waiting: int = 0
    """Captured leads that wait for their owner."""
    rosters: int = 0
    ring: str = NOT_SEEDED
    deleted: bool = False
    violations: list[Violation] = field(default_factory=list)
    """The first hundred of each point."""
    violated: Counter[str] = field(default_factory=Counter)
    """How many there are of each point."""

    @property
    def holds(self) -> bool:
        return not self.violated

    def violate(self, point: str, turn: int | None, what: str) -> None:
        """Notes a violation."""
        self.add(Violation(point, turn, what))

    def add(self, violation: Violation) -> None:
        """Counts a violation, and keeps it if it is one of the first of its point."""
        if self.violated[violation.point] < MOST_KEPT:
            self.violations.append(violation)
        self.violated[violation.point] += 1

    def more(self) -> dict[str, int]:
        """How many violations were counted and not kept, by point."""
        return {
            point: count - MOST_KEPT for point, count in self.violated.items() if count > MOST_KEPT
        }
