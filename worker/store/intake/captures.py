"""Captured leads that wait for their owner. A lead that has its owner leaves this table."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, exists, func, insert, literal, select, true, update
from sqlalchemy.orm import Session

from worker.store import leases
from worker.store.leases import LeasedWork
from worker.store.sql import value_table
from worker.store.sql.clock import now
from worker.store.tables import captures, leads


class WaitingLead(NamedTuple):
    """A lead that waits, who captured it, and how often it was tried."""

    lead_id: int
    actor_id: int | None
    attempts: int


@dataclass(frozen=True, slots=True)
class LeadWait:
    """Since when a lead waits, and the reason if it waits for more than a worker."""

    accepted_at: datetime
    reason: str | None


@dataclass(frozen=True, slots=True)
class LongLine:
    """The leads of a pool that have waited for long and that no task works on."""

    pool_id: int
    leads: int
    last: int
    """The id of the last of them."""
    unexplained: int
    """How many of them have no reason."""


@dataclass(frozen=True, slots=True, order=True)
class RetriedLead:
    """A lead that is back in line, and its pool."""

    lead_id: int
    pool_id: int


def add(session: Session, lead_ids: Iterable[int], pool_id: int, actor_id: int | None) -> None:
    """Puts leads in the pool's line."""
    moment = now()
    rows = [
        {"lead_id": lead_id, "pool_id": pool_id, "actor_id": actor_id, "accepted_at": moment}
        for lead_id in lead_ids
    ]
    session.execute(insert(captures), rows)


def put_back(session: Session, lead_ids: Sequence[int], pool_id: int) -> None:
    """Puts leads that waited for the pool before back in line, at their former places."""
    again = value_table.table(session, lead_id=lead_ids)
    found = select(leads.c.id, literal(pool_id), leads.c.creator_id, leads.c.created_at).join(
        again, leads.c.id == again.c.lead_id
    )
    session.execute(
        insert(captures).from_select(["lead_id", "pool_id", "actor_id", "accepted_at"], found)
    )


def find_pool_id(session: Session, lead_id: int) -> int | None:
    """The pool for whose next member a lead waits. None if it doesn't wait, or was set aside."""
    return session.scalar(
        select(captures.c.pool_id).where(captures.c.lead_id == lead_id, ~captures.c.set_aside)
    )


def find(session: Session, lead_id: int) -> LeadWait | None:
    """How a lead waits, set aside or not. None if it doesn't wait."""
    found = select(captures.c.accepted_at, captures.c.reason).where(captures.c.lead_id == lead_id)
    row = session.execute(found).one_or_none()
    return None if row is None else LeadWait(row.accepted_at, row.reason)


# --- the line ---


def list_line(session: Session, pool_id: int, last: int) -> list[int]:
    """The ids of all leads up to the last that wait for the pool's next members, in the order of
    acceptance. Others may work on them."""
    waiting = select(captures.c.lead_id).where(_in_line(pool_id), captures.c.lead_id <= last)
    return list(session.scalars(waiting.order_by(captures.c.lead_id)))


def find_last_in_line(session: Session, pool_id: int) -> int | None:
    """The id of the last lead that waits for the pool's next members, if one waits."""
    return session.scalar(select(func.max(captures.c.lead_id)).where(_in_line(pool_id)))


def explain(session: Session, pool_id: int, reason: str) -> None:
    """Notes the reason for all leads in line that no task works on."""
    others = update(captures).where(
        _in_line(pool_id), leases.is_idle(captures), captures.c.reason.is_distinct_from(reason)
    )
    session.execute(others.values(reason=reason))


def _in_line(pool_id: int) -> ColumnElement[bool]:
    return (captures.c.pool_id == pool_id) & ~captures.c.set_aside


def lock_free(session: Session, pool_id: int, holder: str, most: int) -> list[WaitingLead]:
    """Locks the first leads in line that no other task works on, until the transaction ends. Leaves
    out leads that another transaction has locked."""
    waiting = select(*(captures.c[name] for name in WaitingLead._fields)).where(
        captures.c.pool_id == pool_id, leases.is_free(captures, holder)
    )
    rows = session.execute(
        waiting.order_by(captures.c.lead_id).limit(most).with_for_update(skip_locked=True)
    )
    return [WaitingLead(*row) for row in rows]


def lock_leads(session: Session, lead_ids: Collection[int], pool_id: int) -> set[int]:
    """Locks the leads that still wait for the pool, until the transaction ends. Returns their
    ids."""
    still = select(leads.c.id).join(captures, captures.c.lead_id == leads.c.id)
    still = still.where(
        leads.c.id.in_(lead_ids), leads.c.owner_id == pool_id, captures.c.pool_id == pool_id
    )
    return set(session.scalars(still.order_by(leads.c.id).with_for_update(of=leads)))


def remove(session: Session, lead_ids: Collection[int]) -> None:
    session.execute(delete(captures).where(captures.c.lead_id.in_(lead_ids)))


def remove_owned(session: Session, lead_ids: Collection[int]) -> None:
    """Takes the leads that have their owner by now out of the line. A lead that an undo has just
    put back stays there."""
    waits = exists(
        select(1).where(leads.c.id == captures.c.lead_id, leads.c.owner_id == captures.c.pool_id)
    )
    session.execute(delete(captures).where(captures.c.lead_id.in_(lead_ids), ~waits))


def lease(session: Session, lead_ids: Collection[int], holder: str, seconds: float) -> None:
    leases.lease(session, work(lead_ids), holder, seconds, captures.c.lead_id)


def work(lead_ids: Collection[int]) -> LeasedWork:
    """The assignment of those leads, as work that can be leased."""
    return LeasedWork(captures, captures.c.lead_id.in_(lead_ids))


# --- upkeep ---


def all_work() -> LeasedWork:
    """The assignment of all leads that wait, as work that can be leased."""
    return LeasedWork(captures, true())


def set_aside(session: Session, reason: str) -> list[int]:
    """Sets aside the leads that were tried too often. Returns their ids, in order."""
    return sorted(
        row.lead_id for row in leases.set_aside(session, all_work(), reason, captures.c.lead_id)
    )


def find_long_lines(session: Session, seconds: float) -> list[LongLine]:
    """The lines of pools whose leads have waited for at least that time."""
    unexplained = func.count().filter(captures.c.reason.is_(None)).label("unexplained")
    last = func.max(captures.c.lead_id).label("last")
    counted = select(captures.c.pool_id, func.count().label("leads"), last, unexplained)
    long = counted.where(
        leases.is_free(captures), captures.c.accepted_at < now() - timedelta(seconds=seconds)
    )
    rows = session.execute(long.group_by(captures.c.pool_id))
    return [LongLine(row.pool_id, row.leads, row.last, row.unexplained) for row in rows]


def try_again(session: Session) -> list[RetriedLead]:
    """Puts all leads that were set aside back in line."""
    rows = leases.try_again(session, all_work(), captures.c.lead_id, captures.c.pool_id)
    return [RetriedLead(row.lead_id, row.pool_id) for row in rows]
