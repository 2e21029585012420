"""An import: the upload is stored, scanned in one pass, its turns reserved as one block, its chunks
loaded side by side, and closed."""

import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import IO, NamedTuple

from sqlalchemy.orm import Session

from worker.domain.files import sheets
from worker.domain.files.rows import Columns, RowReader
from worker.domain.records.fields import RECORD_TYPES
from worker.domain.records.record_type import RecordType
from worker.domain.runs.chunks import FileChunk, Scan, scan
from worker.domain.runs.receipts import HEADER
from worker.domain.runs.runs import RUN_TASKS, RunKind, RunState
from worker.errors.base import EvenhandError, Unavailable
from worker.errors.people import UnknownRecordType
from worker.errors.runs import NoReceipt, NoReceiptYet, UnknownRun
from worker.flows.idempotency import IdempotencyKey, find_answer, run_once
from worker.flows.runs import scans
from worker.flows.runs.closing import end_run
from worker.flows.system import System
from worker.flows.turns import assign
from worker.flows.unit import Unit
from worker.queue import enqueue
from worker.store.people import users
from worker.store.records import labels, records
from worker.store.runs import chunks, kinds, runs
from worker.store.runs.kinds import FileLayout
from worker.store.sql import engine
from worker.uploads import Uploads

UPLOAD, RECEIPT = "upload.csv", "receipt.csv"

FOLDER_BYTES = 16

PROGRESS_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What somebody asks to import."""

    file_name: str
    record_type: str
    owner_id: int
    """A user, or a pool's phantom user."""
    mapping: Mapping[str, str]
    """Fields by header, for headers that don't speak for themselves."""
    actor_id: int | None = None
    key: IdempotencyKey | None = None
    """Under a key the same request makes one run, however often it comes."""


class ScannedFile(NamedTuple):
    """A file that was read from its beginning to its end."""

    header: sheets.Header
    columns: Columns
    found: Scan


# --- accepting ---


def find_accepted(system: System, key: IdempotencyKey | None) -> int | None:
    """The id of the run that the same request has made before, if it has. Raises KeyReused."""
    if key is None:
        return None
    with system.reading() as session:
        answer = find_answer(session, key)
    return None if answer is None else int(answer["run"])


def accept(system: System, request: ImportRequest, file: IO[bytes]) -> int:
    """Stores an upload and returns the id of its run, which workers carry on. Raises what `check`
    does, KeyReused, and what is wrong with the header: UnreadableFile, UnknownHeader,
    UnknownField."""
    earlier = find_accepted(system, request.key)
    if earlier is not None:
        return earlier
    check(system, request)
    folder = secrets.token_hex(FOLDER_BYTES)
    size = system.uploads.store(f"{folder}/{UPLOAD}", file)
    try:
        with system.uploads.open(f"{folder}/{UPLOAD}") as upload:
            header = sheets.read_header(sheets.read_lines(upload))
        Columns.of(RecordType(request.record_type), header.names, request.mapping)
        return system.transact(_record, request, folder, size)
    except Unavailable:
        raise  # nobody knows whether the run was recorded: the upload must stay
    except EvenhandError:
        system.uploads.remove([f"{folder}/{UPLOAD}"])
        raise


def check(system: System, request: ImportRequest) -> None:
    """Raises what is wrong with a request, whatever its file holds: UnknownRecordType, and what
    `assign.check_owner` does."""
    if request.record_type not in RECORD_TYPES:
        raise UnknownRecordType(name=request.record_type)
    with system.reading() as session:
        owner = users.get(session, request.owner_id)
        assign.check_owner(session, owner, request.record_type)


def _record(session: Session, request: ImportRequest, folder: str, size: int) -> int:
    """Creates the run, or returns the one that a concurrent request with the same Idempotency-Key
    created. This upload is then an orphan, and `tidy` removes it."""
    add = partial(_add, request=request, folder=folder, size=size)
    return int(run_once(session, request.key, lambda session: {"run": add(session)})["run"])


def _add(session: Session, request: ImportRequest, folder: str, size: int) -> int:
    run_id = runs.add(
        session, RunKind.IMPORT, request.record_type, request.owner_id, request.actor_id
    )
    kinds.add_import(
        session,
        run_id,
        folder=folder,
        file_name=request.file_name,
        size_bytes=size,
        mapping=request.mapping,
    )
    enqueue(session, RUN_TASKS[RunKind.IMPORT].scan, run=run_id)
    return run_id


# --- scanning ---


def read(
    file: IO[bytes],
    record_type: RecordType,
    mapping: Mapping[str, str],
    on_chunk: Callable[[FileChunk], object],
) -> ScannedFile:
    """One pass over a file. Raises UnreadableFile, UnknownHeader, UnknownField."""
    lines = sheets.read_lines(file)
    header = sheets.read_header(lines)
    columns = Columns.of(record_type, header.names, mapping)
    found = scan(lines, header, RowReader(record_type, columns), on_chunk)
    return ScannedFile(header, columns, found)


def scan_upload(system: System, run_id: int, holder: str) -> None:
    """One pass over the upload; then its ids and turns are reserved, and its chunks enqueued."""
    scans.carry_out(system, run_id, holder, partial(_scan, system, run_id))


def _scan(system: System, run_id: int) -> None:
    with system.reading() as session:
        run = kinds.get_import(session, run_id)
    with system.uploads.open(f"{run.folder}/{UPLOAD}") as upload:
        header, columns, found = read(
            upload, run.record_type, run.mapping, _note_progress(system, run_id)
        )
    # Custom fields are listed before any record bears them: a worker that dies later leaves no
    # record whose fields nobody knows.
    system.transact(
        labels.register, run.record_type, {labels.CUSTOM_FIELD: columns.custom}, run.actor_id
    )
    # This takes a transaction of its own. Until it commits, it holds up everybody who makes a
    # record, and they may have locked the pool.
    first_id = (
        system.transact(records.reserve_ids, run.record_type, found.records)
        if found.records
        else None
    )
    system.transact(_end_scan, run_id, FileLayout(header.delimiter, columns, first_id), found)


def _note_progress(system: System, run_id: int) -> Callable[[FileChunk], None]:
    """A function that notes every few seconds how far the scan is, for people to see."""
    noted = time.monotonic()

    def note(session: Session, scanned_bytes: int) -> None:
        runs.change(session, run_id)
        kinds.note_scanned(session, run_id, scanned_bytes)

    def on_chunk(chunk: FileChunk) -> None:
        nonlocal noted
        if time.monotonic() - noted > PROGRESS_SECONDS:
            noted = time.monotonic()
            system.transact(note, chunk.offset + chunk.length)

    return on_chunk


def _end_scan(unit: Unit, run_id: int, layout: FileLayout, found: Scan) -> None:
    run = scans.lock_scanned(unit, run_id)
    if run is None:
        return
    turns = scans.reserve_turns(unit, run, found.records)
    kinds.keep_layout(unit, run_id, layout, found.first_errors)
    errors = found.rows - found.records
    scans.end(unit, run, found.chunks, rows=found.rows, errors=errors, turns=turns)


# --- closing ---


def close(system: System, run_id: int) -> None:
    """Ends an import whose chunks are all loaded, or that was cancelled: puts the receipt together,
    and removes the files that nobody needs any more."""
    unneeded = system.transact(_end, run_id, system.uploads)
    system.uploads.remove(unneeded)


def _end(unit: Unit, run_id: int, uploads: Uploads) -> list[str]:
    """Returns the files that nobody needs any more. The run stays locked meanwhile, so that no
    other worker removes its parts."""
    if not end_run(unit, run_id):
        return []
    engine.allow_long_silence(unit)
    folder = kinds.get_import(unit, run_id).folder
    parts = [name_part(folder, number) for number in chunks.list_done(unit, run_id)]
    if not uploads.exists(f"{folder}/{RECEIPT}"):
        uploads.join(f"{folder}/{RECEIPT}", HEADER.encode(), parts)
    return [*parts, f"{folder}/{UPLOAD}"]


# --- files ---


def is_upload_folder(name: str) -> bool:
    """Whether `accept` may have made a folder of that name."""
    return re.fullmatch(f"[0-9a-f]{{{2 * FOLDER_BYTES}}}", name) is not None


def name_part(folder: str, number: int) -> str:
    """The file that holds the part of the receipt of one chunk."""
    return f"{folder}/receipt-{number:06d}.csv"


def is_part(name: str) -> bool:
    return re.search(r"/receipt-\d{6,}\.csv$", name) is not None


def open_receipt(system: System, run_id: int) -> IO[bytes]:
    """The receipt of an import that has ended. The caller closes it. Raises UnknownRun, NoReceipt,
    NoReceiptYet, FileGone."""
    with system.reading() as session:
        run, other = kinds.find_import(session, run_id), runs.find(session, run_id)
    if run is None:
        raise NoReceipt(run_id=run_id) if other else UnknownRun(run_id=run_id)
    if run.state not in (RunState.DONE, RunState.CANCELLED) or run.ended_at is None:
        raise NoReceiptYet(run_id=run_id, state=run.state)
    return system.uploads.open(f"{run.folder}/{RECEIPT}")
