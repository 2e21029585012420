"""How a pool's ledger is shown, page by page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy.orm import Session

from worker.domain.records.record_type import RecordType
from worker.domain.turns.allotment import Entry
from worker.domain.turns.causes import Cause
from worker.errors.turns import UnknownPool
from worker.store.turns import ledger, pools
from worker.store.views.who import Who, find_people


@dataclass(frozen=True, slots=True)
class EntryView:
    """A turn in the ledger, with the record and its owner."""

    __pydantic_config__: ClassVar = {"use_attribute_docstrings": True}

    turn: int
    record_type: RecordType
    record_id: int | None
    """Null for a turn that is void, since its member had left."""
    user: Who
    """The rightful member."""
    previous_owner: Who | None
    cause: Cause
    claim: str
    """The name by which the request took its turns."""
    undone_by: int | None
    """The run that has taken it back. Its turn is spent, unless that run returns it."""
    actor: Who | None
    at: datetime


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """A page of a ledger."""

    __pydantic_config__: ClassVar = {"use_attribute_docstrings": True}

    entries: list[EntryView]
    """In the order of turns."""
    next: int | None
    """The turn to ask after for the next page; null at the end."""


def read_page(session: Session, pool_id: int, after: int, limit: int) -> LedgerPage:
    """The entries of a live pool that follow a turn, at most so many. Raises UnknownPool."""
    pool = pools.find_live(session, pool_id)
    if pool is None:
        raise UnknownPool(name=pool_id)
    found = ledger.read_page(session, pool_id, after, limit + 1)
    page = found[:limit]
    people = find_people(
        session,
        (
            user_id
            for entry, _ in page
            for user_id in (entry.user_id, entry.previous_owner_id, entry.actor_id)
        ),
    )
    return LedgerPage(
        entries=[
            _show_entry(entry, undone_by, pool.record_type, people) for entry, undone_by in page
        ],
        next=page[-1][0].turn if len(found) > limit else None,
    )


def _show_entry(
    entry: Entry, undone_by: int | None, record_type: RecordType, people: Mapping[int | None, Who]
) -> EntryView:
    return EntryView(
        turn=entry.turn,
        record_type=record_type,
        record_id=entry.record_id,
        user=people[entry.user_id],
        previous_owner=people.get(entry.previous_owner_id),
        cause=entry.cause,
        claim=entry.claim,
        undone_by=undone_by,
        actor=people.get(entry.actor_id),
        at=entry.at,
    )
