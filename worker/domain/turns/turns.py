"""Turns and the spans they come in."""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Consecutive turns of one pool: the first, and how many."""

    first: int
    count: int

    @property
    def last(self) -> int:
        return self.first + self.count - 1

    @classmethod
    def parse(cls, text: str) -> "Span":
        """The form that the ring stores and answers, "FIRST:COUNT"."""
        first, _, count = text.partition(":")
        return cls(int(first), int(count))

    def __str__(self) -> str:
        return f"{self.first}:{self.count}"

    def overlaps(self, other: "Span") -> bool:
        return self.first <= other.last and other.first <= self.last


class Turns(tuple[Span, ...]):
    """The turns of one claim, in the order in which its records use them."""

    @property
    def total(self) -> int:
        return sum(span.count for span in self)

    def slice(self, start: int, count: int) -> "Turns":
        """The turns at ordinals start to start + count - 1."""
        return Turns(_slice(self, start, start + count))

    def __str__(self) -> str:
        return " ".join(map(str, self))

    @classmethod
    def parse(cls, text: str) -> "Turns":
        return cls(map(Span.parse, text.split()))

    def each(self) -> Iterator[int]:
        for span in self:
            yield from range(span.first, span.first + span.count)


def _slice(spans: Iterable[Span], start: int, stop: int) -> Iterator[Span]:
    at = 0
    for span in spans:
        low, high = max(start - at, 0), min(stop - at, span.count)
        if low < high:
            yield Span(span.first + low, high - low)
        at += span.count


class Upcoming(NamedTuple):
    """What a ring hands out next: the returned turns in their order, and then the turns from
    `next_turn` on."""

    returned: Turns
    next_turn: int

    def first(self, count: int) -> Turns:
        """The first `count` turns that it hands out."""
        back = self.returned.slice(0, count)
        return (
            Turns((*back, Span(self.next_turn, count - back.total))) if back.total < count else back
        )


def merge(spans: Iterable[Span]) -> list[Span]:
    """The same turns in as few spans as possible, lowest first. The spans may overlap and come in
    any order."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.first <= found[-1].last + 1:
            found[-1] = Span(found[-1].first, max(found[-1].last, span.last) - found[-1].first + 1)
        else:
            found.append(span)
    return found


def find_gaps(used: Iterable[Span], first: int, last: int) -> Iterator[Span]:
    """The turns from first to last that are in none of the used spans. The spans may overlap and
    come in any order."""
    at = first
    for span in sorted(used):
        if span.first > last:
            break
        if span.first > at:
            yield Span(at, span.first - at)
        at = max(at, span.last + 1)
    if at <= last:
        yield Span(at, last - at + 1)


def subtract(spans: Iterable[Span], covers: Iterable[Span]) -> Iterator[Span]:
    """The parts of the spans that are in none of the covers. Keeps neither in memory. Both must
    ascend, and the spans of neither may overlap each other."""
    rest = iter(covers)
    cover = next(rest, None)
    for span in spans:
        at = span.first
        while cover is not None and cover.first <= span.last:
            if cover.first > at:
                yield Span(at, cover.first - at)
            at = max(at, cover.last + 1)
            if cover.last > span.last:
                break
            cover = next(rest, None)
        if at <= span.last:
            yield Span(at, span.last - at + 1)


def intersect(spans: Sequence[Span], others: Iterable[Span]) -> Iterator[Span]:
    """The turns in both. Both must ascend, and the spans of neither may overlap each other."""
    return subtract(spans, subtract(spans, others))


def share_a_turn(turns: Iterable[Span], others: Iterable[Span]) -> bool:
    """Whether both have a turn in common. The spans may come in any order. Takes many of both."""
    return any(intersect(merge(turns), merge(others)))


def drop_last(spans: Iterable[Span], count: int) -> Iterator[Span]:
    """The spans without their last `count` turns. Keeps only these in memory."""
    kept: deque[Span] = deque()
    total = 0
    for span in spans:
        kept.append(span)
        total += span.count
        while total > count:
            first = kept.popleft()
            gone = min(first.count, total - count)
            if gone < first.count:
                kept.appendleft(Span(first.first + gone, first.count - gone))
            total -= gone
            yield Span(first.first, gone)


def find_islands(turns: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The stretches without a gap in ascending turns, as (begin, end) positions to slice at."""
    begin, end = 0, len(turns)
    while begin < end:
        stop = end if turns[-1] - turns[begin] == end - 1 - begin else _first_gap(turns, begin)
        yield begin, stop
        begin = stop


def _first_gap(turns: Sequence[int], begin: int) -> int:
    """The first position whose turn doesn't follow the turn before it. There must be one."""
    offset = turns[begin] - begin
    return bisect_right(range(len(turns)), 0, begin + 1, key=lambda at: turns[at] - at - offset)
