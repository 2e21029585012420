"""Captured leads: they are stored and acknowledged first, then given to the pool's next members in
the order of acceptance.

A lead's task takes turns for all leads in line before it, in one call of the ring. So a fast worker
doesn't overtake a slower one: it does the slower one's work."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import islice, takewhile

from sqlalchemy.orm import Session

from worker.domain.intake.leads import LeadValues
from worker.domain.records.record_type import RecordType
from worker.domain.turns.causes import Cause
from worker.domain.turns.claims import name_capture_claim
from worker.errors.turns import EmptyPool, UnknownPool
from worker.flows.intake.owners import check_pool_takes_leads
from worker.flows.leases import LEASE_SECONDS, on_lease
from worker.flows.system import System
from worker.flows.turns.assign import TurnRequest, assign, check_assignable
from worker.flows.unit import Unit
from worker.queue import enqueue
from worker.store.intake import captures
from worker.store.intake.captures import WaitingLead
from worker.store.records import labels, records
from worker.store.turns import pools

MOST_AT_ONCE = (500, 25, 1)
"""How many leads one transaction assigns, at the first attempt, the second and the third. A lead
that was tried before may be what killed its worker: the last attempt must not take others down."""


def accept(
    session: Session, pool_id: int, leads: Sequence[LeadValues], actor_id: int | None = None
) -> list[int]:
    """Stores leads that wait for the pool's next members. Returns their ids, in order. In a
    pool without members they wait until a member joins.

    Raises UnknownPool, and WrongPoolType for a pool that doesn't share leads.
    """
    check_pool_takes_leads(session, pool_id)
    return store_leads(session, pool_id, leads, actor_id, waits=True)


def store_leads(
    session: Session,
    owner_id: int,
    leads: Sequence[LeadValues],
    actor_id: int | None,
    *,
    waits: bool,
) -> list[int]:
    """Stores leads of a user. Leads that wait belong to a pool, and wait for its next members.
    Returns their ids, in order."""
    lead_ids = records.add_all(session, RecordType.LEAD, owner_id, actor_id, leads)
    labels.register(session, RecordType.LEAD, labels.collect_names(leads), actor_id)
    if waits:
        captures.add(session, lead_ids, owner_id, actor_id)
        enqueue(session, "captures.assign", lead=lead_ids[-1])
    return lead_ids


def assign_lead(system: System, lead_id: int, holder: str) -> None:
    """Gives a lead, and the leads in line before it that no other task works on, to the next
    members of their pool. The holder owns the lease. If the same task is delivered again, it goes
    on at once."""
    with system.reading() as session:
        pool_id = captures.find_pool_id(session, lead_id)
        obstacle = None if pool_id is None else find_obstacle(session, pool_id)
    if pool_id is None:
        return
    if obstacle is not None:
        system.transact(captures.explain, pool_id, obstacle)
        return
    # If the pool lost its members or was deleted a moment ago, upkeep notes the reason.
    with suppress(EmptyPool, UnknownPool):
        _assign_line(system, pool_id, lead_id, holder)


def find_obstacle(session: Session, pool_id: int) -> str | None:
    """Why the pool's leads can't be assigned, or None if they can. With an obstacle they wait until
    a member joins the pool, or until they are given another owner."""
    try:
        check_assignable(session, pool_id, "lead")
    except (EmptyPool, UnknownPool) as obstacle:
        return str(obstacle)
    return None


def _assign_line(system: System, pool_id: int, last: int, holder: str) -> None:
    """Assigns the leads in line up to the last one, in batches."""
    reached = 0
    while reached < last and (batch := system.transact(_lease, pool_id, holder)):
        with on_lease(system, captures.work(_list_ids(batch)), holder):
            system.transact(_enter, pool_id, batch)
        reached = batch[-1].lead_id


def _lease(session: Session, pool_id: int, holder: str) -> list[WaitingLead]:
    batch = cut_batch(captures.lock_free(session, pool_id, holder, max(MOST_AT_ONCE)))
    if batch:
        captures.lease(session, _list_ids(batch), holder, LEASE_SECONDS)
    return batch


def cut_batch(waiting: Sequence[WaitingLead]) -> list[WaitingLead]:
    """The first leads in line that one transaction tries: as many as were tried as often as the
    very first, up to the limit."""
    if not waiting:
        return []
    attempts = waiting[0].attempts
    alike = takewhile(lambda lead: lead.attempts == attempts, waiting)
    return list(islice(alike, MOST_AT_ONCE[attempts]))


def _list_ids(batch: Iterable[WaitingLead]) -> list[int]:
    return [lead.lead_id for lead in batch]


def _enter(unit: Unit, pool_id: int, batch: Sequence[WaitingLead]) -> None:
    # From here on no seeding can begin until turns are taken for the line.
    pools.lock_shared(unit, pool_id)
    still = captures.lock_leads(unit, _list_ids(batch), pool_id)
    line = captures.list_line(unit, pool_id, max(still, default=0))
    mine = still.intersection(line)
    requests = [
        TurnRequest(name_capture_claim(lead.lead_id), lead.lead_id, actor_id=lead.actor_id)
        for lead in batch
        if lead.lead_id in mine
    ]
    claims = [name_capture_claim(lead_id) for lead_id in line]
    assign(unit, pool_id, RecordType.LEAD, requests, Cause.CAPTURE, claims)
    captures.remove_owned(unit, _list_ids(batch))
