"""Lookups: leads of which more is to be fetched from their sender. One of which all is known is
here no more."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, delete, func, insert, select, true, update
from sqlalchemy.orm import Session

from worker.store import leases
from worker.store.leases import LeasedWork
from worker.store.sql.clock import now
from worker.store.tables import enrichments
from worker.store.views.facts import Facts, time_text


def add(session: Session, integration_id: int, objects: Iterable[tuple[int, str]]) -> None:
    """Notes leads, each with the sender's number of what it is about."""
    rows = [
        {"lead_id": lead_id, "object_id": number, "integration_id": integration_id, "due_at": now()}
        for lead_id, number in objects
    ]
    if rows:
        session.execute(insert(enrichments), rows)


def someone_is_on(session: Session, integration_id: int, holder: str) -> bool:
    """Whether somebody else is asking that integration's sender just now."""
    busy = and_(
        enrichments.c.integration_id == integration_id,
        enrichments.c.leased_by.is_not(None),
        enrichments.c.leased_by != holder,
    )
    return (
        session.execute(select(1).where(busy, enrichments.c.leased_until >= now()).limit(1)).first()
        is not None
    )


def take_next(
    session: Session, integration_id: int, holder: str, seconds: float
) -> Row[Any] | None:
    """Leases the next lookup that is due: of those that were tried least often, the oldest."""
    due = and_(
        enrichments.c.integration_id == integration_id,
        enrichments.c.due_at <= now(),
        leases.free(enrichments, holder),
    )
    first = (
        select(enrichments.c.lead_id)
        .where(due)
        .order_by(enrichments.c.tries, enrichments.c.lead_id)
        .limit(1)
    )
    lead_id = session.scalar(first.with_for_update(skip_locked=True))
    if lead_id is None:
        return None
    return next(iter(leases.lease(session, work([lead_id]), holder, seconds, *enrichments.c)), None)


def work(lead_ids: Collection[int]) -> LeasedWork:
    """Those enrichments, as something to be leased."""
    return LeasedWork(enrichments, enrichments.c.lead_id.in_(lead_ids))


def remove(session: Session, lead_id: int) -> None:
    session.execute(delete(enrichments).where(enrichments.c.lead_id == lead_id))


def postpone(session: Session, lookup: Row[Any], reason: str, due_at: datetime) -> None:
    """It was asked in vain: what is wrong is the sender's, and no attempt of ours."""
    later = {
        "attempts": 0,
        "tries": lookup.tries + 1,
        "due_at": due_at,
        "leased_until": None,
        "leased_by": None,
        "reason": reason,
    }
    session.execute(
        update(enrichments).where(enrichments.c.lead_id == lookup.lead_id).values(later)
    )


def rest(session: Session, integration_id: int, until: datetime) -> None:
    """Asks the integration's sender for nothing before that moment."""
    sooner = and_(
        enrichments.c.integration_id == integration_id,
        enrichments.c.due_at < until,
        leases.idle(enrichments),
    )
    session.execute(update(enrichments).where(sooner).values(due_at=until))


def give_up(session: Session, lead_id: int, reason: str) -> None:
    """Sets it aside."""
    gone = {"set_aside": True, "leased_until": None, "leased_by": None, "reason": reason}
    session.execute(update(enrichments).where(enrichments.c.lead_id == lead_id).values(gone))


# --- upkeep ---


def all_work() -> LeasedWork:
    """All enrichments."""
    return LeasedWork(enrichments, true())


def set_aside(session: Session, reason: str) -> list[int]:
    """Sets aside what was tried too often, and returns the leads."""
    return sorted(
        row.lead_id for row in leases.set_aside(session, all_work(), reason, enrichments.c.lead_id)
    )


def due_since(session: Session, seconds: float) -> list[Row[Any]]:
    """The integration_id of each with enrichments that are due for so long and that nobody is on, and
    how many."""
    due = and_(leases.free(enrichments), enrichments.c.due_at < now() - timedelta(seconds=seconds))
    return list(
        session.execute(
            select(enrichments.c.integration_id, func.count().label("leads"))
            .where(due)
            .group_by(enrichments.c.integration_id)
        )
    )


def try_again(session: Session) -> list[Row[Any]]:
    """Gives what was set aside as much time as at first. Returns the lead_id and integration_id of
    each."""
    session.execute(
        update(enrichments).where(enrichments.c.set_aside).values(tries=0, due_at=now())
    )
    return leases.try_again(
        session, all_work(), enrichments.c.lead_id, enrichments.c.integration_id
    )


# --- what is shown ---


def waiting(session: Session, integration_id: int, limit: int) -> list[Facts]:
    """Leads of which more is still to be fetched, oldest first, and why it isn't yet."""
    found = (
        select(enrichments)
        .where(enrichments.c.integration_id == integration_id)
        .order_by(enrichments.c.lead_id)
        .limit(limit)
    )
    return [_facts(row) for row in session.execute(found)]


def _facts(row: Row[Any]) -> Facts:
    shown = {name: getattr(row, name) for name in ("object_id", "tries", "set_aside", "reason")}
    return {"lead": row.lead_id, "due_at": time_text(row.due_at), **shown}
