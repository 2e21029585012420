"""A pool's rosters over time, and its ledger page by page, as plain facts."""

from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.domain.turns.pool import Pool
from worker.errors.turns import UnknownPool
from worker.store.people import users
from worker.store.turns import ledger, pools
from worker.store.views.facts import Facts, time_text, who

People = dict[int, Row[Any]]


def rosters(session: Session, pool_id: int) -> list[Facts]:
    """Who the members were, in order, from which turn on, and who has made it so. Raises
    UnknownPool."""
    _live(session, pool_id)
    changes = pools.roster_changes(session, pool_id)
    people = users.by_id(
        session,
        [
            *(change.actor_id for change in changes),
            *(member for change in changes for member in change.members),
        ],
    )
    return [_roster(change, people) for change in changes]


def _roster(change: Row[Any], people: People) -> Facts:
    return {
        "version": change.version,
        "first_turn": change.first_turn,
        "since": time_text(change.at),
        "actor": who(people.get(change.actor_id or 0)),
        "members": [who(people[member]) for member in change.members],
    }


def entries(session: Session, pool_id: int, after: int, limit: int) -> Facts:
    """The entries that follow a turn, and the turn to ask after for those that follow them. Raises
    UnknownPool."""
    pool = _live(session, pool_id)
    found = ledger.page(session, pool_id, after, limit + 1)
    page = found[:limit]
    people = users.by_id(
        session,
        (
            user_id
            for entry in page
            for user_id in (entry.user_id, entry.previous_owner_id, entry.actor_id)
        ),
    )
    shown = [_entry(entry, pool.record_type, people) for entry in page]
    return {"entries": shown, "next": page[-1].turn if len(found) > limit else None}


def _entry(entry: Row[Any], record_type: str, people: People) -> Facts:
    return {
        "turn": entry.turn,
        "record_type": record_type,
        "record_id": entry.record_id,
        "user": who(people[entry.user_id]),
        "previous_owner": who(people.get(entry.previous_owner_id or 0)),
        "cause": entry.cause,
        "claim": entry.claim,
        "undone_by": entry.undone_by,
        "actor": who(people.get(entry.actor_id or 0)),
        "at": time_text(entry.at),
    }


def _live(session: Session, pool_id: int) -> Pool:
    pool = pools.with_id(session, pool_id)
    if pool is None:
        raise UnknownPool(name=pool_id)
    return pool
