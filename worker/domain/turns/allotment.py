"""Allotments: which records go to whom, and by which turns."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from worker.domain.turns.causes import Cause

Cell = TypeVar("Cell")

OwnerColumns = Mapping[str, Sequence[int | None]]
"""Columns of equal length: record_id, owner_id, pool_id, turn and given_by."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One turn as the ledger keeps it."""

    pool_id: int
    turn: int
    claim: str
    """The name under which the request took the turn."""
    ordinal: int
    """The record's place within its claim, from 0."""
    record_id: int | None
    """None where the turn is void."""
    user_id: int
    """The rightful member."""
    previous_owner_id: int | None
    cause: Cause
    actor_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Allotment:
    """The new owners of any number of records. It is kept column by column, as databases take many
    rows fastest. All columns are equally long, and the ordinals of a run's records ascend."""

    pool_id: int | None
    """None where somebody chose a person as the owner: no turn is taken then."""
    cause: Cause
    claims: Sequence[str]
    ordinals: Sequence[int]
    turns: Sequence[int | None]
    owner_ids: Sequence[int]
    record_ids: Sequence[int | None]
    previous_owner_ids: Sequence[int | None]
    actor_ids: Sequence[int | None]
    given_by: int | None = None
    """The reassignment that gives the records, if one does."""

    def only(self, ordinals: Sequence[int]) -> "Allotment":
        """The part at some of the ordinals, which ascend."""
        if len(ordinals) == len(self.ordinals):
            return self
        places = [bisect_left(self.ordinals, ordinal) for ordinal in ordinals]

        def pick(column: Sequence[Cell]) -> list[Cell]:
            return [column[place] for place in places]

        return replace(
            self,
            claims=pick(self.claims),
            ordinals=ordinals,
            turns=pick(self.turns),
            owner_ids=pick(self.owner_ids),
            record_ids=pick(self.record_ids),
            previous_owner_ids=pick(self.previous_owner_ids),
            actor_ids=pick(self.actor_ids),
        )

    def of_records(
        self, record_ids: Sequence[int], previous_owner_ids: Sequence[int | None]
    ) -> "Allotment":
        """The same turns and owners for those records, which belonged to those owners before."""
        return replace(self, record_ids=record_ids, previous_owner_ids=previous_owner_ids)

    def owners(self) -> OwnerColumns:
        """What the records themselves say of their owners afterwards."""
        count = len(self.ordinals)
        return {
            "record_id": self.record_ids,
            "owner_id": self.owner_ids,
            "pool_id": [self.pool_id] * count,
            "turn": self.turns,
            "given_by": [self.given_by] * count,
        }
