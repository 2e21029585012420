"""Captured leads that wait for their owner. A lead that has got it is here no more."""

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Row,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    true,
    update,
)
from sqlalchemy.orm import Session

from worker.store import leases
from worker.store.leases import LeasedWork
from worker.store.sql import value_table
from worker.store.sql.clock import now
from worker.store.tables import captures, leads


class Waiting(NamedTuple):
    """A lead that waits, who handed it in, and how often it was tried."""

    lead_id: int
    actor_id: int | None
    attempts: int


def add(session: Session, lead_ids: Iterable[int], pool_id: int, actor_id: int | None) -> None:
    moment = now()
    rows = [
        {"lead_id": lead_id, "pool_id": pool_id, "actor_id": actor_id, "accepted_at": moment}
        for lead_id in lead_ids
    ]
    session.execute(insert(captures), rows)


def put_back(session: Session, lead_ids: Sequence[int], pool_id: int) -> None:
    """Leads that have waited for the pool before wait again, as if they had not left the line."""
    again = value_table.table(session, lead_id=lead_ids)
    found = select(leads.c.id, literal(pool_id), leads.c.creator_id, leads.c.created_at).join(
        again, leads.c.id == again.c.lead_id
    )
    session.execute(
        insert(captures).from_select(["lead_id", "pool_id", "actor_id", "accepted_at"], found)
    )


def pool_of(session: Session, lead_id: int) -> int | None:
    """The pool for whose next member a lead waits; None when it waits no more, or was set aside."""
    return session.scalar(
        select(captures.c.pool_id).where(captures.c.lead_id == lead_id, ~captures.c.set_aside)
    )


def find(session: Session, lead_id: int) -> Row[Any] | None:
    """A lead that waits, whether it was set aside or not."""
    return session.execute(select(captures).where(captures.c.lead_id == lead_id)).one_or_none()


# --- the line ---


def line(session: Session, pool_id: int, last: int) -> list[int]:
    """Every lead up to the last that waits for the pool's next member, in the order of acceptance,
    whoever is on it."""
    waiting = select(captures.c.lead_id).where(_in_line(pool_id), captures.c.lead_id <= last)
    return list(session.scalars(waiting.order_by(captures.c.lead_id)))


def last_in_line(session: Session, pool_id: int) -> int | None:
    """The last lead that waits for the pool's next member, if any does."""
    return session.scalar(select(func.max(captures.c.lead_id)).where(_in_line(pool_id)))


def in_line_between(session: Session, first: int, last: int) -> int:
    """How many of those leads wait for a worker, and for nothing else that anybody knows of."""
    moving = (
        captures.c.lead_id.between(first, last),
        ~captures.c.set_aside,
        captures.c.reason.is_(None),
    )
    return session.scalars(select(func.count()).select_from(captures).where(*moving)).one()


def explain(session: Session, pool_id: int, reason: str) -> None:
    """Notes for everybody in line that nobody is on why they wait."""
    others = update(captures).where(
        _in_line(pool_id), leases.idle(captures), captures.c.reason.is_distinct_from(reason)
    )
    session.execute(others.values(reason=reason))


def _in_line(pool_id: int) -> ColumnElement[bool]:
    return (captures.c.pool_id == pool_id) & ~captures.c.set_aside


def free_to_take(session: Session, pool_id: int, holder: str, most: int) -> list[Waiting]:
    """The first leads in line on which nobody else is, held until the transaction ends; those that
    somebody else holds are left out."""
    waiting = select(*(captures.c[name] for name in Waiting._fields)).where(
        captures.c.pool_id == pool_id, leases.free(captures, holder)
    )
    rows = session.execute(
        waiting.order_by(captures.c.lead_id).limit(most).with_for_update(skip_locked=True)
    )
    return [Waiting(*row) for row in rows]


def lock_leads(session: Session, lead_ids: Collection[int], pool_id: int) -> set[int]:
    """Of those leads, the ones that still wait for the pool. They stay as they are until the
    transaction ends."""
    still = select(leads.c.id).join(captures, captures.c.lead_id == leads.c.id)
    still = still.where(
        leads.c.id.in_(lead_ids), leads.c.owner_id == pool_id, captures.c.pool_id == pool_id
    )
    return set(session.scalars(still.order_by(leads.c.id).with_for_update(of=leads)))


def remove(session: Session, lead_ids: Collection[int]) -> None:
    session.execute(delete(captures).where(captures.c.lead_id.in_(lead_ids)))


def remove_owned(session: Session, lead_ids: Collection[int]) -> None:
    """Takes those leads out of the line that belong to somebody by now. One that an undo has just
    put back into it stays there."""
    waits = exists(
        select(1).where(leads.c.id == captures.c.lead_id, leads.c.owner_id == captures.c.pool_id)
    )
    session.execute(delete(captures).where(captures.c.lead_id.in_(lead_ids), ~waits))


def lease(session: Session, lead_ids: Collection[int], holder: str, seconds: float) -> None:
    leases.lease(session, work(lead_ids), holder, seconds, captures.c.lead_id)


def work(lead_ids: Collection[int]) -> LeasedWork:
    """Giving those leads their owners, as something to be leased."""
    return LeasedWork(captures, captures.c.lead_id.in_(lead_ids))


# --- upkeep ---


def all_work() -> LeasedWork:
    """Giving whatever lead waits its owner."""
    return LeasedWork(captures, true())


def set_aside(session: Session, reason: str) -> list[int]:
    """Sets aside the leads that were tried too often, and returns them."""
    return sorted(
        row.lead_id for row in leases.set_aside(session, all_work(), reason, captures.c.lead_id)
    )


def waiting_since(session: Session, seconds: float) -> list[Row[Any]]:
    """For each pool with leads that have waited so long and that nobody is on: the pool_id, how
    many leads, the last of them, and how many tell no reason."""
    unexplained = func.count().filter(captures.c.reason.is_(None)).label("unexplained")
    waiting = select(
        captures.c.pool_id,
        func.count().label("leads"),
        func.max(captures.c.lead_id).label("last"),
        unexplained,
    )
    long = waiting.where(
        leases.free(captures), captures.c.accepted_at < now() - timedelta(seconds=seconds)
    )
    return list(session.execute(long.group_by(captures.c.pool_id)))


def try_again(session: Session) -> list[Row[Any]]:
    """Puts all leads that were set aside back in line. Returns the lead_id and pool_id of each."""
    return leases.try_again(session, all_work(), captures.c.lead_id, captures.c.pool_id)
