"""Every owner explained, every turn checked."""

from typing import Annotated

from fastapi import Path, Query

from api_stub.deps import Id, RecordTypeName, Using, make_control_router
from api_stub.error_responses import document_errors
from worker.errors.people import UnknownRecordType
from worker.errors.records import UnknownRecord
from worker.flows.audit.verify import verify
from worker.flows.audit.why import explain
from worker.store.views.reports import ReportView, show_report
from worker.store.views.why import WhyView

router = make_control_router("/api", "records")

Offline = Annotated[bool, Query(description="Check the database alone, without Redis.")]


@router.get(
    "/why/{type}/{id}",
    summary="Tell why a record has its owner",
    responses=document_errors(UnknownRecord, UnknownRecordType),
)
def why_record(system: Using, type: Annotated[RecordTypeName, Path()], id: Id) -> WhyView:
    """The turn, the roster in force at it, who came before and who was next."""
    with system.reading() as session:
        return explain(session, type, id)


@router.get("/verify", summary="Verify all pools")
def verify_all(system: Using, offline: Offline = False) -> list[ReportView]:
    """Replays each pool's ledger against its rosters and checks every point of the promise. Deleted
    pools are checked by their ledgers."""
    return [show_report(report) for report in verify(system, offline=offline)]
