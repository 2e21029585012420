"""Imports: files in."""

import hashlib
from collections.abc import Mapping
from io import BufferedIOBase
from typing import IO, Annotated, cast

from fastapi import File, Form, Request, Response, UploadFile

from api_stub.control.runs import DRY_RUN, show_accepted, show_dry_run
from api_stub.deps import Acting, RecordTypeName, Text, Using, make_control_router
from api_stub.error_responses import document_errors
from api_stub.http_errors import BodyTooLarge
from api_stub.idempotency import GivenKey, add_body
from worker.domain.files.rows import parse_mapping
from worker.errors.people import AmbiguousUser, UnknownRecordType
from worker.errors.records import KeyReused, UnknownField
from worker.errors.runs import BadMapping, UnknownHeader, UnreadableFile
from worker.errors.turns import EmptyPool, UnknownOwner, WrongPoolType
from worker.flows.idempotency import IdempotencyKey
from worker.flows.names import find_owner_by_name
from worker.flows.runs import dry_runs, imports
from worker.flows.runs.imports import ImportRequest
from worker.store.views.runs import RunView

UPLOADS = "/api/imports"

router = make_control_router(UPLOADS, "imports")

_REFUSALS = document_errors(
    UnknownOwner,
    BodyTooLarge,
    UnreadableFile,
    UnknownRecordType,
    WrongPoolType,
    EmptyPool,
    AmbiguousUser,
    BadMapping,
    UnknownField,
    UnknownHeader,
    KeyReused,
)


@router.post(
    "",
    summary="Import a file",
    status_code=202,
    response_model=RunView,
    responses=DRY_RUN | _REFUSALS,
)
def import_file(
    system: Using,
    actor: Acting,
    request: Request,
    response: Response,
    key: GivenKey,
    file: Annotated[
        UploadFile, File(description="A CSV file in UTF-8 whose first line names the columns.")
    ],
    owner: Annotated[
        Text, Form(description="Who gets every row: a pool, or a user by email or name.")
    ],
    type: Annotated[RecordTypeName, Form(description="What the rows become.")] = "lead",
    map: Annotated[
        list[Text],
        Form(description='What a column is taken as: "Header=field". Repeat it for more.'),
    ] = [],  # noqa: B006
    dry_run: Annotated[
        bool, Form(description="Tell what would happen, and import nothing.")
    ] = False,
) -> RunView | Response:
    """Every good row becomes a record, owned by the next member in file order. Answers as soon as
    the file is stored, with the run that workers carry on; follow it at the address in `Location`.
    The answer to a dry run has status 200, and tells what would happen. Under an `Idempotency-Key`
    the same request is one with the same file, by name and content."""
    name = (file.filename or "").replace("\0", "") or "upload.csv"
    mapping = parse_mapping(map)
    if not dry_run:
        body = {"file_name": name, "record_type": type, "owner": owner, "mapping": mapping}
        key = _with_file(key, body, file.file)
        earlier = imports.find_accepted(system, key)
        if earlier is not None:
            return show_accepted(system, request, response, earlier)
    with system.reading() as session:
        owner_id = find_owner_by_name(session, owner).id
    asked = ImportRequest(name, type, owner_id, mapping, actor.id, None if dry_run else key)
    if dry_run:
        return show_dry_run(dry_runs.preview_import(system, asked, file.file))
    return show_accepted(system, request, response, imports.accept(system, asked, file.file))


def _with_file(
    key: IdempotencyKey | None, body: Mapping[str, object], file: IO[bytes]
) -> IdempotencyKey | None:
    """The key of a request with that file."""
    if key is None:
        return None
    digest = hashlib.file_digest(cast("BufferedIOBase", file), "sha256").hexdigest()
    file.seek(0)
    return add_body(key, {**body, "file": digest})
