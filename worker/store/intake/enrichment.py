"""Enrichment: leads whose contacts must be fetched from their sender. A lead leaves this table when
its contact is known."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, func, insert, select, true, update
from sqlalchemy.orm import Session

from worker.store import leases
from worker.store.leases import LeasedWork
from worker.store.sql.clock import now
from worker.store.tables import enrichments


@dataclass(frozen=True, slots=True)
class Enrichment:
    """A lead whose contact must be fetched."""

    lead_id: int
    object_id: str
    """The sender's number of the object that holds more."""
    tries: int
    """How often the sender was asked in vain."""


@dataclass(frozen=True, slots=True)
class DueIntegration:
    """An integration whose sender must be asked, and the number of its leads."""

    integration_id: int
    leads: int


@dataclass(frozen=True, slots=True)
class RetriedEnrichment:
    """A lead whose contact is fetched again, and its integration."""

    lead_id: int
    integration_id: int


def add(session: Session, integration_id: int, objects: Iterable[tuple[int, str]]) -> None:
    """Notes leads by id, each with the sender's number of the object that holds more."""
    rows = [
        {"lead_id": lead_id, "object_id": number, "integration_id": integration_id, "due_at": now()}
        for lead_id, number in objects
    ]
    if rows:
        session.execute(insert(enrichments), rows)


def is_busy(session: Session, integration_id: int, holder: str) -> bool:
    """Whether another task asks that integration's sender just now."""
    busy = and_(
        enrichments.c.integration_id == integration_id,
        enrichments.c.leased_by.is_not(None),
        enrichments.c.leased_by != holder,
        enrichments.c.leased_until >= now(),
    )
    return session.execute(select(1).where(busy).limit(1)).first() is not None


def take_next(
    session: Session, integration_id: int, holder: str, seconds: float
) -> Enrichment | None:
    """Leases the next lead that is due: among the ones tried least often, the oldest."""
    due = and_(
        enrichments.c.integration_id == integration_id,
        enrichments.c.due_at <= now(),
        leases.is_free(enrichments, holder),
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
    columns = (enrichments.c.lead_id, enrichments.c.object_id, enrichments.c.tries)
    leased = leases.lease(session, work([lead_id]), holder, seconds, *columns)
    return next((Enrichment(row.lead_id, row.object_id, row.tries) for row in leased), None)


def work(lead_ids: Collection[int]) -> LeasedWork:
    """The enrichment of those leads, as work that can be leased."""
    return LeasedWork(enrichments, enrichments.c.lead_id.in_(lead_ids))


def remove(session: Session, lead_id: int) -> None:
    session.execute(delete(enrichments).where(enrichments.c.lead_id == lead_id))


def postpone(session: Session, enrichment: Enrichment, reason: str, due_at: datetime) -> None:
    """Tries again at that moment. The attempt doesn't count, because the sender is at fault."""
    later = {
        "attempts": 0,
        "tries": enrichment.tries + 1,
        "due_at": due_at,
        "leased_until": None,
        "leased_by": None,
        "reason": reason,
    }
    session.execute(
        update(enrichments).where(enrichments.c.lead_id == enrichment.lead_id).values(later)
    )


def pause(session: Session, integration_id: int, until: datetime) -> None:
    """Asks the integration's sender for nothing before that moment."""
    sooner = and_(
        enrichments.c.integration_id == integration_id,
        enrichments.c.due_at < until,
        leases.is_idle(enrichments),
    )
    session.execute(update(enrichments).where(sooner).values(due_at=until))


def abandon(session: Session, lead_id: int, reason: str) -> None:
    """Sets one lead's enrichment aside."""
    gone = {"set_aside": True, "leased_until": None, "leased_by": None, "reason": reason}
    session.execute(update(enrichments).where(enrichments.c.lead_id == lead_id).values(gone))


# --- upkeep ---


def all_work() -> LeasedWork:
    """The enrichment of all leads, as work that can be leased."""
    return LeasedWork(enrichments, true())


def set_aside(session: Session, reason: str) -> list[int]:
    """Sets aside leads that were tried too often. Returns the leads' ids, in order."""
    return sorted(
        row.lead_id for row in leases.set_aside(session, all_work(), reason, enrichments.c.lead_id)
    )


def find_due(session: Session, seconds: float) -> list[DueIntegration]:
    """The integrations whose leads are due for `seconds`, and that nobody works on."""
    due = and_(
        leases.is_free(enrichments), enrichments.c.due_at < now() - timedelta(seconds=seconds)
    )
    counted = select(enrichments.c.integration_id, func.count().label("leads"))
    rows = session.execute(counted.where(due).group_by(enrichments.c.integration_id))
    return [DueIntegration(row.integration_id, row.leads) for row in rows]


def try_again(session: Session) -> list[RetriedEnrichment]:
    """Tries all again that was set aside, for as long as at first."""
    session.execute(
        update(enrichments).where(enrichments.c.set_aside).values(tries=0, due_at=now())
    )
    rows = leases.try_again(
        session, all_work(), enrichments.c.lead_id, enrichments.c.integration_id
    )
    return [RetriedEnrichment(row.lead_id, row.integration_id) for row in rows]
