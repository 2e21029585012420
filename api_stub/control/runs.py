"""Runs: imports, reassignments and undos, while they go on and after they have ended."""

from collections.abc import Iterator
from typing import IO, Annotated, Any

from fastapi import Depends, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import Field, TypeAdapter

from api_stub.deps import Acting, Body, Id, Using, make_control_router
from api_stub.error_responses import document_errors
from worker.domain.storable import GREATEST
from worker.errors.base import InsufficientScope
from worker.errors.runs import (
    FileGone,
    NoReceipt,
    NoReceiptYet,
    NothingToRetry,
    NotUndoable,
    RunEnded,
    UnknownRun,
)
from worker.flows.runs import cancel, imports, permissions, retry, undo
from worker.flows.runs.cancel import CancelledRun
from worker.flows.system import System
from worker.store.views import runs as views
from worker.store.views.runs import DryRun, Retried, RunSummary, RunView, SkipPage

MOST_RUNS = 1000
MOST_SKIPS = 1000
BLOCK_BYTES = 2**16

router = make_control_router("/api/runs", "runs")


class UndoBody(Body):
    """How a run is undone."""

    return_turns: bool = Field(
        False,
        description="Whether its turns come back, and are the next to be handed out."
        " Else they stay spent.",
    )


def find_run_to_cancel(system: Using, actor: Acting, run_id: Id) -> int:
    """The id of a run that the actor may cancel. Raises UnknownRun, InsufficientScope."""
    with system.reading() as session:
        permissions.check_cancel(session, run_id, actor)
    return run_id


def find_run_to_retry_or_undo(system: Using, actor: Acting, run_id: Id) -> int:
    """The id of a run that the actor may retry or undo. Raises UnknownRun, InsufficientScope."""
    with system.reading() as session:
        permissions.check_retry_or_undo(session, run_id, actor)
    return run_id


RunToCancel = Annotated[int, Depends(find_run_to_cancel)]
RunToRetryOrUndo = Annotated[int, Depends(find_run_to_retry_or_undo)]


@router.get("", summary="List runs")
def list_runs(
    system: Using,
    limit: Annotated[int, Query(ge=1, le=MOST_RUNS, description="How many at most.")] = 50,
) -> list[RunSummary]:
    """The newest runs, newest first."""
    with system.reading() as session:
        return views.list_runs(session, limit)


@router.get("/{run_id}", summary="Show a run", responses=document_errors(UnknownRun))
def show_run(system: Using, run_id: Id) -> RunView:
    """How far it is, and its first row errors."""
    with system.reading() as session:
        return views.show_run(session, run_id)


@router.get(
    "/{run_id}/skipped",
    summary="List what a run has left alone",
    responses=document_errors(UnknownRun),
)
def list_skipped(
    system: Using,
    run_id: Id,
    after: Annotated[
        int, Query(ge=-1, le=GREATEST, description="The ordinal after which to begin.")
    ] = -1,
    limit: Annotated[
        int, Query(ge=1, le=MOST_SKIPS, description="How many records at most.")
    ] = 100,
) -> SkipPage:
    """The records that it has left as they were, in the order of its list, with the reason: they
    were touched meanwhile."""
    with system.reading() as session:
        views.show_run(session, run_id)
        found = views.list_skipped(session, run_id, after, limit + 1)
    page = found[:limit]
    return SkipPage(page, page[-1].ordinal if len(found) > limit else None)


@router.get(
    "/{run_id}/receipt",
    name="receipt",
    summary="Download an import's receipt",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}},
        **document_errors(UnknownRun, NoReceipt, FileGone, NoReceiptYet),
    },
)
def download_receipt(system: Using, run_id: Id) -> StreamingResponse:
    """For each row of the file, in its order: its record, turn and owner, or its error."""
    source = imports.open_receipt(system, run_id)
    name = {"Content-Disposition": f'attachment; filename="receipt-{run_id}.csv"'}
    return StreamingResponse(_read_blocks(source), media_type="text/csv", headers=name)


@router.post(
    "/{run_id}/cancel",
    summary="Cancel a run",
    responses=document_errors(InsufficientScope, UnknownRun, RunEnded),
)
def cancel_run(system: Using, run_id: RunToCancel) -> CancelledRun:
    """Stops it between two chunks: what it has done stays. An import or a reassignment gives back
    the turns that it hasn't used. An undo gives back the turns of what it has undone, if that was
    asked for."""
    return system.transact(cancel.cancel, run_id)


@router.post(
    "/{run_id}/retry",
    summary="Retry a run",
    responses=document_errors(InsufficientScope, UnknownRun, NothingToRetry),
)
def retry_run(system: Using, run_id: RunToRetryOrUndo) -> Retried:
    """Goes on with a run that failed: with the chunks that were set aside, or from the start."""
    return Retried(system.transact(retry.retry, run_id))


@router.post(
    "/{run_id}/undo",
    summary="Undo a run",
    status_code=202,
    responses=document_errors(InsufficientScope, UnknownRun, NotUndoable),
)
def undo_run(
    system: Using,
    actor: Acting,
    run_id: RunToRetryOrUndo,
    request: Request,
    response: Response,
    wanted: UndoBody | None = None,
) -> RunView:
    """Deletes the records that an import has made, or gives records back that a reassignment has
    moved, except for records that were touched since. Answers with the run that does so: asked
    again, with the same one."""
    returns_turns = wanted is not None and wanted.return_turns
    undo_id = system.transact(undo.accept, run_id, actor.id, returns_turns=returns_turns)
    return show_accepted(system, request, response, undo_id)


DRY_RUN: dict[int | str, dict[str, Any]] = {
    200: {"model": DryRun, "description": "What would happen: the answer to a dry run."}
}
"""The two answers of an endpoint, for its description."""

_DRY_RUNS = TypeAdapter(DryRun)


def show_dry_run(view: DryRun) -> Response:
    """A dry run, instead of the endpoint's usual answer."""
    return JSONResponse(_DRY_RUNS.dump_python(view, mode="json"))


def show_accepted(system: System, request: Request, response: Response, run_id: int) -> RunView:
    """A run that workers carry on, and where to follow it. Raises UnknownRun."""
    response.headers["Location"] = request.url_for("show_run", run_id=run_id).path
    with system.reading() as session:
        return views.show_run(session, run_id)


def _read_blocks(source: IO[bytes]) -> Iterator[bytes]:
    with source:
        while block := source.read(BLOCK_BYTES):
            yield block
