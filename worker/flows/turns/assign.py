"""Takes turns. Every story takes its turns here, and they pass the fence."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy.orm import Session

from worker.domain.records.record_type import RecordType
from worker.domain.turns.allotment import Allotment
from worker.domain.turns.causes import Cause
from worker.domain.turns.pool import Pool
from worker.domain.turns.rosters import Roster, Rosters
from worker.domain.turns.turns import Turns
from worker.errors.turns import (
    EmptyPool,
    EmptyRoster,
    Refused,
    UnknownOwner,
    UnknownPool,
    WrongPoolType,
)
from worker.flows.turns import fence
from worker.flows.turns.enter import enter
from worker.flows.unit import Unit
from worker.ring import Taken
from worker.store.people.users import User
from worker.store.sql.clock import now
from worker.store.turns import ledger, pools


class TurnRequest(NamedTuple):
    """A record that asks for the next member. Its claim was fixed before the first attempt."""

    claim: str
    record_id: int
    previous_owner_id: int | None = None
    actor_id: int | None = None


def check_shares(session: Session, pool_id: int, record_type: str) -> Pool:
    """Checks that the pool is there and shares records of that type. Raises UnknownPool and
    WrongPoolType."""
    pool = pools.find_live(session, pool_id)
    if pool is None:
        raise UnknownPool(name=pool_id)
    if pool.record_type != record_type:
        raise WrongPoolType(pool=pool.name, theirs=pool.record_type, asked=record_type)
    return pool


def check_assignable(session: Session, pool_id: int, record_type: str) -> None:
    """Checks that the pool can be given records of that type now. Raises what `check_shares` does,
    and EmptyPool."""
    pool = check_shares(session, pool_id, record_type)
    if not pools.get_latest_roster(session, pool_id).members:
        raise EmptyPool(pool=pool.name)


def check_owner(session: Session, owner: User, record_type: str) -> None:
    """Checks that the owner, a person or a pool's phantom user, can be given records of that type.
    Raises UnknownOwner for a person, and what `check_assignable` does for a pool."""
    if owner.is_pool:
        check_assignable(session, owner.id, record_type)
    elif not owner.is_active:
        raise UnknownOwner(name=owner.email)


def assign(
    unit: Unit,
    pool_id: int,
    record_type: RecordType,
    requests: Sequence[TurnRequest],
    cause: Cause,
    line: Sequence[str] = (),
) -> dict[int, int]:
    """Gives each record, in order, to the next member, and enters the turns. Returns the owner of
    each record.

    A claim that is in the ledger keeps its turn. `line` holds the claims of all waiting records in
    order, including the requests' own. Turns are taken for the whole line at once, so a fast worker
    can't overtake a slow one. A caller that passes `line` must have locked the pool before reading
    it. Raises EmptyPool, and what `System.transact` repairs: Refused, Unseeded and Stale.
    """
    pool = _check_live(pools.lock_shared(unit, pool_id))
    entered = ledger.find_entered(unit, pool_id, [request.claim for request in requests])
    fresh = [request for request in requests if request.claim not in entered]
    owners = {entry.record_id: entry.user_id for entry in entered.values() if entry.record_id}
    if fresh:
        taken = _take_for(unit, pool_id, [request.claim for request in fresh], line)
        latest = pools.get_latest_roster(unit, pool_id)
        fence.check_turns(unit, pool, latest, taken)
        turns = [turns[0].first for turns in taken.turns]
        members = _find_members(unit, pool_id, turns, latest)
        enter(unit, _allot(pool_id, cause, fresh, turns, members), now(), record_type)
        owners |= zip((request.record_id for request in fresh), members, strict=True)
    return owners


def reserve(unit: Unit, pool_id: int, claim: str, count: int) -> Turns:
    """Reserves a block of turns for a run. Asking again gives the same block. Raises Refused if the
    ring has given the claim another number of turns before.

    The pool is locked exclusively. No SQL key stops a block and an entry from using the same turn,
    so the fence must see all of them committed. Two entries need no such lock: the ledger's primary
    key refuses the second.
    """
    pool = _check_live(pools.lock_exclusive(unit, pool_id))
    reserved = ledger.find_block(unit, pool_id, claim)
    if reserved is None:
        taken = _take(unit, pool_id, [(claim, count)])
        fence.check_turns(unit, pool, pools.get_latest_roster(unit, pool_id), taken, claim)
        [reserved] = taken.turns
        if reserved.total != count:
            raise Refused(
                pool_id=pool_id,
                epoch=taken.epoch,
                reason=f"{claim} has asked for {reserved.total:,} turns before",
            )
        ledger.reserve(unit, pool_id, claim, reserved)
    return reserved


def _check_live(pool: Pool) -> Pool:
    if pool.deleted_at is not None:
        raise UnknownPool(name=pool.id)
    return pool


def _take_for(unit: Unit, pool_id: int, claims: Sequence[str], line: Sequence[str]) -> Taken:
    """One turn for each claim, taken together with the whole line."""
    everybody = list(line or claims)
    taken = _take(unit, pool_id, [(claim, 1) for claim in everybody])
    given = dict(zip(everybody, taken.turns, strict=True))
    return taken._replace(turns=[given[claim] for claim in claims])


def _take(unit: Unit, pool_id: int, claims: list[tuple[str, int]]) -> Taken:
    try:
        return unit.ring.take_turns(pool_id, claims)
    except EmptyRoster:
        if pools.get_latest_roster(unit, pool_id).members:
            # A roster change died before it was committed.
            raise Refused(
                pool_id=pool_id,
                epoch=unit.ring.epoch(pool_id),
                reason="the ring is empty, the roster isn't",
            ) from None
        named = pools.find_live(unit, pool_id)
        raise EmptyPool(pool=named.name if named else pool_id) from None


def _find_members(
    session: Session, pool_id: int, turns: Sequence[int], latest: Roster
) -> list[int]:
    """The rightful member of each turn, by the rosters in SQL and never by Redis. Returned turns
    may be older than the latest roster."""
    is_in_force = min(turns) >= latest.first_turn
    rosters = (
        Rosters([latest])
        if is_in_force
        else pools.list_rosters_between(session, pool_id, min(turns), max(turns))
    )
    return [rosters.member(turn) for turn in turns]


def _allot(
    pool_id: int,
    cause: Cause,
    requests: Sequence[TurnRequest],
    turns: Sequence[int],
    members: Sequence[int],
) -> Allotment:
    return Allotment(
        pool_id=pool_id,
        cause=cause,
        claims=[request.claim for request in requests],
        ordinals=[0] * len(requests),
        turns=turns,
        owner_ids=members,
        record_ids=[request.record_id for request in requests],
        previous_owner_ids=[request.previous_owner_id for request in requests],
        actor_ids=[request.actor_id for request in requests],
    )
