"""An undo: what an import or a reassignment has done is taken back, chunk by chunk, but for records
that somebody has touched since.

Its entries are noted as taken back. The turns stay spent, or in the end come back to the members as
returned turns.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from worker.domain.records.record_type import RecordType
from worker.domain.runs.chunks import Chunk
from worker.domain.runs.runs import RUN_TASKS, RunKind, RunState
from worker.domain.turns.allotment import OwnerColumns
from worker.domain.turns.claims import name_run_claim
from worker.errors.runs import NotUndoable
from worker.flows.runs import allotment, scans
from worker.flows.runs.chunks import ChunkResult, ChunkWork, carry_out, prepare_nothing
from worker.flows.runs.closing import end_run
from worker.flows.runs.locks import lock_known_run
from worker.flows.system import System
from worker.flows.turns import seed
from worker.flows.unit import Unit
from worker.queue import enqueue
from worker.store.intake import captures
from worker.store.records import records
from worker.store.runs import kinds, reversals, runs, selections, undos
from worker.store.runs.kinds import Undo
from worker.store.runs.runs import Run
from worker.store.runs.selections import SelectedRecord, SelectionPart
from worker.store.runs.undos import DoneChunk
from worker.store.sql.clock import shared_now
from worker.store.turns import ledger, pools

# --- accepting ---


def accept(
    session: Session, run_id: int, actor_id: int | None, *, returns_turns: bool = False
) -> int:
    """The id of the run that undoes another: of a new one, or of the one that does so already.
    Raises UnknownRun, NotUndoable."""
    undone = lock_known_run(session, run_id)
    _check_undoable(undone)
    present = kinds.find_undo_of(session, run_id)
    if present is not None:
        return present
    undo_id = runs.add(session, RunKind.UNDO, undone.record_type, undone.owner_id, actor_id)
    kinds.add_undo(session, undo_id, run_id, returns_turns=returns_turns)
    enqueue(session, RUN_TASKS[RunKind.UNDO].scan, run=undo_id)
    return undo_id


def _check_undoable(run: Run) -> None:
    if run.kind == RunKind.UNDO:
        raise NotUndoable(run_id=run.id, reason="it is an undo itself")
    if run.state == RunState.FAILED and run.chunks_left is None:
        raise NotUndoable(run_id=run.id, reason="it has failed before it did anything")
    if run.state not in (RunState.DONE, RunState.CANCELLED) or run.ended_at is None:
        reason = f"it is {run.state}; cancel it first, or wait until it has ended"
        raise NotUndoable(run_id=run.id, reason=reason)


# --- scanning ---


def scan(system: System, run_id: int, holder: str) -> None:
    """Cuts the undo into the chunks that the other run has done."""
    scans.carry_out(system, run_id, holder, partial(system.transact, _cut, run_id))


def _cut(session: Session, run_id: int) -> None:
    run = scans.lock_scanned(session, run_id)
    if run is None:
        return
    cut = undos.cut(session, kinds.get_undo(session, run_id).undone_run_id)
    scans.end(session, run, cut, rows=sum(chunk.records for chunk in cut))


# --- taking back ---


def take_back(system: System, run_id: int, number: int, holder: str) -> None:
    """Takes back a chunk."""
    carry_out(system, run_id, number, holder, TAKE_BACK)


def _take_back(unit: Unit, run: Run, chunk: Chunk, _: None) -> ChunkResult:
    moment = shared_now(unit)
    undone = runs.get(unit, kinds.get_undo(unit, run.id).undone_run_id)
    before = _read_before(unit, undone, chunk)
    done = _read_done(unit, undone, chunk, before)
    intact = done.allotment.only(undos.lock_intact(unit, done))
    given_back = [before[ordinal] for ordinal in intact.ordinals]
    if undone.kind == RunKind.IMPORT:
        undos.remove(unit, run.record_type, [record.record_id for record in given_back], moment)
    else:
        _give_back(unit, run.record_type, given_back, moment)
    if intact.pool_id:
        claim = name_run_claim(undone.kind, undone.id)
        reversals.add(unit, run.id, intact.pool_id, claim, intact.ordinals, moment)
    if len(given_back) < chunk.records:
        undos.skip_all_but(unit, run.id, done, intact.ordinals)
    return ChunkResult(len(given_back), chunk.records - len(given_back))


def _read_before(session: Session, undone: Run, chunk: Chunk) -> dict[int, SelectedRecord]:
    """The records that the run has changed, by ordinal, as they were before. Those of an import
    belonged to nobody."""
    first, last = chunk.first_ordinal, chunk.first_ordinal + chunk.rows - 1
    if undone.kind == RunKind.IMPORT:
        first_id = kinds.get_import(session, undone.id).first_record_id or 0
        return {
            ordinal: SelectedRecord(ordinal, first_id + ordinal, 0, None, None, None)
            for ordinal in range(first, last + 1)
        }
    left = undos.find_skipped(session, undone.id, first, last) if undone.skipped else ()
    part = SelectionPart(undone.id, undone.record_type, first, chunk.rows)
    selected = selections.read(session, part)
    return {record.ordinal: record for record in selected if record.ordinal not in left}


def _read_done(
    session: Session, undone: Run, chunk: Chunk, before: Mapping[int, SelectedRecord]
) -> DoneChunk:
    """What the run has done to these records."""
    given = allotment.allot(session, undone, chunk.first_ordinal, chunk.rows).only(list(before))
    given = given.of_records(
        [record.record_id for record in before.values()],
        [record.owner_id for record in before.values()],
    )
    at = undos.find_done_at(session, undone.id, chunk.first_ordinal)
    return DoneChunk(undone.record_type, given, at)


def _give_back(
    session: Session, record_type: RecordType, before: Sequence[SelectedRecord], moment: datetime
) -> None:
    """Gives records back to their owners from before. Leads that waited for a pool's next member
    wait again."""
    owners: OwnerColumns = {
        "record_id": [record.record_id for record in before],
        "owner_id": [record.owner_id for record in before],
        "pool_id": [record.pool_id for record in before],
        "turn": [record.turn for record in before],
        "given_by": [record.given_by for record in before],
    }
    records.set_owners(session, record_type, owners, moment)
    for pool_id in pools.keep_pools(session, {record.owner_id for record in before}):
        waiting = [record.record_id for record in before if record.owner_id == pool_id]
        captures.put_back(session, waiting, pool_id)
        enqueue(session, "captures.assign", lead=max(waiting))


TAKE_BACK = ChunkWork(prepare_nothing, _take_back)


# --- closing ---


def close(system: System, run_id: int) -> None:
    """Ends an undo whose chunks are all done, or that was cancelled."""
    system.transact(end_run, run_id, _return_turns)


def _return_turns(unit: Unit, run: Run) -> int:
    """Returns the turns of what the undo has taken back, if that was asked for."""
    undo = kinds.get_undo(unit, run.id)
    freed = reversals.count(unit, run.id) if undo.returns_turns else 0
    return freed if freed and _free_turns(unit, undo) else 0


def _free_turns(unit: Unit, undo: Undo) -> bool:
    """Frees turns for the seeding to find them, also below the watermark. False if the pool is
    gone."""
    undone_id, pool_id = undo.undone_run_id, undo.owner_id
    claim = name_run_claim(runs.get(unit, undone_id).kind, undone_id)
    theirs = reversals.taken_back(unit, pool_id, claim, undo.id)
    with unit.begin_nested() as noted:
        # This is most of the work, and it comes before the pool is locked: nobody else moves these
        # entries.
        reversals.copy_to_history(unit, theirs)
        pool = pools.lock_exclusive(unit, pool_id)
        if pool.deleted_at is not None:
            noted.rollback()
            return False
    reversals.remove_entries(unit, theirs)
    lowest = min((span.first for span in ledger.find_block(unit, pool_id, claim) or ()), default=1)
    pools.set_watermark(unit, pool_id, min(pool.watermark, lowest - 1))
    reason = f"run {undone_id} was undone, and its turns are to come back"
    seed.seed_again(unit, pool_id, reason)
    return True
