"""An import: the upload is stored, scanned in one pass, its turns reserved as one block, its chunks
loaded side by side, and closed."""

import re
import secrets
import time
from collections.abc import Callable, Mapping
from typing import IO, Any, NamedTuple

from sqlalchemy.orm import Session

from worker.domain.files import sheets
from worker.domain.files.rows import Columns, RowReader
from worker.domain.records.fields import RECORD_TYPES
from worker.domain.records.record_type import RecordType
from worker.domain.runs.chunks import Chunk, Scan, scan
from worker.domain.runs.receipts import HEADER
from worker.domain.runs.runs import IMPORT
from worker.domain.turns.claims import run_claim
from worker.errors.base import EvenhandError, Unavailable
from worker.errors.people import UnknownRecordType
from worker.errors.runs import NoReceipt, NoReceiptYet, UnknownRun
from worker.flows.idempotency import IdempotencyKey, find_answer, run_once
from worker.flows.names import owner_named
from worker.flows.runs import scans
from worker.flows.system import System
from worker.flows.turns import assign
from worker.flows.unit import Unit
from worker.queue import enqueue
from worker.store.people import users
from worker.store.records import labels, records
from worker.store.runs import chunks, imports, runs
from worker.store.sql import engine
from worker.store.turns import ledger

UPLOAD, RECEIPT = "upload.csv", "receipt.csv"

FOLDER_BYTES = 16

PROGRESS_SECONDS = 2.0


class Request(NamedTuple):
    """What somebody asks to import. The mapping names fields by header, for headers that don't
    speak for themselves. Under a key the same request makes one run, however often it comes."""

    file_name: str
    record_type: str
    owner: str
    mapping: Mapping[str, str]
    actor_id: int | None = None
    key: IdempotencyKey | None = None


class Sheet(NamedTuple):
    """A file that was read from its beginning to its end."""

    header: sheets.Header
    columns: Columns
    found: Scan


def accept(system: System, request: Request, file: IO[bytes]) -> int:
    """Stores an upload and returns the id of its run, which workers carry on. What can be known to
    be wrong now is raised now."""
    earlier = _accepted_before(system, request.key)
    if earlier is not None:
        return earlier
    check(system, request)
    folder = secrets.token_hex(FOLDER_BYTES)
    size = system.uploads.store(f"{folder}/{UPLOAD}", file)
    try:
        with system.uploads.open(f"{folder}/{UPLOAD}") as upload:
            Columns.of(
                RecordType(request.record_type),
                sheets.read_header(sheets.lines_in(upload)).names,
                request.mapping,
            )
        return system.transact(_record, request, folder, size)
    except Unavailable:
        raise  # nobody knows whether the run was recorded: the upload must stay
    except EvenhandError:
        system.uploads.remove([f"{folder}/{UPLOAD}"])
        raise


def _accepted_before(system: System, key: IdempotencyKey | None) -> int | None:
    if key is None:
        return None
    with system.reading() as session:
        answer = find_answer(session, key)
    return None if answer is None else int(answer["run"])


def check(system: System, request: Request) -> None:
    """Raises what is wrong with a request, whatever its file holds."""
    if request.record_type not in RECORD_TYPES:
        raise UnknownRecordType(name=request.record_type)
    with system.reading() as session:
        assign.check_owner(session, owner_named(session, request.owner), request.record_type)


def read(
    file: IO[bytes],
    record_type: RecordType,
    mapping: Mapping[str, str],
    on_chunk: Callable[[Chunk], Any],
) -> Sheet:
    """One pass over a file."""
    lines = sheets.lines_in(file)
    header = sheets.read_header(lines)
    columns = Columns.of(record_type, header.names, mapping)
    return Sheet(header, columns, scan(lines, header, RowReader(record_type, columns), on_chunk))


def _record(session: Session, request: Request, folder: str, size: int) -> int:
    """Makes the run; or tells the one of the same request that came at the same time, whose upload
    is another. Upkeep removes this one."""
    answer = run_once(session, request.key, _add, request, folder, size)
    return int(answer["run"])


def _add(session: Session, request: Request, folder: str, size: int) -> dict[str, int]:
    owner = owner_named(session, request.owner)
    run_id = runs.add(session, IMPORT, request.record_type, owner.id, request.actor_id)
    imports.add(
        session,
        run_id,
        folder=folder,
        file_name=request.file_name,
        size_bytes=size,
        mapping=dict(request.mapping),
    )
    enqueue(session, "imports.scan", run=run_id)
    return {"run": run_id}


def scan_upload(system: System, run_id: int, holder: str) -> None:
    """One pass over the upload; then its ids and turns are reserved, and its chunks enqueued."""
    scans.carry_out(system, run_id, holder, lambda _: _scan(system, run_id))


def _scan(system: System, run_id: int) -> None:
    with system.reading() as session:
        run = imports.with_id(session, run_id)
    with system.uploads.open(f"{run.folder}/{UPLOAD}") as upload:
        header, columns, found = read(
            upload, run.record_type, run.mapping, _progress(system, run.id)
        )
    # Known before any record bears them: whoever dies after the next step leaves nobody behind who
    # would make them known.
    system.transact(
        labels.register, run.record_type, {labels.CUSTOM_FIELD: columns.custom}, run.actor_id
    )
    # In a transaction of its own: it holds up everybody who makes a record until it commits, who
    # may hold the pool.
    first_id = (
        system.transact(records.reserve_ids, run.record_type, found.records)
        if found.records
        else None
    )
    layout = {
        "delimiter": header.delimiter,
        "columns": columns.as_json(),
        "first_record_id": first_id,
    }
    system.transact(_reserve, run.id, layout, found)


def _progress(system: System, run_id: int) -> Callable[[Chunk], None]:
    """Tells now and then how far the scan is, for people to see."""
    told = time.monotonic()

    def tell(session: Session, chunk: Chunk) -> None:
        runs.change(session, run_id)
        imports.change(session, run_id, scanned_bytes=chunk.offset + chunk.length)

    def on_chunk(chunk: Chunk) -> None:
        nonlocal told
        if time.monotonic() - told > PROGRESS_SECONDS:
            told = time.monotonic()
            system.transact(tell, chunk)

    return on_chunk


def _reserve(unit: Unit, run_id: int, layout: dict[str, Any], found: Scan) -> None:
    run = runs.lock(unit, run_id)
    if run is None or run.state != "scanning":
        return
    turns, owner = 0, users.get(unit, run.owner_id)
    assign.check_owner(unit, owner, run.record_type)
    if found.records and owner.is_pool:
        turns = assign.reserve(unit, run.owner_id, run_claim(IMPORT, run_id), found.records).total
    chunks.add(unit, run_id, (chunk._asdict() for chunk in found.chunks))
    imports.change(
        unit, run_id, **layout, first_errors=[error._asdict() for error in found.first_errors]
    )
    counts = {"rows": found.rows, "errors": found.rows - found.records, "turns": turns}
    scans.end(unit, run, len(found.chunks), **counts)


def close(system: System, run_id: int) -> None:
    """Ends a run whose chunks are all loaded, or that was cancelled: the receipt is put together,
    the block closed."""
    names = system.transact(_end, system, run_id)
    system.uploads.remove(names)


def _end(session: Session, system: System, run_id: int) -> list[str]:
    """Returns the files that nobody needs any more. The run is held meanwhile, so that its parts
    aren't removed under somebody else's hands."""
    runs.lock(session, run_id)
    engine.allow_long_silence(session)
    run = imports.with_id(session, run_id)
    loaded = run.state == "loading" and run.chunks_left == 0
    if not loaded and run.state not in ("done", "cancelled"):
        return []
    parts = [part_name(run.folder, chunk.number) for chunk in chunks.done(session, run_id)]
    if loaded and run.turns:
        ledger.close_block(session, run.owner_id, run_claim(IMPORT, run_id))
    if run.ended_at is None:
        runs.end(session, run_id, "done" if loaded else run.state)
    if not system.uploads.exists(f"{run.folder}/{RECEIPT}"):
        system.uploads.join(f"{run.folder}/{RECEIPT}", HEADER.encode(), parts)
    return [*parts, f"{run.folder}/{UPLOAD}"]


def is_upload_folder(name: str) -> bool:
    """Whether `accept` may have made a folder of that name."""
    return re.fullmatch(f"[0-9a-f]{{{2 * FOLDER_BYTES}}}", name) is not None


def part_name(folder: str, number: int) -> str:
    return f"{folder}/receipt-{number:06d}.csv"


def is_part(name: str) -> bool:
    return re.search(r"/receipt-\d{6,}\.csv$", name) is not None


def receipt(system: System, run_id: int) -> IO[bytes]:
    """The receipt of a run that has ended, to be read and closed."""
    with system.reading() as session:
        run, other = imports.find(session, run_id), runs.find(session, run_id)
    if run is None:
        raise NoReceipt(run_id=run_id) if other else UnknownRun(run_id=run_id)
    if run.state not in ("done", "cancelled") or run.ended_at is None:
        raise NoReceiptYet(run_id=run_id, state=run.state)
    opened: IO[bytes] = system.uploads.open(f"{run.folder}/{RECEIPT}")
    return opened
