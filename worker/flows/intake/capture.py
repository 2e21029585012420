"""Captured leads: stored first and answered for, then given to the next member, in the order of
acceptance.

A lead's task takes turns for everybody in line before it, in one call of the ring: a fast worker
cannot overtake, it helps.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import islice, takewhile
from typing import Any

from sqlalchemy.orm import Session

from worker.domain.turns.causes import Cause
from worker.domain.turns.claims import capture_claim
from worker.errors.turns import EmptyPool, UnknownPool, WrongPoolType
from worker.flows.leases import LEASE_SECONDS, on_lease
from worker.flows.names import pool_named
from worker.flows.system import System
from worker.flows.turns.assign import Request, assign, check_assignable
from worker.flows.unit import Unit
from worker.queue import enqueue
from worker.store.intake import captures
from worker.store.intake.captures import Waiting
from worker.store.records import labels, records
from worker.store.turns import pools

MOST_AT_ONCE = (500, 25, 1)
"""How many leads one transaction gives their owners, at the first attempt, the second and the
third. One of those that were tried before may be what killed its worker: in the end it must not
take others with it."""


def accept(
    session: Session, pool: str, leads: Sequence[Mapping[str, Any]], actor_id: int | None = None
) -> list[int]:
    """Stores leads that wait for the pool's next members, and returns their ids, in order. A pool
    without members is no refusal: they wait until somebody joins."""
    named = pool_named(session, pool)
    if named.record_type != "lead":
        raise WrongPoolType(pool=named.name, theirs=named.record_type, asked="lead")
    return accept_for(session, named.id, leads, actor_id, waits=True)


def accept_for(
    session: Session,
    owner_id: int,
    leads: Sequence[Mapping[str, Any]],
    actor_id: int | None,
    *,
    waits: bool,
) -> list[int]:
    """Stores leads of a user; or, if they wait, of a pool for whose next members they do. Returns
    their ids, in order."""
    lead_ids = records.add_all(session, "lead", owner_id, actor_id, leads)
    labels.register(session, "lead", labels.labels_of(leads), actor_id)
    if waits:
        captures.add(session, lead_ids, owner_id, actor_id)
        enqueue(session, "captures.assign", lead=lead_ids[-1])
    return lead_ids


def assign_lead(system: System, lead_id: int, holder: str) -> None:
    """Gives a lead, and those in line that nobody is on, to the next members of their pool. The
    holder is whose lease it is: the same task, delivered again, goes on at once."""
    with system.reading() as session:
        pool_id = captures.pool_of(session, lead_id)
        reason = None if pool_id is None else why_not(session, pool_id)
    if pool_id is not None and reason is not None:
        system.transact(captures.explain, pool_id=pool_id, reason=reason)
    elif pool_id is not None:
        with suppress(EmptyPool, UnknownPool):  # since a moment ago: upkeep explains it
            _give_up_to(system, pool_id, lead_id, holder)


def why_not(session: Session, pool_id: int) -> str | None:
    """Why the pool's leads can't be given to anybody, if so: they wait until somebody joins, or
    gives them another owner."""
    try:
        check_assignable(session, pool_id, "lead")
    except (EmptyPool, UnknownPool) as nobody:
        return str(nobody)
    return None


def _give_up_to(system: System, pool_id: int, last: int, holder: str) -> None:
    reached = 0
    while reached < last and (batch := system.transact(_lease, pool_id=pool_id, holder=holder)):
        with on_lease(system, captures.work(_ids(batch)), holder):
            system.transact(_enter, pool_id=pool_id, batch=batch)
        reached = batch[-1].lead_id


def _lease(session: Session, pool_id: int, holder: str) -> list[Waiting]:
    batch = together(captures.free_to_take(session, pool_id, holder, max(MOST_AT_ONCE)))
    if batch:
        captures.lease(session, _ids(batch), holder, LEASE_SECONDS)
    return batch


def together(waiting: Sequence[Waiting]) -> list[Waiting]:
    """The first in line who are tried together: those that were tried as often as the very first,
    as far as may be."""
    if not waiting:
        return []
    attempts = waiting[0].attempts
    alike = takewhile(lambda lead: lead.attempts == attempts, waiting)
    return list(islice(alike, MOST_AT_ONCE[attempts]))


def _ids(batch: Sequence[Waiting]) -> list[int]:
    return [lead.lead_id for lead in batch]


def _enter(unit: Unit, pool_id: int, batch: Sequence[Waiting]) -> None:
    pools.lock_shared(
        unit, pool_id
    )  # from here on nobody seeds: the line is taken for as it is read
    still = captures.lock_leads(unit, _ids(batch), pool_id)
    line = captures.line(unit, pool_id, max(still, default=0))
    mine = still.intersection(line)
    requests = [
        Request(capture_claim(lead.lead_id), lead.lead_id, actor_id=lead.actor_id)
        for lead in batch
        if lead.lead_id in mine
    ]
    assign(
        unit, pool_id, "lead", requests, Cause.CAPTURE, [capture_claim(lead_id) for lead_id in line]
    )
    captures.remove_owned(unit, _ids(batch))
