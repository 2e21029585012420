"""A figure: what was measured, against which limit, and whether that is good enough."""

from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Figure:
    """Ratios of one thing measured to its limit, of which the median counts. Times and sizes are
    told, and never judged."""

    name: str
    measured: str
    limit: str
    ratios: tuple[float, ...]
    target: float
    at_most: bool = False
    """Whether the target is a ceiling; else it is a floor."""

    @property
    def ratio(self) -> float:
        return median(self.ratios)

    @property
    def met(self) -> bool:
        return self.ratio <= self.target if self.at_most else self.ratio >= self.target

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"ratio": self.ratio, "met": self.met}


@dataclass(frozen=True)
class Pair:
    """The seconds that the limit and the import took for the same rows, one right after the other."""

    bare: float
    ours: float


def speed(name: str, limit: str, rows: int, pairs: list[Pair], target: float) -> Figure:
    """The speed of imports as shares of the limit's speed."""
    ours, bare = median(pair.ours for pair in pairs), median(pair.bare for pair in pairs)
    return Figure(
        name,
        timed(rows, ours),
        f"{limit}: {timed(rows, bare)}",
        tuple(pair.bare / pair.ours for pair in pairs),
        target,
    )


def timed(rows: int, seconds: float) -> str:
    return f"{rows:,} rows in {seconds:.1f} s ({rows / seconds:,.0f} a second)"
