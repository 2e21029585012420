"""Taking turns. Every story takes its turns here, behind one fence."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy.orm import Session

from worker.domain.turns.allotment import Allotment
from worker.domain.turns.causes import Cause
from worker.domain.turns.pool import Pool
from worker.domain.turns.rosters import Roster, Rosters
from worker.domain.turns.turns import Turns, merge, share_a_turn
from worker.errors.turns import (
    EmptyPool,
    EmptyRoster,
    Refused,
    UnknownOwner,
    UnknownPool,
    WrongPoolType,
)
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


def check_assignable(session: Session, pool_id: int, record_type: str) -> None:
    """Checks that the pool can be given records of that type. Raises UnknownPool, WrongPoolType and
    EmptyPool."""
    pool = pools.find_live(session, pool_id)
    if pool is None:
        raise UnknownPool(name=pool_id)
    if pool.record_type != record_type:
        raise WrongPoolType(pool=pool.name, theirs=pool.record_type, asked=record_type)
    if not pools.latest_roster(session, pool_id).members:
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
    record_type: str,
    requests: Sequence[TurnRequest],
    cause: Cause,
    line: Sequence[str] = (),
) -> dict[int, int]:
    """Gives each record, in order, to the next member, and enters the turns. Returns the owner of
    each record.

    A claim that is entered already keeps its turn. The line is the claims of all records that wait,
    in order, those of the requests among them. Turns are taken for all of them together, so that no
    slower worker is overtaken. A caller that passes `line` must have locked the pool before reading
    it. Raises EmptyPool, and what `System.transact` repairs: Refused, Unseeded and Stale.
    """
    pool = _open(pools.lock_shared(unit, pool_id))
    entered = ledger.find_entered(unit, pool_id, [request.claim for request in requests])
    fresh = [request for request in requests if request.claim not in entered]
    owners = {entry.record_id: entry.user_id for entry in entered.values() if entry.record_id}
    if fresh:
        taken = _take_for(unit, pool_id, [request.claim for request in fresh], line)
        latest = pools.latest_roster(unit, pool_id)
        fence(unit, pool, latest, taken)
        turns = [turns[0].first for turns in taken.turns]
        members = _members(unit, pool_id, turns, latest)
        enter(unit, _allot(pool_id, cause, fresh, turns, members), now(), record_type)
        owners |= zip((request.record_id for request in fresh), members, strict=True)
    return owners


def reserve(unit: Unit, pool_id: int, claim: str, count: int) -> Turns:
    """Reserves a block of turns for a run. Asking again gives the same block. Raises Refused if the
    ring has given the claim another number of turns before.

    The pool is locked exclusively, because no key in SQL keeps a block and an entry apart: neither
    may be on its way unseen while the fence looks. Two entries may be, for the ledger's primary key
    lets only one of them through.
    """
    pool = _open(pools.lock(unit, pool_id))
    reserved = ledger.find_block(unit, pool_id, claim)
    if reserved is None:
        taken = _take(unit, pool_id, [(claim, count)])
        fence(unit, pool, pools.latest_roster(unit, pool_id), taken, claim)
        [reserved] = taken.turns
        if reserved.total != count:
            raise Refused(
                pool_id=pool_id,
                epoch=taken.epoch,
                reason=f"{claim} has asked for {reserved.total:,} turns before",
            )
        ledger.reserve(unit, pool_id, claim, reserved)
    return reserved


def _open(pool: Pool) -> Pool:
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
        if pools.latest_roster(unit, pool_id).members:
            # A roster change died before it was committed.
            raise Refused(
                pool_id=pool_id,
                epoch=unit.ring.epoch(pool_id),
                reason="the ring is empty, the roster isn't",
            ) from None
        named = pools.find_live(unit, pool_id)
        raise EmptyPool(pool=named.name if named else pool_id) from None


def fence(session: Session, pool: Pool, latest: Roster, taken: Taken, claim: str = "") -> None:
    """Refuses turns that a ring hands out a second time because it forgot, or went back in time. A
    block that is to be reserved names its claim. Raises Refused."""

    def refuse(reason: str) -> None:
        raise Refused(pool_id=pool.id, epoch=taken.epoch, reason=reason)

    if taken.epoch != pool.epoch:
        refuse("it is of another epoch")
    if taken.version != latest.version:
        refuse("its roster isn't the latest that was committed")
    turns = Turns(merge(span for turns in taken.turns for span in turns))
    if ledger.has_entered(session, pool.id, turns):
        refuse("a turn is in the ledger already")
    for name, reserved in ledger.list_open_blocks(session, pool.id).items():
        if name != claim and share_a_turn(turns, reserved):
            refuse(f"a turn is reserved by {name}")


def _members(session: Session, pool_id: int, turns: Sequence[int], latest: Roster) -> list[int]:
    """The rightful member of each turn, by the rosters in SQL and never by Redis. Returned turns
    may be older than the latest roster."""
    is_in_force = min(turns) >= latest.first_turn
    rosters = (
        Rosters([latest])
        if is_in_force
        else pools.rosters_between(session, pool_id, min(turns), max(turns))
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
