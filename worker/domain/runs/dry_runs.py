"""Dry runs: who would get how many records, if they were given away now."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExpectedShare:
    """What one user would get."""

    user_id: int
    records: int
    stay: int
    """How many of these records the user has already."""


def count_shares(
    members: Sequence[int], owners: Iterable[int], present: Iterable[int | None]
) -> list[ExpectedShare]:
    """The share of each member, in the order of the members, and then of everybody else who gets
    something.

    `owners` and `present` give the future and the present owner of the same records, in the same
    order. There may be any number of them: none is kept.
    """
    records: Counter[int] = Counter()
    stay: Counter[int] = Counter()
    for (owner, before), count in Counter(zip(owners, present, strict=True)).items():
        records[owner] += count
        stay[owner] += count if owner == before else 0
    return [
        ExpectedShare(user_id, records[user_id], stay[user_id])
        for user_id in dict.fromkeys([*members, *records])
    ]
