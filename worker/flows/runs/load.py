"""One chunk of an import: its part of the file becomes records and ledger entries, in one
transaction that is safe to run twice."""

import io
from datetime import datetime
from itertools import chain, repeat
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.domain.files.rows import Columns, RowError, RowReader
from worker.domain.files.sheets import check_rows, lines_of
from worker.domain.records.fields import TAGS
from worker.domain.runs.chunks import Chunk
from worker.domain.runs.receipts import cell, error_line, record_line
from worker.domain.turns.allotment import Allotment
from worker.errors.runs import UnreadableFile
from worker.flows.leases import LEASE_SECONDS, on_lease
from worker.flows.runs import allotment
from worker.flows.runs.imports import UPLOAD, part_name
from worker.flows.system import System
from worker.flows.turns.enter import enter
from worker.queue import enqueue
from worker.store.people import users
from worker.store.records import labels
from worker.store.runs import chunks, imports, runs
from worker.store.sql import bulk
from worker.store.sql.clock import now
from worker.store.tables import RECORDS

RECORD_COLUMNS = ("id", "owner_id", "creator_id", "pool_id", "turn", "created_at", "updated_at")

Stored = tuple[Any, ...]


class Plan(NamedTuple):
    """All that loading a chunk needs to know, read in one transaction."""

    run: Row[Any]
    chunk: Chunk
    moment: datetime
    moment_text: str
    """The same as the database keeps it."""
    record_ids: range
    allotment: Allotment
    pool: str
    emails: dict[int, str]
    """Like the pool's name, as cells of the receipt."""


def load_chunk(system: System, run_id: int, number: int, holder: str) -> None:
    """Loads a chunk, unless it is loaded already or somebody else is on it. Ids, turns and owners
    were settled when the run reserved them, so that it comes out the same whoever loads it, and
    however often. The holder is whose lease it is: the same task, delivered again, goes on at once.
    """
    plan = system.transact(_plan, run_id, number, holder)
    if plan is not None:
        with on_lease(system, chunks.work(run_id, number), holder):
            _load(system, plan)


def _load(system: System, plan: Plan) -> None:
    part = system.uploads.read_part(
        f"{plan.run.folder}/{UPLOAD}", plan.chunk.offset, plan.chunk.length
    )
    reader = RowReader(plan.run.record_type, Columns(**plan.run.columns))
    receipt, rows = _read(plan, part, reader)
    if (len(receipt), len(rows)) != (plan.chunk.rows, plan.chunk.records):
        raise UnreadableFile(
            reason=f"chunk {plan.chunk.number} is not what it was when it was scanned."
        )
    system.uploads.store(
        part_name(plan.run.folder, plan.chunk.number), io.BytesIO("".join(receipt).encode())
    )
    _register(system, plan, reader, rows)
    system.transact(_enter, plan, reader, rows)


def _plan(session: Session, run_id: int, number: int, holder: str) -> Plan | None:
    run = imports.with_id(session, run_id)
    leased = (
        chunks.lease(session, run_id, number, holder, LEASE_SECONDS)
        if run.state == "loading"
        else None
    )
    if leased is None:
        return None
    chunk = Chunk(*(getattr(leased, name) for name in Chunk._fields))
    first_id = (run.first_record_id or 0) + chunk.first_ordinal
    record_ids = range(first_id, first_id + chunk.records)
    given = allotment.allot(session, run, chunk.first_ordinal, chunk.records)
    given = given.of_records(record_ids, [None] * chunk.records)
    named = users.by_id(session, {run.owner_id, *given.owner_ids})
    pool = cell(named[run.owner_id].name) if run.turns else ""
    emails = {user_id: cell(user.email) for user_id, user in named.items()}
    moment = now()
    text = bulk.moment_text(session, moment)
    return Plan(run, chunk, moment, text, record_ids, given, pool, emails)


def _read(plan: Plan, part: bytes, reader: RowReader) -> tuple[list[str], list[Stored]]:
    """The receipt's line for each row of the part, and what is stored of each good one: the system
    columns, then its own."""
    receipt: list[str] = []
    rows: list[Stored] = []
    record_type, creator, moment = plan.run.record_type, plan.run.actor_id, plan.moment_text
    beyond = repeat(
        (0, None, plan.run.owner_id)
    )  # rows that the scan hasn't seen: the caller counts, and refuses them
    own = plan.allotment
    given = chain(zip(plan.record_ids, own.turns, own.owner_ids, strict=True), beyond)
    for line, row in check_rows(lines_of(part), plan.run.delimiter, plan.chunk.first_line, reader):
        if isinstance(row, RowError):
            receipt.append(error_line(line, record_type, row.field, row.reason))
            continue
        record_id, turn, owner = next(given)
        *values, tags, custom = reader.values(row)
        json = orjson.dumps(tags).decode(), orjson.dumps(custom).decode()
        rows.append((record_id, owner, creator, own.pool_id, turn, moment, moment, *values, *json))
        receipt.append(
            record_line(line, record_type, record_id, plan.pool, turn or "", plan.emails[owner])
        )
    return receipt, rows


def _register(system: System, plan: Plan, reader: RowReader, rows: list[Stored]) -> None:
    """The names that the rows bear are listed from now on. In a transaction of its own: chunks that
    are loaded side by side bear the same ones, and would wait for each other."""
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


def _enter(session: Session, plan: Plan, reader: RowReader, rows: list[Stored]) -> None:
    """A run that was cancelled meanwhile is left as it is: its turns may be others' by now."""
    if runs.lock_shared(session, plan.run.id) != "loading" or not chunks.finish(
        session, plan.run.id, plan.chunk.number
    ):
        return
    if rows:
        bulk.insert(session, RECORDS[plan.run.record_type], (*RECORD_COLUMNS, *reader.fields), rows)
    enter(session, plan.allotment, plan.moment)
    if runs.count_chunk(session, plan.run.id, len(rows)) == 0:
        enqueue(session, "imports.close", run=plan.run.id)
