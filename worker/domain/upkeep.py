"""The findings of upkeep."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Repair:
    """A problem, and the repair."""

    problem: str
    action: str
