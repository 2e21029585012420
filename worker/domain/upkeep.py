"""What upkeep finds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Repair:
    """Something that wasn't in order, and what was done about it."""

    problem: str
    action: str
