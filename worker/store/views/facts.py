"""What people and programs are shown: plain facts, ready for JSON."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from worker.domain.turns.pool import Pool
from worker.domain.turns.rosters import Roster
from worker.errors.turns import UnknownPool
from worker.store.people import users
from worker.store.tables import captures, leads
from worker.store.tables import users as user_table
from worker.store.turns import ledger, pools

Facts = dict[str, Any]


def user_facts(user: Row[Any]) -> Facts:
    facts = {
        name: getattr(user, name)
        for name in ("id", "name", "email", "is_admin", "can_reassign", "is_active")
    }
    return facts | {"created_at": time_text(user.created_at)}


def who(user: Row[Any] | None) -> Facts | None:
    """A user, or a pool's phantom user, in short."""
    return None if user is None else {"id": user.id, "name": user.name, "email": user.email}


def token_facts(token: Row[Any]) -> Facts:
    """A token without what it is, which nobody knows but who was given it."""
    times = {
        name: time_text(getattr(token, name))
        for name in ("created_at", "last_used_at", "revoked_at")
    }
    return {"id": token.id, "name": token.name, **times}


def all_users(session: Session) -> list[Facts]:
    return [user_facts(user) for user in users.people(session)]


def account_facts(session: Session, name: str, currency: str) -> Facts:
    """What the Sell API tells of the account, which is as old as its first user."""
    began = session.scalar(select(func.min(user_table.c.created_at)))
    facts = {
        "id": 1,
        "name": name,
        "currency": currency,
        "time_format": "24H",
        "timezone": "UTC",
        "phone": None,
        "subdomain": None,
    }
    return facts | dict.fromkeys(
        ("created_at", "updated_at"), began.strftime("%Y-%m-%dT%H:%M:%SZ") if began else None
    )


def all_pools(session: Session) -> list[Facts]:
    """Every live pool with its size, who is next, and its turns so far."""
    turns, rosters = ledger.turns_so_far(session), pools.latest_rosters(session)
    names = _names(session, (member for roster in rosters.values() for member in roster.members))
    return [
        _pool(pool, rosters[pool.id], turns.get(pool.id, 0), names) for pool in pools.live(session)
    ]


def pool_facts(session: Session, pool: Pool, turns: int, next_member: int | None) -> Facts:
    """A pool with its members in order, who is next, and how many records each has got. Those who
    left are listed apart."""
    roster, counts = pools.latest_roster(session, pool.id), ledger.counts(session, pool.id)
    people = users.by_id(session, [*roster.members, *counts, next_member])
    names = {user_id: user.name for user_id, user in people.items()}
    return _pool(pool, roster, turns, names) | {
        "next": names.get(next_member or 0),
        "members": [_share(people[user_id], counts) for user_id in roster.members],
        "left": [
            _share(people[user_id], counts)
            for user_id in sorted(counts)
            if user_id not in roster.members
        ],
    }


def _pool(pool: Pool, roster: Roster, turns: int, names: dict[int, str]) -> Facts:
    following = roster.following(turns + 1)
    return {
        "id": pool.id,
        "name": pool.name,
        "record_type": pool.record_type,
        "size": len(roster.members),
        "next": names[following[0]] if following else None,
        "turns": turns,
        "roster_version": roster.version,
    }


def _share(user: Row[Any], counts: dict[int, int]) -> Facts:
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "records": counts.get(user.id, 0),
    }


def _names(session: Session, ids: Iterable[int]) -> dict[int, str]:
    return {user_id: user.name for user_id, user in users.by_id(session, ids).items()}


# --- captured leads ---


def assigned(session: Session, lead_ids: Sequence[int]) -> list[Facts]:
    """The turn and the owner's email of each lead, in order; neither for one that waits."""
    if not lead_ids:
        return []
    found = select(leads.c.id, leads.c.turn, user_table.c.email.label("owner")).join(
        user_table, user_table.c.id == leads.c.owner_id
    )
    rows = session.execute(found.where(leads.c.id.between(lead_ids[0], lead_ids[-1])))
    by_id = {row.id: row for row in rows}
    return [dict(by_id[lead_id]._mapping) for lead_id in lead_ids]


def all_waiting(session: Session, pool: str | None, limit: int) -> list[Facts]:
    """The captured leads that wait, oldest first, and for what. Raises UnknownPool."""
    found = select(
        captures,
        leads.c.first_name,
        leads.c.last_name,
        leads.c.organization_name,
        user_table.c.name.label("pool"),
    )
    found = found.join(leads, leads.c.id == captures.c.lead_id).join(
        user_table, user_table.c.id == captures.c.pool_id
    )
    if pool is not None:
        found = found.where(captures.c.pool_id == _pool_id(session, pool))
    return [
        _waiting(row) for row in session.execute(found.order_by(captures.c.lead_id).limit(limit))
    ]


def _pool_id(session: Session, name: str) -> int:
    named = pools.called(session, name.strip())
    if named is None:
        raise UnknownPool(name=name)
    return int(named.id)


def _waiting(row: Row[Any]) -> Facts:
    name = " ".join(filter(None, (row.first_name, row.last_name))) or row.organization_name or ""
    facts = {field: getattr(row, field) for field in ("pool", "attempts", "set_aside", "reason")}
    return {"id": row.lead_id, "name": name, "accepted_at": time_text(row.accepted_at), **facts}


def time_text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
