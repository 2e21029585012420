"""One chunk of an import: its part of the file becomes records and ledger entries, in one transaction that is safe to run twice."""

import io
from collections.abc import Iterator
from itertools import repeat
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.domain.chunks import Chunk
from worker.domain.claims import import_claim
from worker.domain.receipts import Line, inert, render
from worker.domain.rows import Columns, RowError, RowReader
from worker.domain.sheets import check_rows, lines_of
from worker.domain.turns import Turns
from worker.errors import UnreadableFile
from worker.flows.imports import UPLOAD, part_name
from worker.flows.system import System
from worker.queue import enqueue
from worker.store import bulk, imports, ledger, pools, runs, users
from worker.store.clock import now
from worker.store.tables import RECORDS
from worker.store.tables import ledger as ledger_table

RECORD_COLUMNS = ("id", "owner_id", "creator_id", "pool_id", "turn", "created_at", "updated_at")
ENTRY_COLUMNS = ("pool_id", "turn", "claim", "ordinal", "record_id", "user_id", "cause", "actor_id", "at")

LEASE_SECONDS = 20.0
"""After so long without a result the chunk is given to another worker."""


class Plan(NamedTuple):
    """All that loading a chunk needs to know, read in one transaction."""

    run: Row[Any]
    chunk: Chunk
    moment: str
    turns: list[int] | None
    """Of each good row, if a pool gives it its owner."""
    owners: list[int]
    pool: str | None
    emails: dict[int, str]

    @property
    def record_ids(self) -> range:
        first = self.run.first_record_id + self.chunk.first_ordinal
        return range(first, first + self.chunk.records)

    @property
    def ordinals(self) -> range:
        return range(self.chunk.first_ordinal, self.chunk.first_ordinal + self.chunk.records)


def load_chunk(system: System, run_id: int, number: int) -> None:
    """Loads a chunk, unless it is loaded already. Ids, turns and owners were settled when the run reserved them, so that it comes out
    the same whoever loads it, and however often."""
    plan = system.transact(lambda session: _plan(session, run_id, number))
    if plan is None:
        return
    part = system.uploads.read_part(f"{plan.run.folder}/{UPLOAD}", plan.chunk.offset, plan.chunk.length)
    reader = RowReader(plan.run.record_type, Columns(**plan.run.columns))
    checked = list(check_rows(lines_of(part), plan.run.delimiter, plan.chunk.first_line, reader))
    good = [row for _, row in checked if not isinstance(row, RowError)]
    if (len(checked), len(good)) != (plan.chunk.rows, plan.chunk.records):
        raise UnreadableFile(reason=f"chunk {number} is not what it was when it was scanned.")
    system.uploads.store(part_name(plan.run.folder, number), io.BytesIO(_receipt(plan, checked).encode()))
    rows = list(_rows(plan, reader, good))
    system.transact(lambda session: _enter(session, plan, reader, rows))


def _plan(session: Session, run_id: int, number: int) -> Plan | None:
    run = imports.with_id(session, run_id)
    chunk = imports.lease(session, run_id, number, LEASE_SECONDS) if run.state == "loading" else None
    if chunk is None:
        return None
    turns, owners, pool = None, [run.owner_id] * chunk.records, None
    if run.turns and chunk.records:
        reserved = ledger.block(session, run.owner_id, import_claim(run_id)) or Turns()
        mine = reserved.slice(chunk.first_ordinal, chunk.records)
        rosters = pools.rosters_between(session, run.owner_id, min(mine).first, max(mine).last)
        turns, owners = list(mine.each()), list(rosters.owners(mine))
    named = users.by_id(session, {run.owner_id, *owners})
    if run.turns:
        pool = inert(named[run.owner_id].name)
    emails = {user_id: inert(user.email) for user_id, user in named.items()}
    return Plan(run, chunk, bulk.moment_text(session, now()), turns, owners, pool, emails)


def _rows(plan: Plan, reader: RowReader, good: list[list[str]]) -> Iterator[tuple[Any, ...]]:
    """What is stored of each good row: the system columns, then its own."""
    creator, pool_id = plan.run.actor_id, plan.run.owner_id if plan.turns else None
    for record_id, owner, turn, row in zip(plan.record_ids, plan.owners, plan.turns or repeat(None), good, strict=False):
        *values, tags, custom = reader.values(row)
        json = orjson.dumps(tags).decode(), orjson.dumps(custom).decode()
        yield record_id, owner, creator, pool_id, turn, plan.moment, plan.moment, *values, *json


def _entries(plan: Plan) -> Iterator[tuple[Any, ...]]:
    common = repeat("import"), repeat(plan.run.actor_id), repeat(plan.moment)
    claim = repeat(import_claim(plan.run.id))
    return zip(repeat(plan.run.owner_id), plan.turns or (), claim, plan.ordinals, plan.record_ids, plan.owners, *common, strict=False)


def _receipt(plan: Plan, checked: list[tuple[int, list[str] | RowError]]) -> str:
    given = zip(plan.record_ids, repeat(plan.pool), plan.turns or repeat(None), plan.owners, strict=False)
    return render(_receipt_line(plan, line, row, given) for line, row in checked)


def _receipt_line(plan: Plan, line: int, row: list[str] | RowError, given: Iterator[tuple[int, str | None, int | None, int]]) -> Line:
    if isinstance(row, RowError):
        return Line(line, plan.run.record_type, error=inert(f"{row.field}: {row.reason}" if row.field else row.reason))
    record_id, pool, turn, owner = next(given)
    return Line(line, plan.run.record_type, record_id, pool, turn, plan.emails[owner])


def _enter(session: Session, plan: Plan, reader: RowReader, rows: list[tuple[Any, ...]]) -> None:
    if not imports.finish(session, plan.run.id, plan.chunk.number):
        return
    if rows:
        bulk.insert(session, RECORDS[plan.run.record_type], (*RECORD_COLUMNS, *reader.fields), rows)
    if plan.turns:
        bulk.insert(session, ledger_table, ENTRY_COLUMNS, _entries(plan))
    if runs.count_chunk(session, plan.run.id, len(rows)) == 0:
        enqueue(session, "imports.close", run=plan.run.id)
