"""A reassignment: a smart list is frozen in its order, one block of turns reserved for it, its
chunks moved side by side, each as one set; the turns of records that were given to others
meanwhile, or are gone, come back."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.domain.filters import as_json, parse
from worker.domain.runs.chunks import cut
from worker.domain.runs.record_ids import check_ids
from worker.domain.runs.runs import REASSIGN
from worker.domain.turns.claims import run_claim
from worker.errors.records import UnknownRecord
from worker.flows.names import owner_named
from worker.flows.records.lists import SmartList
from worker.flows.runs import allotment, scans
from worker.flows.runs.chunk import ChunkResult, carry_out
from worker.flows.system import System
from worker.flows.turns import assign, seed
from worker.flows.turns.enter import enter
from worker.flows.unit import Unit
from worker.queue import enqueue
from worker.store.intake import captures
from worker.store.lists import smart_lists
from worker.store.people import users
from worker.store.runs import chunks, reassignments, runs, selections
from worker.store.runs.selections import Part, RecordQuery
from worker.store.sql import advisory_locks
from worker.store.sql.advisory_locks import Kind
from worker.store.sql.clock import now
from worker.store.turns import ledger


class Ids(NamedTuple):
    """Records by their ids, in the order in which they are to be given."""

    record_type: str
    ids: Sequence[int]


def accept(session: Session, wanted: SmartList | Ids, owner: str, actor_id: int | None) -> int:
    """The id of a new run, which workers carry on. What can be known to be wrong now is raised now."""
    chosen(session, wanted)
    named = owner_named(session, owner)
    assign.check_owner(session, named, wanted.record_type)
    run_id = runs.add(session, REASSIGN, wanted.record_type, named.id, actor_id)
    if isinstance(wanted, Ids):
        reassignments.add(session, run_id, ids=list(wanted.ids), ids_count=len(wanted.ids))
    else:
        reassignments.add(
            session, run_id, list=wanted.name, filter=as_json(wanted.filter), order=wanted.order
        )
    enqueue(session, "reassignments.freeze", run=run_id)
    return run_id


def chosen(session: Session, wanted: SmartList | Ids) -> RecordQuery:
    """The records that are wanted, and their order. Raises what `check_ids` does, UnknownRecord for
    an id that is nobody's, and what `filters.condition` does."""
    if isinstance(wanted, SmartList):
        found = smart_lists.matching(session, wanted.record_type, wanted.filter, wanted.order)
        return RecordQuery(found, smart_lists.order_by(wanted.record_type, wanted.order))
    check_ids(wanted.record_type, wanted.ids)
    missing = selections.first_missing(session, wanted.record_type, wanted.ids)
    if missing is not None:
        raise UnknownRecord(record_type=wanted.record_type, record_id=missing)
    return selections.with_ids(session, wanted.record_type, wanted.ids)


# --- freezing ---


def freeze(system: System, run_id: int, holder: str) -> None:
    """Keeps the ids of the list in its order, and how each record was; then its turns are reserved,
    and its chunks enqueued."""
    scans.carry_out(system, run_id, holder, lambda run: _freeze(system, run))


def _freeze(system: System, run: Row[Any]) -> None:
    system.transact(_select, run.id)
    system.transact(_reserve, run.id)


def _select(session: Session, run_id: int) -> None:
    """In a transaction of its own, which holds no pool: it may take a while."""
    advisory_locks.exclusive(session, Kind.RUN, run_id)
    run = reassignments.with_id(session, run_id)
    if run.state != "scanning":
        return
    by_list = run.ids is None
    wanted = (
        SmartList(None, run.list, run.record_type, parse(run.record_type, run.filter), run.order)
        if by_list
        else None
    )
    found = (
        chosen(session, wanted)
        if wanted
        else selections.with_ids(session, run.record_type, run.ids)
    )
    selections.freeze(session, run_id, found)


def _reserve(unit: Unit, run_id: int) -> None:
    run = runs.lock_exclusive(unit, run_id)  # nobody freezes the list anew meanwhile
    if run is None or run.state != "scanning":
        return
    many, turns, owner = (
        selections.count(unit, run_id),
        0,
        users.by_id(unit, [run.owner_id])[run.owner_id],
    )
    assign.check_owner(unit, owner, run.record_type)
    if many and owner.is_pool:
        turns = assign.reserve(unit, run.owner_id, run_claim(REASSIGN, run_id), many).total
    parts = list(cut(many))
    chunks.add(unit, run_id, (part._asdict() for part in parts))
    scans.end(unit, run, len(parts), rows=many, turns=turns)


# --- moving ---


def move(system: System, run_id: int, number: int, holder: str) -> None:
    """Gives the records of a chunk to their new owners. Their turns were settled when the run
    reserved them: it comes out the same whoever does it, and however often."""
    carry_out(system, run_id, number, holder, _move)


def _move(session: Session, run: Row[Any], chunk: Row[Any]) -> ChunkResult:
    part, moment = Part(run.id, run.record_type, chunk.first_ordinal, chunk.records), now()
    places = selections.lock_unchanged(session, part)
    ordinals = [place.ordinal for place in places]
    record_ids = [place.record_id for place in places]
    given = allotment.allot(session, run, part.first, part.records).only(ordinals)
    given = given.of_records(record_ids, [place.owner_id for place in places])
    enter(session, given, moment, run.record_type)
    if waited := selections.in_line(session, part).intersection(
        record_ids
    ):  # whoever assigns captured leads holds them first, too
        captures.remove(session, waited)
    if len(places) < part.records:
        selections.skip_all_but(session, part, given.ordinals)
    return ChunkResult(len(places), part.records - len(places))


# --- closing ---


def close(system: System, run_id: int) -> None:
    """Ends a run all of whose chunks are done, or that was cancelled. The turns of what it has left
    as it is come back."""
    system.transact(_end, run_id)


def _end(unit: Unit, run_id: int) -> None:
    run = runs.lock(unit, run_id)
    if run is None or run.ended_at is not None:
        return
    if run.state == "cancelled":
        runs.end(unit, run_id, run.state)
    elif run.state == "loading" and run.chunks_left == 0:
        unused = run.skipped if run.turns else 0
        if run.turns:
            ledger.close_block(unit, run.owner_id, run_claim(REASSIGN, run_id))
        if unused:
            seed.seed_again(
                unit, run.owner_id, f"run {run_id} has left {unused} records as they were"
            )
        runs.end(unit, run_id, "done", returned=unused)
