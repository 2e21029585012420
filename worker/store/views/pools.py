"""How pools and their rosters are shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy.orm import Session

from worker.domain.records.record_type import RecordType
from worker.domain.turns.pool import Pool
from worker.domain.turns.rosters import Roster, RosterVersion
from worker.errors.turns import UnknownPool
from worker.store.turns import ledger, pools
from worker.store.views.who import Who, find_people


@dataclass(frozen=True, slots=True)
class PoolSummary:
    """A pool at a glance."""

    __pydantic_config__: ClassVar = {"use_attribute_docstrings": True}

    id: int
    """Also the id of the pool's phantom user, which serves as an owner's id."""
    name: str
    record_type: RecordType
    """What it shares: lead, contact or deal."""
    size: int
    """How many members it has."""
    next: str | None
    """The name of the member who is next after the last entered turn; null without members. Open
    blocks and returned turns don't count here: a pool that is shown alone asks its ring."""
    turns: int
    """The last turn that was entered."""
    roster_version: int


@dataclass(frozen=True, slots=True)
class MemberView:
    """A member, and how many records the pool has given them."""

    id: int
    name: str
    email: str | None
    records: int


@dataclass(frozen=True, slots=True)
class PoolView:
    """A pool with its members."""

    __pydantic_config__: ClassVar = {"use_attribute_docstrings": True}

    id: int
    """Also the id of the pool's phantom user, which serves as an owner's id."""
    name: str
    record_type: RecordType
    """What it shares: lead, contact or deal."""
    size: int
    """How many members it has."""
    next: str | None
    """The name of the member who is next; null without members."""
    turns: int
    """How many turns were handed out so far."""
    roster_version: int
    members: list[MemberView]
    """In the order of joining."""
    left: list[MemberView]
    """Who was given records and is no member any more."""


@dataclass(frozen=True, slots=True)
class RosterView:
    """The members in order, from a turn on."""

    version: int
    first_turn: int
    since: datetime
    members: list[Who]


@dataclass(frozen=True, slots=True)
class RosterChangeView:
    """A roster, and who has made it."""

    __pydantic_config__: ClassVar = {"use_attribute_docstrings": True}

    version: int
    first_turn: int
    since: datetime
    members: list[Who]
    actor: Who | None
    """Null if it was done on the command line."""


def list_pools(session: Session) -> list[PoolSummary]:
    """All live pools in the order of creation. Who is next comes from the ledger alone."""
    turns = ledger.find_last_turns(session)
    rosters = pools.list_latest_rosters(session)
    everybody = (member for roster in rosters.values() for member in roster.members)
    people = find_people(session, everybody)
    return [
        _summarize(pool, rosters[pool.id], turns.get(pool.id, 0), people)
        for pool in pools.list_live(session)
    ]


def _summarize(
    pool: Pool, roster: Roster, turns: int, people: Mapping[int | None, Who]
) -> PoolSummary:
    following = roster.following(turns + 1)
    return PoolSummary(
        id=pool.id,
        name=pool.name,
        record_type=pool.record_type,
        size=len(roster.members),
        next=people[following[0]].name if following else None,
        turns=turns,
        roster_version=roster.version,
    )


def show_pool(session: Session, pool: Pool, turns: int, next_member: int | None) -> PoolView:
    """A pool as it is shown; the caller knows its turns so far, and who is next."""
    roster = pools.get_latest_roster(session, pool.id)
    counts = ledger.count_records(session, pool.id)
    people = find_people(session, [*roster.members, *counts, next_member])
    members = [_show_member(people[user_id], counts) for user_id in roster.members]
    gone = sorted(counts.keys() - set(roster.members))
    return PoolView(
        id=pool.id,
        name=pool.name,
        record_type=pool.record_type,
        size=len(members),
        next=None if next_member is None else people[next_member].name,
        turns=turns,
        roster_version=roster.version,
        members=members,
        left=[_show_member(people[user_id], counts) for user_id in gone],
    )


def _show_member(user: Who, counts: Mapping[int, int]) -> MemberView:
    return MemberView(user.id, user.name, user.email, counts.get(user.id, 0))


def list_rosters(session: Session, pool_id: int) -> list[RosterChangeView]:
    """All rosters of a live pool, oldest first. Raises UnknownPool."""
    if pools.find_live(session, pool_id) is None:
        raise UnknownPool(name=pool_id)
    versions = pools.list_roster_versions(session, pool_id)
    members = {member for version in versions for member in version.roster.members}
    people = find_people(session, members | {version.actor_id for version in versions})
    return [_show_change(version, people) for version in versions]


def _show_change(version: RosterVersion, people: Mapping[int | None, Who]) -> RosterChangeView:
    return RosterChangeView(
        version=version.roster.version,
        first_turn=version.roster.first_turn,
        since=version.at,
        members=[people[member] for member in version.roster.members],
        actor=people.get(version.actor_id),
    )


def show_roster(version: RosterVersion, people: Mapping[int | None, Who]) -> RosterView:
    """A roster with its members, who must be among the people."""
    return RosterView(
        version=version.roster.version,
        first_turn=version.roster.first_turn,
        since=version.at,
        members=[people[member] for member in version.roster.members],
    )
