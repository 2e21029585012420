"""Turns and the spans they come in."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


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
    """The turns that one claim was given, in the order in which its records use them."""

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


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same turns in as few spans as possible, lowest first. The spans may overlap and come in any order."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.first <= found[-1].last + 1:
            found[-1] = Span(found[-1].first, max(found[-1].last, span.last) - found[-1].first + 1)
        else:
            found.append(span)
    return found


def holes(used: Iterable[Span], first: int, last: int) -> Iterator[Span]:
    """What of the turns first to last is in none of the used spans. The spans may overlap and come in any order."""
    at = first
    for span in sorted(used):
        if span.first > last:
            break
        if span.first > at:
            yield Span(at, span.first - at)
        at = max(at, span.last + 1)
    if at <= last:
        yield Span(at, last - at + 1)
