"""Forecasts: who would get how many records, if they were given now."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Share(NamedTuple):
    """How many records somebody would get, and how many of these they have already."""

    user_id: int
    records: int
    stay: int


def shares(
    members: Sequence[int], owners: Iterable[int], present: Iterable[int | None]
) -> list[Share]:
    """What each member would get, in their order, and then whoever else gets something. Owners to
    be and present ones are of the same records, one after another; they may be any number, since
    none is kept."""
    records: Counter[int] = Counter()
    stay: Counter[int] = Counter()
    for (owner, before), count in Counter(zip(owners, present, strict=True)).items():
        records[owner] += count
        stay[owner] += count if owner == before else 0
    return [
        Share(user_id, records[user_id], stay[user_id])
        for user_id in dict.fromkeys([*members, *records])
    ]
