"""A chunk of an import: its part of the file becomes records and ledger entries."""

import io
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, repeat
from typing import Any, NamedTuple

import orjson
from sqlalchemy.orm import Session

from worker.domain.files.rows import RowError, RowReader
from worker.domain.files.sheets import check_rows, split_lines
from worker.domain.records.fields import TAGS
from worker.domain.runs.chunks import Chunk, FileChunk
from worker.domain.runs.receipts import format_cell, format_error_line, format_record_line
from worker.domain.turns.allotment import Allotment
from worker.errors.runs import UnreadableFile
from worker.flows.runs import allotment
from worker.flows.runs.chunks import ChunkResult, ChunkWork, carry_out
from worker.flows.runs.imports import UPLOAD, name_part
from worker.flows.system import System
from worker.flows.turns.enter import enter
from worker.flows.unit import Unit
from worker.store.people import users
from worker.store.records import labels
from worker.store.runs import kinds
from worker.store.runs.kinds import FileLayout, Import
from worker.store.runs.runs import Run
from worker.store.sql import bulk
from worker.store.sql.clock import now
from worker.store.tables import RECORDS

RECORD_COLUMNS = ("id", "owner_id", "creator_id", "pool_id", "turn", "created_at", "updated_at")

StoredRow = tuple[Any, ...]
"""A record's values: those of `RECORD_COLUMNS`, and then those of the reader's fields."""


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """All that loading a chunk needs to know, read in one transaction."""

    run: Import
    chunk: FileChunk
    layout: FileLayout
    moment: datetime
    moment_text: str
    """The same moment, as the database keeps it."""
    record_ids: range
    allotment: Allotment
    pool: str
    """The pool's name as a cell of the receipt."""
    emails: dict[int, str]
    """The owners' emails by id, as cells of the receipt."""


class LoadedRows(NamedTuple):
    """The rows of a chunk, ready to be entered."""

    plan: LoadPlan
    columns: tuple[str, ...]
    rows: list[StoredRow]


def load_chunk(system: System, run_id: int, number: int, holder: str) -> None:
    """Loads a chunk. Its ids, turns and owners were settled when the run reserved them."""
    carry_out(system, run_id, number, holder, LOAD)


def _prepare(system: System, run: Run, chunk: Chunk) -> LoadedRows:
    """Reads the part of the file, and stores its part of the receipt."""
    assert isinstance(chunk, FileChunk)
    with system.reading() as session:
        plan = _plan(session, run.id, chunk)
    part = system.uploads.read_part(f"{plan.run.folder}/{UPLOAD}", chunk.offset, chunk.length)
    reader = RowReader(run.record_type, plan.layout.columns)
    receipt, rows = _read(plan, part, reader)
    if (len(receipt), len(rows)) != (chunk.rows, chunk.records):
        raise UnreadableFile(reason=f"chunk {chunk.number} is not what it was when it was scanned.")
    system.uploads.store(
        name_part(plan.run.folder, chunk.number), io.BytesIO("".join(receipt).encode())
    )
    _register_labels(system, plan, reader, rows)
    return LoadedRows(plan, (*RECORD_COLUMNS, *reader.fields), rows)


def _plan(session: Session, run_id: int, chunk: FileChunk) -> LoadPlan:
    run, layout = kinds.get_import(session, run_id), kinds.get_layout(session, run_id)
    first_id = (layout.first_record_id or 0) + chunk.first_ordinal
    record_ids = range(first_id, first_id + chunk.records)
    given = allotment.allot(session, run, chunk.first_ordinal, chunk.records)
    given = given.of_records(record_ids, [None] * chunk.records)
    named = users.get_all(session, {run.owner_id, *given.owner_ids})
    moment = now()
    return LoadPlan(
        run=run,
        chunk=chunk,
        layout=layout,
        moment=moment,
        moment_text=bulk.format_moment(session, moment),
        record_ids=record_ids,
        allotment=given,
        pool=format_cell(named[run.owner_id].name) if run.turns else "",
        emails={user_id: format_cell(user.email) for user_id, user in named.items()},
    )


def _read(plan: LoadPlan, part: bytes, reader: RowReader) -> tuple[list[str], list[StoredRow]]:
    """The receipt's line for each row of the part, and the values of each good row."""
    receipt: list[str] = []
    rows: list[StoredRow] = []
    record_type = plan.run.record_type.value
    creator = plan.run.actor_id
    moment = plan.moment_text
    pool_id = plan.allotment.pool_id
    # A changed file may have more rows than the scan has seen: the caller counts, and refuses them.
    beyond = repeat((0, None, plan.run.owner_id))
    given = zip(plan.record_ids, plan.allotment.turns, plan.allotment.owner_ids, strict=True)
    places = chain(given, beyond)
    lines = split_lines(part)
    for line, row in check_rows(lines, plan.layout.delimiter, plan.chunk.first_line, reader):
        if isinstance(row, RowError):
            receipt.append(format_error_line(line, record_type, row.field, row.reason))
            continue
        record_id, turn, owner = next(places)
        *values, tags, custom = reader.convert(row)
        json = orjson.dumps(tags).decode(), orjson.dumps(custom).decode()
        rows.append((record_id, owner, creator, pool_id, turn, moment, moment, *values, *json))
        receipt.append(
            format_record_line(
                line, record_type, record_id, plan.pool, turn or "", plan.emails[owner]
            )
        )
    return receipt, rows


def _register_labels(
    system: System, plan: LoadPlan, reader: RowReader, rows: list[StoredRow]
) -> None:
    """Lists the sources, statuses and tags that the rows bear. This takes a transaction of its own:
    chunks that are loaded side by side bear the same ones, and would wait for each other."""
    at = {field: place for place, field in enumerate(reader.fields, len(RECORD_COLUMNS))}
    names = {
        kind: {row[at[kind]] for row in rows} - {None}
        for kind in (labels.SOURCE, labels.STATUS)
        if kind in at
    }
    tags = {tag for text in {row[at[TAGS]] for row in rows} for tag in orjson.loads(text)}
    if tags or any(names.values()):
        system.transact(
            labels.register, plan.run.record_type, {**names, labels.TAG: tags}, plan.run.actor_id
        )


def _enter(unit: Unit, run: Run, chunk: Chunk, loaded: LoadedRows) -> ChunkResult:
    if loaded.rows:
        bulk.insert(unit, RECORDS[run.record_type], loaded.columns, loaded.rows)
    enter(unit, loaded.plan.allotment, loaded.plan.moment)
    return ChunkResult(len(loaded.rows))


LOAD = ChunkWork(_prepare, _enter)
