"""Captured leads: stored and acknowledged at once, and those that still wait."""

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from api_stub.deps import Acting, Admin, Body, Text, Using, make_control_router
from api_stub.error_responses import document_errors
from api_stub.idempotency import GivenKey, add_body
from worker.domain.intake.leads import parse_lead
from worker.errors.base import InsufficientScope
from worker.errors.records import BadLead, KeyReused
from worker.errors.turns import UnknownPool, WrongPoolType
from worker.flows.idempotency import Answer, run_once
from worker.flows.intake import capture, retry
from worker.flows.names import find_pool_by_name
from worker.flows.unit import Unit
from worker.store.views import intake as views
from worker.store.views.intake import WaitingLeadView
from worker.store.views.runs import Retried

MOST_LEADS = 1000

router = make_control_router("/api/leads", "leads")


class NewLead(Body):
    """A lead for the next member of a pool."""

    pool: Text = Field(examples=["Inbound"], description="The pool's name.")
    lead: dict[str, object] = Field(
        description="Fields by name; others are kept as custom fields.",
        examples=[
            {"first_name": "Ann", "last_name": "Lee", "email": "ann@example.com", "tags": ["fair"]}
        ],
    )


class CapturedLead(BaseModel):
    """A lead that was accepted."""

    id: int
    pool: str


@router.post(
    "/capture",
    summary="Capture a lead",
    status_code=202,
    responses=document_errors(UnknownPool, BadLead, WrongPoolType, KeyReused),
)
def capture_lead(system: Using, actor: Acting, key: GivenKey, new: NewLead) -> CapturedLead:
    """The lead is stored when this answers, and is never lost from then on. Workers give it to the
    pool's next member, in the order of acceptance; while the pool has no members, it waits."""
    values = parse_lead(new.lead)

    def work(unit: Unit) -> Answer:
        pool = find_pool_by_name(unit, new.pool)
        [lead_id] = capture.accept(unit, pool.id, [values], actor.id)
        return {"id": lead_id, "pool": new.pool}

    return CapturedLead(**system.transact(run_once, add_body(key, new.model_dump()), work))


@router.get("/waiting", summary="List leads that wait", responses=document_errors(UnknownPool))
def list_waiting(
    system: Using,
    pool: Annotated[Text | None, Query(description="A pool's name; all pools without it.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_LEADS, description="How many at most.")] = 50,
) -> list[WaitingLeadView]:
    """Captured leads that wait for their owner, oldest first, with the reason."""
    with system.reading() as unit:
        pool_id = None if pool is None else find_pool_by_name(unit, pool).id
        return views.list_waiting(unit, pool_id, limit)


@router.post(
    "/retry",
    summary="Retry leads that were set aside",
    responses=document_errors(InsufficientScope),
)
def retry_leads(system: Using, _: Admin) -> Retried:
    """Puts all captured leads that were tried too often back in line, and fetches again what the
    senders of some leads would not give."""
    return Retried(retried=system.transact(retry.retry_leads))
