"""Checks that the rosters of a pool follow each other as they must: next stays next, and newcomers
go to the end."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from worker.domain.turns.rosters import Roster

RosterFault = tuple[int, str]
"""The first turn of a roster, and what is wrong with it."""


def find_faults(rosters: Sequence[Roster]) -> Iterator[RosterFault]:
    """What is wrong with rosters, which must come in the order of their versions."""
    for first in rosters[:1]:
        if (first.version, first.first_turn, first.first_slot) != (1, 1, 0):
            begins = f"has version {first.version}, and begins at slot {first.first_slot}"
            yield first.first_turn, f"the first roster {begins}"
    for roster in rosters:
        if len(set(roster.members)) < len(roster.members):
            twice = f"in roster version {roster.version} somebody is a member twice"
            yield roster.first_turn, twice
    for old, new in pairwise(rosters):
        if wrong := _say_why_not(old, new):
            yield new.first_turn, f"roster version {new.version} {wrong}"


def _say_why_not(old: Roster, new: Roster) -> str | None:
    """Why a roster can't follow another; None if it can."""
    stay = tuple(user for user in old.members if user in set(new.members))
    if new.version != old.version + 1:
        return f"follows version {old.version}: one between is not there"
    if new.first_turn < old.first_turn:
        return f"begins before version {old.version}, which begins at turn {old.first_turn:,}"
    if new.members[: len(stay)] != stay:
        members = f"has the members {list(new.members)} after {list(old.members)}"
        return f"{members}: who stays must stay in order, before who joins"
    slot = old.succeeded_by(new.members, new.first_turn).first_slot
    if new.first_slot == slot:
        return None
    return f"begins at slot {new.first_slot}, though next was who is at slot {slot}"
