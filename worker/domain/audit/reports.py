"""Reports: what was checked of a pool, with numbers, and every point of the promise that doesn't
hold."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

NOT_SEEDED, NOT_ASKED, AGREES, DISAGREES = "not seeded", "not asked", "agrees", "disagrees"

IN_TURN, ONCE, NONE_SKIPPED, IN_ORDER = "in turn", "once", "none skipped", "in order"
ONE_RING, NEXT_STAYS_NEXT, NOTHING_LOST, CHECKABLE = (
    "one ring",
    "next stays next",
    "nothing lost",
    "checkable",
)

MOST_KEPT = 100
"""How many violations of one point are kept; the rest are only counted."""


class Violation(NamedTuple):
    """A point of the promise that doesn't hold, and the turn at which it doesn't, if it is about
    one."""

    point: str
    turn: int | None
    what: str


@dataclass
class Report:
    """What was checked of one pool, and what was found."""

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

    def violate(self, point: str, turn: int | None, what: str, times: int = 1) -> None:
        """Counts violations of one point, and keeps the first ones."""
        if self.violated[point] < MOST_KEPT:
            self.violations.append(Violation(point, turn, what))
        self.violated[point] += times

    def more(self) -> dict[str, int]:
        """How many violations were counted and not kept, by point."""
        kept = Counter(violation.point for violation in self.violations)
        return {
            point: count - kept[point]
            for point, count in self.violated.items()
            if count > kept[point]
        }

    def as_json(self) -> dict[str, Any]:
        told = {
            "holds": self.holds,
            "violated": dict(self.violated),
            "violations": [found._asdict() for found in self.violations],
        }
        return asdict(self) | told
