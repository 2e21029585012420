"""An undo: what an import or a reassignment has done is taken back, chunk by chunk, but for records
that somebody has touched since.

Its entries are noted as taken back. The turns stay spent, or in the end come back to the members as
returned turns.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.domain.runs.chunks import Slice
from worker.domain.runs.runs import IMPORT, UNDO
from worker.domain.turns.claims import run_claim
from worker.errors.runs import NotUndoable, UnknownRun
from worker.flows.runs import allotment, scans
from worker.flows.runs.chunk import ChunkResult, carry_out
from worker.flows.system import System
from worker.flows.turns import seed
from worker.flows.unit import Unit
from worker.queue import enqueue
from worker.store.intake import captures
from worker.store.records import records
from worker.store.records.records import OWNED
from worker.store.runs import chunks, imports, reversals, runs, selections, undos
from worker.store.runs.selections import Part, Place
from worker.store.runs.undos import Done
from worker.store.sql import advisory_locks
from worker.store.sql.advisory_locks import Kind
from worker.store.sql.clock import shared_now
from worker.store.turns import ledger, pools


def accept(
    session: Session, run_id: int, actor_id: int | None, *, returns_turns: bool = False
) -> int:
    """The id of the run that undoes another: of a new one, or of the one that does so already."""
    undone = runs.lock_exclusive(session, run_id)
    if undone is None:
        raise UnknownRun(run_id=run_id)
    if undone.kind == UNDO:
        raise NotUndoable(run_id=run_id, reason="it is an undo itself")
    if undone.state == "failed" and undone.chunks_left is None:
        raise NotUndoable(run_id=run_id, reason="it has failed before it did anything")
    if undone.state not in ("done", "cancelled") or undone.ended_at is None:
        raise NotUndoable(
            run_id=run_id,
            reason=f"it is {undone.state}; cancel it first, or wait until it has ended",
        )
    present = undos.of_run(session, run_id)
    if present is not None:
        return present
    undo_id = runs.add(session, UNDO, undone.record_type, undone.owner_id, actor_id)
    undos.add(session, undo_id, run_id, returns_turns=returns_turns)
    enqueue(session, "undos.scan", run=undo_id)
    return undo_id


def scan(system: System, run_id: int, holder: str) -> None:
    """Cuts the undo into the chunks that the other run has done."""
    scans.carry_out(system, run_id, holder, lambda _: system.transact(_cut, run_id))


def _cut(session: Session, run_id: int) -> None:
    advisory_locks.exclusive(session, Kind.RUN, run_id)
    undo = undos.with_id(session, run_id)
    if undo.state != "scanning":
        return
    parts = [
        Slice(number, done.first_ordinal, done.records, done.records - done.left_alone)
        for number, done in enumerate(undos.chunks_left(session, undo.undone_run_id))
    ]
    chunks.add(session, run_id, (part._asdict() for part in parts))
    scans.end(session, undo, len(parts), rows=sum(part.records for part in parts))


def take_back(system: System, run_id: int, number: int, holder: str) -> None:
    """Takes back a chunk."""
    carry_out(system, run_id, number, holder, _take_back)


def _take_back(session: Session, run: Row[Any], chunk: Row[Any]) -> ChunkResult:
    undo, moment = undos.with_id(session, run.id), shared_now(session)
    undone = runs.with_id(session, undo.undone_run_id)
    before = _places(session, undone, chunk)
    done = _done(session, undone, chunk, before)
    intact = done.allotment.only(undos.lock_intact(session, done))
    places = [before[ordinal] for ordinal in intact.ordinals]
    if undone.kind == IMPORT:
        undos.remove(session, run.record_type, [place.record_id for place in places], moment)
    else:
        _give_back(session, run.record_type, places, moment)
    if intact.pool_id:
        reversals.add(
            session,
            run.id,
            intact.pool_id,
            run_claim(undone.kind, undone.id),
            intact.ordinals,
            moment,
        )
    if len(places) < chunk.records:
        undos.skip_all_but(session, run.id, done, intact.ordinals)
    return ChunkResult(len(places), chunk.records - len(places))


def _places(session: Session, undone: Row[Any], chunk: Row[Any]) -> dict[int, Place]:
    """The records of a chunk by ordinal, but for those that the run has left alone itself. Those of
    an import belonged to nobody before."""
    first, last = chunk.first_ordinal, chunk.first_ordinal + chunk.rows - 1
    if undone.kind == IMPORT:
        first_id = imports.with_id(session, undone.id).first_record_id
        return {
            ordinal: Place(ordinal, first_id + ordinal, 0, None, None, None)
            for ordinal in range(first, last + 1)
        }
    left = undos.skipped_between(session, undone.id, first, last) if undone.skipped else ()
    places = selections.places(session, Part(undone.id, undone.record_type, first, chunk.rows))
    return {place.ordinal: place for place in places if place.ordinal not in left}


def _done(session: Session, undone: Row[Any], chunk: Row[Any], places: Mapping[int, Place]) -> Done:
    """What the run has done to them."""
    given = allotment.allot(session, undone, chunk.first_ordinal, chunk.rows).only(list(places))
    given = given.of_records(
        [place.record_id for place in places.values()],
        [place.owner_id for place in places.values()],
    )
    at = undos.done_at(session, undone.id, chunk.first_ordinal)
    return Done(undone.record_type, given, at)


def _give_back(
    session: Session, record_type: str, places: Sequence[Place], moment: datetime
) -> None:
    """The records go back to whom they belonged; leads that waited for a pool's next member wait
    again."""
    _, *columns = zip(*places, strict=True) if places else ((),) * len(Place._fields)
    before = dict(zip(("record_id", *OWNED), columns, strict=True))
    records.set_owners(session, record_type, before, moment)
    for pool_id in pools.among(session, {place.owner_id for place in places}):
        waiting = [place.record_id for place in places if place.owner_id == pool_id]
        captures.put_back(session, waiting, pool_id)
        enqueue(session, "captures.assign", lead=max(waiting))


def close(system: System, run_id: int) -> None:
    """Ends an undo all of whose chunks are done, or that was cancelled. Now its turns come back, if
    that was asked for."""
    system.transact(_end, run_id)


def _end(unit: Unit, run_id: int) -> None:
    run = runs.lock(unit, run_id)
    if run is None or run.ended_at is not None:
        return
    if run.state == "cancelled" or (run.state == "loading" and run.chunks_left == 0):
        undo = undos.with_id(unit, run_id)
        returned = _return_turns(unit, undo) if undo.returns_turns else 0
        runs.end(
            unit, run_id, "cancelled" if run.state == "cancelled" else "done", returned=returned
        )


def _return_turns(unit: Unit, undo: Row[Any]) -> int:
    """Frees the turns of what the undo has taken back, for seeding to find them: also those below
    the watermark. Returns how many."""
    freed, pool_id = reversals.count(unit, undo.id), undo.owner_id
    if not freed:
        return 0
    claim = run_claim(runs.with_id(unit, undo.undone_run_id).kind, undo.undone_run_id)
    theirs = reversals.taken_back(unit, pool_id, claim, undo.id)
    with unit.begin_nested() as noted:
        reversals.note_in_history(
            unit, theirs
        )  # most of the work, before the pool is held: nobody else moves these entries
        pool = pools.lock(unit, pool_id)
        if pool.deleted_at is not None:
            noted.rollback()
            return 0
    reversals.free(unit, theirs)
    lowest = min((span.first for span in ledger.block(unit, pool_id, claim) or ()), default=1)
    pools.change(unit, pool_id, watermark=min(pool.watermark, lowest - 1))
    seed.seed_again(
        unit, pool_id, f"run {undo.undone_run_id} was undone, and its turns are to come back"
    )
    return freed
