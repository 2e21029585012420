"""Pools: creates, renames and deletes them, and changes their members while others take turns."""

from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from worker.domain.records.fields import RECORD_TYPES
from worker.domain.turns.pool import Pool
from worker.domain.turns.rosters import Roster
from worker.errors.people import BlankName, UnknownRecordType, UnknownUser
from worker.errors.turns import AlreadyMember, NotAMember, PoolExists, Stale, UnknownPool, Unseeded
from worker.flows.turns import seed
from worker.flows.turns.next_turns import find_next_turns
from worker.flows.unit import Unit
from worker.queue import enqueue
from worker.store.intake import captures
from worker.store.people import users
from worker.store.people.users import User
from worker.store.sql.clock import now
from worker.store.turns import ledger, pools
from worker.store.views.pools import PoolView, show_pool

Members = tuple[int, ...]


def find(session: Session, pool_id: int) -> Pool:
    """The live pool with that id. Raises UnknownPool."""
    pool = pools.find_live(session, pool_id)
    if pool is None:
        raise UnknownPool(name=pool_id)
    return pool


def create(
    session: Session, name: str, record_type: str, members: Sequence[int], actor_id: int | None
) -> int:
    """The id of a new pool, which its phantom user shares. The first member gets turn 1. Raises
    UnknownRecordType, BlankName, PoolExists, UnknownUser and AlreadyMember."""
    if record_type not in RECORD_TYPES:
        raise UnknownRecordType(name=record_type)
    name = _check_name_is_free(session, name)
    pool_id = users.add(session, name, None, is_pool=True)
    pools.add(session, pool_id, record_type, seed.new_epoch())
    roster = Roster(1, 1, 0, _join(session, name, (), members))
    pools.add_roster(session, pool_id, roster, actor_id)
    return pool_id


def rename(session: Session, pool_id: int, name: str) -> None:
    """Raises UnknownPool, BlankName, and PoolExists for a name that another live pool has."""
    find(session, pool_id)
    users.change(session, pool_id, name=_check_name_is_free(session, name, pool_id))


def delete(unit: Unit, pool_id: int) -> None:
    """Ends a pool: it can't be given anything any more. Records keep their owners, and the ledger
    stays. Raises UnknownPool."""
    find(unit, pool_id)
    pools.lock_exclusive(unit, pool_id)
    pools.mark_deleted(unit, pool_id, now())
    users.change(unit, pool_id, is_active=False)
    unit.ring.drop(pool_id)


def add_members(unit: Unit, pool_id: int, members: Sequence[int], actor_id: int | None) -> Roster:
    """Puts new members at the end. Raises UnknownPool, UnknownUser and AlreadyMember."""
    pool = find(unit, pool_id)
    return change_roster(unit, pool_id, lambda old: _join(unit, pool.name, old, members), actor_id)


def remove_members(
    unit: Unit, pool_id: int, members: Sequence[int], actor_id: int | None
) -> Roster:
    """Removes members without a hole. The member who is next stays next; if they leave, the member
    after them is next. Raises UnknownPool, UnknownUser and NotAMember."""
    pool = find(unit, pool_id)
    return change_roster(unit, pool_id, lambda old: _leave(unit, pool.name, old, members), actor_id)


def show(unit: Unit, pool_id: int) -> PoolView:
    """A pool for people to look at. The ring says who is next, or the ledger where the ring can't.
    Raises UnknownPool."""
    pool = find(unit, pool_id)
    rosters = pools.list_rosters(unit, pool.id)
    upcoming = find_next_turns(unit, pool)
    next_member = rosters.member(upcoming.first(1)[0].first) if rosters.latest.members else None
    return show_pool(unit, pool, upcoming.next_turn - 1, next_member)


def change_roster(
    unit: Unit, pool_id: int, change: Callable[[Members], Members], actor_id: int | None
) -> Roster:
    """Puts other members in force from the next turn on, in Redis and then in SQL.

    If this dies between the two, workers meet a roster version that was never committed, and seed
    from the last one that was. Raises UnknownPool.
    """
    if pools.lock_exclusive(unit, pool_id).deleted_at is not None:
        raise UnknownPool(name=pool_id)
    old = pools.get_latest_roster(unit, pool_id)
    members = change(old.members)
    try:
        roster, returned = _change_ring(unit, pool_id, old, members)
    except (Unseeded, Stale) as error:
        # Repaired here, with the pool locked. `System.transact` would roll back and begin again: a
        # transaction that changes several pools would then find the rings that it has changed
        # already, one more each time.
        seed.seed_again(unit, pool_id, str(error))
        roster, returned = _change_ring(unit, pool_id, old, members)
    pools.add_roster(unit, pool_id, roster, actor_id)
    if not old.members and (last := captures.find_last_in_line(unit, pool_id)):
        enqueue(unit, "captures.assign", lead=last)
    if returned and set(old.members) - set(members):
        seed.seed_again(unit, pool_id, "turns of members who leave don't wait for them")
    return roster


def _change_ring(unit: Unit, pool_id: int, old: Roster, members: Members) -> tuple[Roster, int]:
    """The new roster, and how many spans of returned turns are in the ring. Raises Unseeded, and
    Stale if the ring disagrees with SQL."""
    epoch = pools.get_epoch(unit, pool_id)
    answer = unit.ring.change_roster(pool_id, epoch, old.version, members)
    roster = old.succeeded_by(members, answer.first_turn)
    if (
        answer.first_turn <= ledger.find_greatest_turn(unit, pool_id)
        or answer.first_slot != roster.first_slot
    ):
        raise Stale(pool_id=pool_id, epoch=epoch)
    return roster, answer.returned


def _check_name_is_free(session: Session, name: str, pool_id: int | None = None) -> str:
    """The name without blanks around it, if no other live pool has it, capitals or not."""
    name = name.strip()
    if not name:
        raise BlankName(what="pool")
    other = pools.find_named(session, name)
    if other is not None and other.id != pool_id:
        raise PoolExists(name=name)
    return name


def _join(session: Session, pool: str, members: Members, newcomers: Sequence[int]) -> Members:
    for user_id in newcomers:
        user = find_person(session, user_id)
        if user.id in members:
            raise AlreadyMember(user=user.name, pool=pool)
        if not users.lock_active(session, user.id):
            raise UnknownUser(name=user.email)
        members += (user.id,)
    return members


def _leave(session: Session, pool: str, members: Members, leavers: Sequence[int]) -> Members:
    for user_id in leavers:
        user = find_person(session, user_id)
        if user.id not in members:
            raise NotAMember(user=user.name, pool=pool)
        members = tuple(member for member in members if member != user.id)
    return members


def find_person(session: Session, user_id: int) -> User:
    """The active person with that id. Raises UnknownUser."""
    user = users.find(session, user_id)
    if user is None or user.is_pool or not user.is_active:
        raise UnknownUser(name=user_id)
    return user
