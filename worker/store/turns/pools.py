"""Pools and their rosters."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Row, Select, func, insert, or_, select, update
from sqlalchemy.orm import Session

from worker.domain.records.record_type import RecordType
from worker.domain.turns.pool import Pool
from worker.domain.turns.rosters import Roster, Rosters, RosterVersion
from worker.store.sql import advisory_locks
from worker.store.sql.advisory_locks import LockKind
from worker.store.sql.clock import now
from worker.store.sql.transaction import Transaction
from worker.store.tables import pools, rosters, users

PoolQuery: TypeAlias = Select[Any]


def add(session: Session, pool_id: int, record_type: str, epoch: str) -> None:
    session.execute(insert(pools).values(id=pool_id, record_type=record_type, epoch=epoch))


def _select() -> PoolQuery:
    return select(pools, users.c.name).join(users, users.c.id == pools.c.id)


def _select_live() -> PoolQuery:
    return _select().where(pools.c.deleted_at.is_(None))


def _pool(row: Row[Any]) -> Pool:
    return Pool(
        row.id, row.name, RecordType(row.record_type), row.epoch, row.watermark, row.deleted_at
    )


def _first(session: Session, found: PoolQuery) -> Pool | None:
    row = session.execute(found).one_or_none()
    return None if row is None else _pool(row)


def list_all(session: Session) -> list[Pool]:
    """All pools, deleted or not, in the order of creation."""
    return [_pool(row) for row in session.execute(_select().order_by(pools.c.id))]


def list_live(session: Session) -> list[Pool]:
    """All pools that are not deleted, in the order of creation."""
    return [_pool(row) for row in session.execute(_select_live().order_by(pools.c.id))]


def find_named(session: Session, name: str) -> Pool | None:
    """The live pool of that name, capitals or not."""
    return _first(session, _select_live().where(func.lower(users.c.name) == func.lower(name)))


def find_live(session: Session, pool_id: int) -> Pool | None:
    """The live pool with that id."""
    return _first(session, _select_live().where(pools.c.id == pool_id))


def lock_exclusive(session: Session, pool_id: int) -> Pool:
    """The pool, locked exclusively until the transaction ends: for seeding and roster changes."""
    advisory_locks.lock_exclusive(session, LockKind.POOL, pool_id)
    return get(session, pool_id)


def lock_shared(transaction: Transaction, pool_id: int) -> Pool:
    """The pool, locked shared until the transaction ends: others may take and enter turns, too. It
    stays as it is until then, so it is looked up once."""
    locked = transaction.locked_pools
    if pool_id not in locked:
        advisory_locks.lock_shared(transaction, LockKind.POOL, pool_id)
        locked[pool_id] = get(transaction, pool_id)
    return locked[pool_id]


def get(session: Session, pool_id: int) -> Pool:
    """The pool, deleted or not."""
    return _pool(session.execute(_select().where(pools.c.id == pool_id)).one())


def keep_pools(session: Session, user_ids: Collection[int]) -> list[int]:
    """The ids among these that are those of pools, deleted or not, rather than of people."""
    return list(
        session.scalars(select(pools.c.id).where(pools.c.id.in_(user_ids)).order_by(pools.c.id))
    )


def get_epoch(session: Session, pool_id: int) -> str:
    """The epoch of the last seeding that was committed."""
    return session.scalars(select(pools.c.epoch).where(pools.c.id == pool_id)).one()


def set_epoch(transaction: Transaction, pool_id: int, epoch: str, watermark: int) -> None:
    """Notes a seeding: the ring's new epoch, and the turn up to which the ledger has no gap."""
    _change(transaction, pool_id, {"epoch": epoch, "watermark": watermark})


def set_watermark(transaction: Transaction, pool_id: int, watermark: int) -> None:
    """Notes up to which turn the ledger has no gap. The caller has locked the pool exclusively."""
    _change(transaction, pool_id, {"watermark": watermark})


def mark_deleted(transaction: Transaction, pool_id: int, moment: datetime) -> None:
    _change(transaction, pool_id, {"deleted_at": moment})


def _change(
    transaction: Transaction, pool_id: int, values: Mapping[str, str | int | datetime]
) -> None:
    transaction.locked_pools.pop(pool_id, None)
    transaction.execute(update(pools).where(pools.c.id == pool_id).values(values))


def raise_watermark(session: Session, seen: Pool, watermark: int) -> None:
    """Raises the watermark, unless the ring was seeded since the pool was read: then turns may have
    come back."""
    same = (
        (pools.c.id == seen.id)
        & (pools.c.epoch == seen.epoch)
        & (pools.c.watermark == seen.watermark)
    )
    session.execute(update(pools).where(same).values(watermark=watermark))


def add_roster(session: Session, pool_id: int, roster: Roster, actor_id: int | None) -> None:
    row = {
        "version": roster.version,
        "first_turn": roster.first_turn,
        "first_slot": roster.first_slot,
        "members": list(roster.members),
    }
    session.execute(insert(rosters).values(pool_id=pool_id, actor_id=actor_id, at=now(), **row))


def get_latest_roster(session: Session, pool_id: int) -> Roster:
    """The roster that was committed last."""
    newest = (
        select(rosters)
        .where(rosters.c.pool_id == pool_id)
        .order_by(rosters.c.version.desc())
        .limit(1)
    )
    return _roster(session.execute(newest).one())


def list_latest_rosters(session: Session) -> dict[int, Roster]:
    """The latest roster of each pool, deleted or not."""
    newest = (
        select(rosters.c.pool_id, func.max(rosters.c.version).label("version"))
        .group_by(rosters.c.pool_id)
        .subquery()
    )
    rows = session.execute(
        select(rosters).join(
            newest,
            (newest.c.pool_id == rosters.c.pool_id) & (newest.c.version == rosters.c.version),
        )
    )
    return {row.pool_id: _roster(row) for row in rows}


def list_rosters(session: Session, pool_id: int) -> Rosters:
    """All rosters of a pool."""
    return Rosters(
        map(_roster, session.execute(select(rosters).where(rosters.c.pool_id == pool_id)))
    )


def list_rosters_between(session: Session, pool_id: int, first: int, last: int) -> Rosters:
    """The rosters in force at any turn from first to last."""
    of_pool = rosters.c.pool_id == pool_id
    begun = (
        select(func.max(rosters.c.version))
        .where(of_pool, rosters.c.first_turn <= first)
        .scalar_subquery()
    )
    within = rosters.c.first_turn.between(first + 1, last)
    return Rosters(
        map(
            _roster,
            session.execute(
                select(rosters).where(of_pool, or_(rosters.c.version == begun, within))
            ),
        )
    )


def get_roster_version(session: Session, pool_id: int, version: int) -> RosterVersion:
    """One roster version, with who made it and when."""
    row = session.execute(
        select(rosters).where(rosters.c.pool_id == pool_id, rosters.c.version == version)
    ).one()
    return _version(row)


def list_roster_versions(session: Session, pool_id: int) -> list[RosterVersion]:
    """All roster versions, oldest first, each with who made it and when."""
    found = select(rosters).where(rosters.c.pool_id == pool_id).order_by(rosters.c.version)
    return [_version(row) for row in session.execute(found)]


def _version(row: Row[Any]) -> RosterVersion:
    return RosterVersion(_roster(row), row.actor_id, row.at)


def _roster(row: Row[Any]) -> Roster:
    members: Sequence[int] = row.members
    return Roster(row.version, row.first_turn, row.first_slot, tuple(members))
