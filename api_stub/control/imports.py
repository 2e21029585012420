"""Imports: files in, and what became of them."""

from collections.abc import Iterator
from typing import IO, Annotated, Any

from fastapi import Depends, File, Form, Query, Request, Response, UploadFile
from fastapi.responses import StreamingResponse

from api_stub.control.answers import Cancelled, Retried, Run, RunSummary
from api_stub.deps import Acting, Id, RecordType, Text, Using, control
from api_stub.problems import problems
from api_stub.refusals import BodyTooLarge
from worker.domain.permissions import Deed, may
from worker.domain.rows import mapping_of
from worker.errors import (
    AmbiguousUser,
    BadMapping,
    EmptyPool,
    FileGone,
    InsufficientScope,
    NoReceiptYet,
    NothingToRetry,
    RunEnded,
    UnknownField,
    UnknownHeader,
    UnknownOwner,
    UnknownRecordType,
    UnknownRun,
    UnreadableFile,
    WrongPoolType,
)
from worker.flows import imports, runs
from worker.flows.system import System
from worker.store.imports import find
from worker.store.views import Facts, all_runs, run_facts

UPLOADS = "/api/imports"
MOST_RUNS = 1000
BLOCK_BYTES = 2**16

router = control("", "imports")

_REFUSALS = problems(
    UnknownOwner, BodyTooLarge, UnreadableFile, UnknownRecordType, WrongPoolType, EmptyPool, AmbiguousUser, BadMapping, UnknownField,
    UnknownHeader,
)  # fmt: skip


def own_run(system: Using, actor: Acting, run_id: Id) -> int:
    """The id of a run that the actor has begun, or that an admin asks about. Raises UnknownRun, InsufficientScope."""
    with system.reading() as session:
        run = find(session, run_id)
    if run is None:
        raise UnknownRun(run_id=run_id)
    if not may(actor, Deed.ANOTHERS, run.actor_id):
        raise InsufficientScope(deed=Deed.ANOTHERS)
    return run_id


OwnRun = Annotated[int, Depends(own_run)]


@router.post(UPLOADS, summary="Import a file", status_code=202, response_model=Run, responses=_REFUSALS)
def import_file(
    system: Using,
    actor: Acting,
    request: Request,
    response: Response,
    file: Annotated[UploadFile, File(description="A CSV file in UTF-8 whose first line names the columns.")],
    owner: Annotated[Text, Form(description="Who gets every row: a pool, or a user by email or name.")],
    type: Annotated[RecordType, Form(description="What the rows become.")] = "lead",
    map: Annotated[list[Text], Form(description='What a column is taken as: "Header=field". Repeat it for more.')] = [],  # noqa: B006
) -> Any:
    """Every good row becomes a record, owned by the next member in file order. Answers as soon as the file is stored, with the run
    that workers carry on; follow it at the address in `Location`."""
    name = (file.filename or "").replace("\0", "") or "upload.csv"
    asked = imports.Request(name, type, owner, mapping_of(map), actor.id)
    run_id = imports.accept(system, asked, file.file)
    response.headers["Location"] = request.url_for("show_run", run_id=run_id).path
    return _run(system, run_id)


@router.get("/api/runs", summary="List runs", response_model=list[RunSummary])
def list_runs(system: Using, limit: Annotated[int, Query(ge=1, le=MOST_RUNS, description="How many at most.")] = 50) -> Any:
    """The newest runs, newest first."""
    with system.reading() as session:
        return all_runs(session, limit)


@router.get("/api/runs/{run_id}", summary="Show a run", response_model=Run, responses=problems(UnknownRun))
def show_run(system: Using, run_id: Id) -> Any:
    """How far it is, and its first row errors."""
    return _run(system, run_id)


@router.get(
    "/api/runs/{run_id}/receipt",
    summary="Download a run's receipt",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}, **problems(UnknownRun, FileGone, NoReceiptYet)},
)
def receipt(system: Using, run_id: Id) -> StreamingResponse:
    """For each row of the file, in its order: its record, turn and owner, or its error."""
    source = imports.receipt(system, run_id)
    name = {"Content-Disposition": f'attachment; filename="receipt-{run_id}.csv"'}
    return StreamingResponse(_blocks(source), media_type="text/csv", headers=name)


@router.post(
    "/api/runs/{run_id}/cancel",
    summary="Cancel a run",
    response_model=Cancelled,
    responses=problems(InsufficientScope, UnknownRun, RunEnded),
)
def cancel_run(system: Using, run_id: OwnRun) -> Any:
    """Stops it between two chunks: what was loaded stays, the turns that it doesn't use come back."""
    return {"id": run_id} | system.transact(lambda session: runs.cancel(session, system.ring, run_id))._asdict()


@router.post(
    "/api/runs/{run_id}/retry",
    summary="Retry a run",
    response_model=Retried,
    responses=problems(InsufficientScope, UnknownRun, NothingToRetry),
)
def retry_run(system: Using, run_id: OwnRun) -> Any:
    """Goes on with a run that failed: with the chunks that were set aside, or from the beginning."""
    return {"retried": system.transact(lambda session: runs.retry(session, run_id))}


def _run(system: System, run_id: int) -> Facts:
    with system.reading() as session:
        facts = run_facts(session, run_id)
    if facts is None:
        raise UnknownRun(run_id=run_id)
    return facts


def _blocks(source: IO[bytes]) -> Iterator[bytes]:
    with source:
        while block := source.read(BLOCK_BYTES):
            yield block
