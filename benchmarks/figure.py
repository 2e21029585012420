"""A figure: what was measured, against which limit, and whether that is good enough."""

from dataclasses import asdict, dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    """The ratios of what was measured to its limit. Their median is held against the target; times
    and sizes are only shown."""

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

    def as_json(self) -> dict[str, object]:
        """Returns the fields as JSON takes them, with the ratio and whether the target is met."""
        return asdict(self) | {"ratio": self.ratio, "met": self.met}


@dataclass(frozen=True)
class Pair:
    """The seconds that the limit and then the import took for the same rows."""

    bare: float
    ours: float


def compare_speed(name: str, limit: str, rows: int, pairs: list[Pair], target: float) -> Figure:
    """Returns the figure of the speed of imports as shares of the limit's speed."""
    ours, bare = median(pair.ours for pair in pairs), median(pair.bare for pair in pairs)
    return Figure(
        name,
        describe_speed(rows, ours),
        f"{limit}: {describe_speed(rows, bare)}",
        tuple(pair.bare / pair.ours for pair in pairs),
        target,
    )


def describe_speed(rows: int, seconds: float) -> str:
    return f"{rows:,} rows in {seconds:.1f} s ({rows / seconds:,.0f} a second)"
