"""A reassignment: a smart list is frozen in its order, one block of turns reserved for it, its
chunks moved side by side, each as one set. The turns of records that were given to others
meanwhile, or are gone, come back."""

from functools import partial

from sqlalchemy.orm import Session

from worker.domain.filters import RecordList, parse
from worker.domain.runs.chunks import Chunk, cut
from worker.domain.runs.record_ids import RecordIds, check_ids
from worker.domain.runs.runs import RUN_TASKS, RunKind, RunState
from worker.errors.records import UnknownRecord
from worker.flows.runs import allotment, scans
from worker.flows.runs.chunks import ChunkResult, ChunkWork, carry_out, prepare_nothing
from worker.flows.runs.closing import end_run
from worker.flows.system import System
from worker.flows.turns import assign, seed
from worker.flows.turns.enter import enter
from worker.flows.unit import Unit
from worker.queue import enqueue
from worker.store.intake import captures
from worker.store.lists import smart_lists
from worker.store.people import users
from worker.store.runs import kinds, runs, selections
from worker.store.runs.kinds import Reassignment
from worker.store.runs.runs import Run
from worker.store.runs.selections import RecordQuery, SelectionPart
from worker.store.sql import advisory_locks
from worker.store.sql.advisory_locks import LockKind
from worker.store.sql.clock import now


def accept(
    session: Session, wanted: RecordList | RecordIds, owner_id: int, actor_id: int | None
) -> int:
    """The id of a new run, which workers carry on. Raises what `query` and `assign.check_owner`
    do."""
    query(session, wanted)  # only for its errors: workers ask again
    owner = users.get(session, owner_id)
    assign.check_owner(session, owner, wanted.record_type)
    run_id = runs.add(session, RunKind.REASSIGN, wanted.record_type, owner_id, actor_id)
    if isinstance(wanted, RecordIds):
        kinds.add_reassignment_of_ids(session, run_id, wanted.ids)
    else:
        kinds.add_reassignment_of_list(session, run_id, wanted.name, wanted.filter, wanted.order)
    enqueue(session, RUN_TASKS[RunKind.REASSIGN].scan, run=run_id)
    return run_id


def query(session: Session, wanted: RecordList | RecordIds) -> RecordQuery:
    """The query for the wanted records, in their order. Raises what `check_ids` and
    `filters.condition` do, and UnknownRecord for an id that no record has."""
    if isinstance(wanted, RecordList):
        asked = parse(wanted.record_type, wanted.filter)
        found = smart_lists.select_matching(session, wanted.record_type, asked, wanted.order)
        return RecordQuery(found, smart_lists.order_by(wanted.record_type, wanted.order))
    check_ids(wanted)
    missing = selections.find_missing(session, wanted)
    if missing is not None:
        raise UnknownRecord(record_type=wanted.record_type, record_id=missing)
    return selections.query_ids(session, wanted)


# --- freezing ---


def freeze(system: System, run_id: int, holder: str) -> None:
    """Keeps the ids of the list in its order, and how each record was; then reserves the turns, and
    enqueues the chunks."""
    scans.carry_out(system, run_id, holder, partial(_freeze, system, run_id))


def _freeze(system: System, run_id: int) -> None:
    system.transact(_select, run_id)
    system.transact(_end_scan, run_id)


def _select(session: Session, run_id: int) -> None:
    """This takes a transaction of its own, which locks no pool: it may last a while."""
    advisory_locks.lock_exclusive(session, LockKind.RUN, run_id)
    run = kinds.get_reassignment(session, run_id)
    if run.state == RunState.SCANNING:
        selections.freeze(session, run_id, _query_again(session, run))


def _query_again(session: Session, run: Reassignment) -> RecordQuery:
    """The query that a run was accepted with. Ids of records that are gone by now are left out."""
    if run.ids is not None:
        return selections.query_ids(session, RecordIds(run.record_type, run.ids))
    wanted = RecordList(run.list or "", run.record_type, dict(run.filter or {}), run.order or "")
    return query(session, wanted)


def _end_scan(unit: Unit, run_id: int) -> None:
    run = scans.lock_scanned(unit, run_id)
    if run is None:
        return
    records = selections.count(unit, run_id)
    turns = scans.reserve_turns(unit, run, records)
    scans.end(unit, run, list(cut(records)), rows=records, turns=turns)


# --- moving ---


def move(system: System, run_id: int, number: int, holder: str) -> None:
    """Gives the records of a chunk to their new owners. Their turns were settled when the run
    reserved them."""
    carry_out(system, run_id, number, holder, MOVE)


def _move(unit: Unit, run: Run, chunk: Chunk, _: None) -> ChunkResult:
    part = SelectionPart(run.id, run.record_type, chunk.first_ordinal, chunk.records)
    moment = now()
    unchanged = selections.lock_unchanged(unit, part)
    record_ids = [record.record_id for record in unchanged]
    given = allotment.allot(unit, run, part.first, part.records)
    given = given.only([record.ordinal for record in unchanged])
    given = given.of_records(record_ids, [record.owner_id for record in unchanged])
    enter(unit, given, moment, run.record_type)
    # Workers that assign captured leads lock the records before the line, too.
    if waited := selections.find_waiting_leads(unit, part).intersection(record_ids):
        captures.remove(unit, waited)
    if len(unchanged) < part.records:
        selections.skip_all_but(unit, part, given.ordinals)
    return ChunkResult(len(unchanged), part.records - len(unchanged))


MOVE = ChunkWork(prepare_nothing, _move)


# --- closing ---


def close(system: System, run_id: int) -> None:
    """Ends a reassignment whose chunks are all done, or that was cancelled."""
    system.transact(end_run, run_id, _return_unused)


def _return_unused(unit: Unit, run: Run) -> int:
    """Returns the turns of the records that the run has left as they were. A run that was cancelled
    has returned its turns then."""
    if run.state == RunState.CANCELLED:
        return run.returned
    if not run.turns or not run.skipped:
        return 0
    reason = f"run {run.id} has left {run.skipped} records as they were"
    seed.seed_again(unit, run.owner_id, reason)
    return run.skipped
