"""Whether the rosters of a pool follow each other as they must: next stays next, and newcomers go
to the end."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from worker.domain.turns.rosters import Roster

Fault = tuple[int, str]
"""The first turn of a roster, and what is wrong with it."""


def faults(rosters: Sequence[Roster]) -> Iterator[Fault]:
    """What is wrong with rosters, which come in the order of their versions."""
    for first in rosters[:1]:
        if (first.version, first.first_turn, first.first_slot) != (1, 1, 0):
            yield (
                first.first_turn,
                f"the first roster has version {first.version}, and begins at slot {first.first_slot}",
            )
    for roster in rosters:
        if len(set(roster.members)) < len(roster.members):
            yield (
                roster.first_turn,
                f"in roster version {roster.version} somebody is a member twice",
            )
    for old, new in pairwise(rosters):
        if wrong := _wrong(old, new):
            yield new.first_turn, f"roster version {new.version} {wrong}"


def _wrong(old: Roster, new: Roster) -> str | None:
    """Why one roster can't follow the other."""
    stay = tuple(user for user in old.members if user in set(new.members))
    if new.version != old.version + 1:
        return f"follows version {old.version}: one between is not there"
    if new.first_turn < old.first_turn:
        return f"begins before version {old.version}, which begins at turn {old.first_turn:,}"
    if new.members[: len(stay)] != stay:
        return f"has the members {list(new.members)} after {list(old.members)}: who stays must stay in order, before who joins"
    slot = old.succeeded_by(new.members, new.first_turn).first_slot
    return (
        None
        if new.first_slot == slot
        else f"begins at slot {new.first_slot}, though next was who is at slot {slot}"
    )
