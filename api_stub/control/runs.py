"""Runs: imports, reassignments and undos, while they go on and after they have ended."""

from collections.abc import Iterator
from typing import IO, Annotated, Any

from fastapi import Depends, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import Field

from api_stub.control.run_views import Cancelled, Forecast, Run, RunSummary, Skips
from api_stub.control.views import Retried
from api_stub.deps import Acting, Body, Id, Using, control_router
from api_stub.error_responses import problems
from worker.domain.people.permissions import Action, allowed
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
from worker.flows.runs import control, imports, undo
from worker.flows.system import System
from worker.store.runs.runs import find
from worker.store.views.facts import Facts
from worker.store.views.runs import all_runs, run_facts, skipped

MOST_RUNS = 1000
MOST_SKIPS = 1000
BLOCK_BYTES = 2**16

router = control_router("/api/runs", "runs")


class Undo(Body):
    """How a run is undone."""

    return_turns: bool = Field(
        False,
        description="Whether its turns come back, and are the next to be handed out. Else they stay spent.",
    )


def own_run(system: Using, actor: Acting, run_id: Id) -> int:
    """The id of a run that the actor has begun, or that an admin asks about. Raises UnknownRun,
    InsufficientScope."""
    with system.reading() as session:
        return int(_own(session, actor, run_id).id)


def moving_run(system: Using, actor: Acting, run_id: Id) -> int:
    """The same of a run that the actor may retry or undo: of one that changes the owners of records
    it takes the permission."""
    with system.reading() as session:
        run = _own(session, actor, run_id)
        if control.changes_owners(session, run) and not allowed(actor, Action.REASSIGN):
            raise InsufficientScope(action=Action.REASSIGN)
    return run_id


def _own(session: Any, actor: Acting, run_id: int) -> Any:
    run = find(session, run_id)
    if run is None:
        raise UnknownRun(run_id=run_id)
    if not allowed(actor, Action.ANOTHERS, run.actor_id):
        raise InsufficientScope(action=Action.ANOTHERS)
    return run


OwnRun = Annotated[int, Depends(own_run)]
MovingRun = Annotated[int, Depends(moving_run)]


@router.get("", summary="List runs", response_model=list[RunSummary])
def list_runs(
    system: Using,
    limit: Annotated[int, Query(ge=1, le=MOST_RUNS, description="How many at most.")] = 50,
) -> Any:
    """The newest runs, newest first."""
    with system.reading() as session:
        return all_runs(session, limit)


@router.get("/{run_id}", summary="Show a run", response_model=Run, responses=problems(UnknownRun))
def show_run(system: Using, run_id: Id) -> Any:
    """How far it is, and its first row errors."""
    return shown(system, run_id)


@router.get(
    "/{run_id}/skipped",
    summary="List what a run has left alone",
    response_model=Skips,
    responses=problems(UnknownRun),
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
) -> Any:
    """The records that it has left as they were, in the order of its list, and why: somebody has
    touched them meanwhile."""
    shown(system, run_id)
    with system.reading() as session:
        found = skipped(session, run_id, after, limit + 1)
    page = found[:limit]
    return {"skipped": page, "next": page[-1]["ordinal"] if len(found) > limit else None}


@router.get(
    "/{run_id}/receipt",
    summary="Download an import's receipt",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}},
        **problems(UnknownRun, NoReceipt, FileGone, NoReceiptYet),
    },
)
def receipt(system: Using, run_id: Id) -> StreamingResponse:
    """For each row of the file, in its order: its record, turn and owner, or its error."""
    source = imports.receipt(system, run_id)
    name = {"Content-Disposition": f'attachment; filename="receipt-{run_id}.csv"'}
    return StreamingResponse(_blocks(source), media_type="text/csv", headers=name)


@router.post(
    "/{run_id}/cancel",
    summary="Cancel a run",
    response_model=Cancelled,
    responses=problems(InsufficientScope, UnknownRun, RunEnded),
)
def cancel_run(system: Using, run_id: OwnRun) -> Any:
    """Stops it between two chunks: what it has done stays, the turns that it doesn't use come back."""
    return {"id": run_id} | system.transact(control.cancel, run_id)._asdict()


@router.post(
    "/{run_id}/retry",
    summary="Retry a run",
    response_model=Retried,
    responses=problems(InsufficientScope, UnknownRun, NothingToRetry),
)
def retry_run(system: Using, run_id: MovingRun) -> Any:
    """Goes on with a run that failed: with the chunks that were set aside, or from the beginning."""
    return {"retried": system.transact(control.retry, run_id)}


@router.post(
    "/{run_id}/undo",
    summary="Undo a run",
    status_code=202,
    response_model=Run,
    responses=problems(InsufficientScope, UnknownRun, NotUndoable),
)
def undo_run(
    system: Using,
    actor: Acting,
    run_id: MovingRun,
    request: Request,
    response: Response,
    wanted: Undo | None = None,
) -> Any:
    """Deletes what an import has made, and gives back what a reassignment has given, but for
    records that somebody has touched since. Answers with the run that does so: asked again, with
    the same one."""
    returns_turns = wanted is not None and wanted.return_turns
    undo_id = system.transact(undo.accept, run_id, actor.id, returns_turns=returns_turns)
    return accepted(system, request, response, undo_id)


FORECAST: dict[int | str, dict[str, Any]] = {
    200: {"model": Forecast, "description": "What would happen: the answer to a dry run."}
}


def told(facts: Facts) -> Response:
    """A forecast, in place of what the endpoint else answers with."""
    return JSONResponse(Forecast.model_validate(facts).model_dump(mode="json"))


def accepted(system: System, request: Request, response: Response, run_id: int) -> Facts:
    """A run that workers carry on, and where to follow it."""
    response.headers["Location"] = request.url_for("show_run", run_id=run_id).path
    return shown(system, run_id)


def shown(system: System, run_id: int) -> Facts:
    """Raises UnknownRun."""
    with system.reading() as session:
        facts = run_facts(session, run_id)
    if facts is None:
        raise UnknownRun(run_id=run_id)
    return facts


def _blocks(source: IO[bytes]) -> Iterator[bytes]:
    with source:
        while block := source.read(BLOCK_BYTES):
            yield block
