"""Every owner explained, every turn checked."""

from typing import Annotated, Any

from fastapi import Path, Query

from api_stub.control.views import Report, Why
from api_stub.deps import Id, RecordTypeName, Using, control_router
from api_stub.error_responses import problems
from worker.errors.people import UnknownRecordType
from worker.errors.records import UnknownRecord
from worker.flows.audit.verify import verify
from worker.flows.audit.why import why

router = control_router("/api", "records")

Offline = Annotated[bool, Query(description="Check the database alone, without Redis.")]


@router.get(
    "/why/{type}/{id}",
    summary="Tell why a record has its owner",
    response_model=Why,
    responses=problems(UnknownRecord, UnknownRecordType),
)
def why_record(system: Using, type: Annotated[RecordTypeName, Path()], id: Id) -> Any:
    """The turn, the roster in force at it, who came before and who was next."""
    with system.reading() as session:
        return why(session, type, id)


@router.get("/verify", summary="Verify all pools", response_model=list[Report])
def verify_all(system: Using, offline: Offline = False) -> Any:
    """Replays each pool's ledger against its rosters and checks every point of the promise. Deleted
    pools are checked by their ledgers."""
    return [report.as_json() for report in verify(system, offline=offline)]
