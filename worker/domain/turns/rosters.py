"""Rosters: the members of a pool in order, and whose turn it is under them."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle, islice

from worker.domain.turns.turns import Span


@dataclass(frozen=True, slots=True)
class Roster:
    """The members in order, at one version: frozen, in force from a turn on."""

    version: int
    first_turn: int
    first_slot: int
    members: tuple[int, ...]

    def slot(self, turn: int) -> int:
        return (self.first_slot + turn - self.first_turn) % len(self.members)

    def member(self, turn: int) -> int:
        """The member whose turn it is. The roster must have members, and be in force then."""
        return self.members[self.slot(turn)]

    def following(self, turn: int) -> tuple[int, ...]:
        """The members in the order of their turns, from that turn on."""
        if not self.members:
            return ()
        slot = self.slot(turn)
        return self.members[slot:] + self.members[:slot]

    def succeeded_by(self, members: Sequence[int], next_turn: int) -> "Roster":
        """The next roster, in force from next_turn on. Next stays next; if they left, the member
        after them is next."""
        stays = next((user for user in self.following(next_turn) if user in members), None)
        slot = members.index(stays) if stays is not None else 0
        return Roster(self.version + 1, next_turn, slot, tuple(members))


@dataclass(frozen=True, slots=True)
class RosterVersion:
    """A roster, who made it, and when. Nobody is named for changes on the command line."""

    roster: Roster
    actor_id: int | None
    at: datetime


class Rosters:
    """The rosters of one pool, and the rightful member of each turn."""

    def __init__(self, rosters: Iterable[Roster]) -> None:
        self._rosters = sorted(rosters, key=lambda roster: roster.version)
        self._in_force = _in_force(self._rosters)
        self._first_turns = [roster.first_turn for roster in self._in_force]

    def __iter__(self) -> Iterator[Roster]:
        return iter(self._rosters)

    @property
    def latest(self) -> Roster:
        return self._rosters[-1]

    def in_force(self, turn: int) -> Roster:
        """The roster in force at a turn: the latest version that began by then."""
        return self._in_force[bisect_right(self._first_turns, turn) - 1]

    def member(self, turn: int) -> int:
        return self.in_force(turn).member(turn)

    def owners(self, turns: Iterable[Span]) -> Iterator[int]:
        """The rightful member of each turn in the spans, one after another."""
        for span in turns:
            for members, count in self._stretches(span):
                yield from islice(cycle(members), count)

    def rightful(self, span: Span) -> Iterator[int | None]:
        """Like owners, with None for a turn at which no roster with members is in force."""
        for members, count in self._stretches(span):
            yield from islice(cycle(members or (None,)), count)

    def first_not_among(self, span: Span, users: Collection[int]) -> int | None:
        """The first turn of the span whose rightful member is none of those users. Takes the same
        time however long the span is."""
        turn = span.first
        for members, count in self._stretches(span):
            for at, member in enumerate((members or (None,))[:count]):
                if member not in users:
                    return turn + at
            turn += count
        return None

    def _stretches(self, span: Span) -> Iterator[tuple[tuple[int, ...], int]]:
        """The span cut by the rosters in force: each one's members in the order of their turns, and
        how many turns."""
        turn = span.first
        while turn <= span.last:
            at = bisect_right(self._first_turns, turn)
            end = self._first_turns[at] if at < len(self._first_turns) else span.last + 1
            stop = min(end, span.last + 1)
            yield self._in_force[at - 1].following(turn) if at else (), stop - turn
            turn = stop


def _in_force(rosters: Sequence[Roster]) -> list[Roster]:
    """The rosters that are in force at some turn: no later version begins at or before their first
    turn."""
    found: list[Roster] = []
    for roster in reversed(rosters):
        if not found or roster.first_turn < found[-1].first_turn:
            found.append(roster)
    return found[::-1]
