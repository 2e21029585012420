"""How it is told why a record has its owner."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from worker.domain.records.record_type import RecordType
from worker.domain.turns.causes import Cause
from worker.store.views.pools import RosterView
from worker.store.views.who import Who


@dataclass(frozen=True, slots=True)
class WaitView:
    """Since when a captured lead waits for its owner."""

    __pydantic_config__: ClassVar = {"use_attribute_docstrings": True}

    since: datetime
    reason: str | None
    """The reason, if it waits for more than a worker."""


@dataclass(frozen=True, slots=True)
class UndoneTurn:
    """A turn that a record had, and that was undone."""

    __pydantic_config__: ClassVar = {"use_attribute_docstrings": True}

    turn: int
    pool: str
    user: Who
    """The member to whom the turn gave the record."""
    previous_owner: Who | None
    """Who had it before; null if it came in by this turn."""
    claim: str
    cause: Cause
    at: datetime
    taken_back_at: datetime
    by: str
    """The kind and the number of the run that has undone it, such as `undo:8`."""


@dataclass(frozen=True, slots=True)
class WhyView:
    """Why a record has its owner. All but the first fields are null when no turn was taken: a
    captured lead waits for one, or a person chose the owner."""

    __pydantic_config__: ClassVar = {"use_attribute_docstrings": True}

    record_type: RecordType
    record_id: int
    name: str
    owner: Who
    created_at: datetime
    undone: list[UndoneTurn]
    """The turns that it had and that were undone, newest first."""
    given_back_by: int | None
    """The undo that left it in its present state, if nobody has touched it since. The record has
    its earlier owner and turn again, or is deleted if it belonged to nobody."""
    waits: WaitView | None = None
    turn: int | None = None
    pool: str | None = None
    roster: RosterView | None = None
    """The roster in force at the turn."""
    before: Who | None = None
    """Whose turn the one before was."""
    next: Who | None = None
    """Who was next after it."""
    claim: str | None = None
    """The name by which the request took its turns."""
    ordinal: int | None = None
    """The record's place within the claim, from 0."""
    cause: Cause | None = None
    actor: Who | None = None
    previous_owner: Who | None = None
    at: datetime | None = None
