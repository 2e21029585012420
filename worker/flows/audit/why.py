"""Why a record has its owner."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from worker.domain.records.fields import RECORD_TYPES
from worker.domain.records.record_type import RecordType
from worker.domain.records.types import DESCRIPTIONS
from worker.domain.runs.runs import RunKind
from worker.domain.turns.allotment import Entry
from worker.domain.turns.claims import name_run_claim
from worker.errors.people import UnknownRecordType
from worker.errors.records import UnknownRecord
from worker.store.intake import captures
from worker.store.records import records
from worker.store.records.records import OWNED, StoredRecord
from worker.store.runs import kinds, reversals, selections
from worker.store.runs.reversals import ReversedEntry
from worker.store.runs.selections import SelectionPart
from worker.store.turns import ledger, pools
from worker.store.views.pools import show_roster
from worker.store.views.who import find_people
from worker.store.views.why import UndoneTurn, WaitView, WhyView


def explain(session: Session, record_type: str, record_id: int) -> WhyView:
    """Why a record has its owner: the turn that gave it, the roster in force at that turn, who came
    before and who was next. Without a turn, either a captured lead waits for it, or a person chose
    the owner. It also lists the turns that were undone, and whether an undo has left the record as
    it is. Raises UnknownRecordType and UnknownRecord."""
    if record_type not in RECORD_TYPES:
        raise UnknownRecordType(name=record_type)
    record = records.find(session, RecordType(record_type), record_id)
    if record is None:
        raise UnknownRecord(record_type=record_type, record_id=record_id)
    undone = reversals.list_of_record(session, record_type, record_id)
    given_back_by = _find_undo_behind(session, record_type, record, undone[0]) if undone else None
    without_turn = WhyView(
        record_type=RecordType(record_type),
        record_id=record_id,
        name=_name_of(record),
        owner=find_people(session, [record.owner_id])[record.owner_id],
        created_at=record.created_at,
        undone=_list_undone(session, undone),
        given_back_by=given_back_by,
    )
    if record.pool_id and record.turn:
        entry = ledger.find(session, record.pool_id, record.turn)
        if entry is not None:
            return _add_turn(session, without_turn, entry)
    if DESCRIPTIONS[record_type].waits_in_line:
        return replace(without_turn, waits=_find_wait(session, record_id))
    return without_turn


def _find_wait(session: Session, lead_id: int) -> WaitView | None:
    """Since when a captured lead waits for its pool's next member, and the reason."""
    capture = captures.find(session, lead_id)
    return None if capture is None else WaitView(capture.accepted_at, capture.reason)


def _list_undone(session: Session, undone: Sequence[ReversedEntry]) -> list[UndoneTurn]:
    """The turns that the record had, and that were undone."""
    people = find_people(
        session,
        (
            user_id
            for entry in undone
            for user_id in (entry.pool_id, entry.user_id, entry.previous_owner_id)
        ),
    )
    return [
        UndoneTurn(
            turn=entry.turn,
            pool=people[entry.pool_id].name,
            user=people[entry.user_id],
            previous_owner=people.get(entry.previous_owner_id),
            claim=entry.claim,
            cause=entry.cause,
            at=entry.at,
            taken_back_at=entry.taken_back_at,
            by=name_run_claim(RunKind.UNDO, entry.run_id),
        )
        for entry in undone
    ]


def _find_undo_behind(
    session: Session, record_type: str, record: StoredRecord, newest: ReversedEntry
) -> int | None:
    """The undo that left the record in its present state, if nobody has touched it since. The
    record has its earlier owner and turn again, or is deleted if it belonged to nobody."""
    if newest.previous_owner_id is None:
        return newest.run_id if record.deleted_at == newest.taken_back_at else None
    undone_run_id = kinds.get_undo(session, newest.run_id).undone_run_id
    [before] = selections.read(
        session, SelectionPart(undone_run_id, record_type, newest.ordinal, 1)
    )
    is_as_before = all(getattr(record, name) == getattr(before, name) for name in OWNED)
    untouched = record.edited_at is None or record.edited_at < newest.taken_back_at
    return newest.run_id if record.deleted_at is None and is_as_before and untouched else None


def _add_turn(session: Session, without_turn: WhyView, entry: Entry) -> WhyView:
    rosters = pools.list_rosters_between(session, entry.pool_id, entry.turn - 1, entry.turn)
    roster = rosters.in_force(entry.turn)
    before = rosters.member(entry.turn - 1) if entry.turn > 1 else None
    others = (before, entry.pool_id, entry.actor_id, entry.previous_owner_id)
    people = find_people(session, [*roster.members, *others])
    version = pools.get_roster_version(session, entry.pool_id, roster.version)
    return replace(
        without_turn,
        turn=entry.turn,
        pool=people[entry.pool_id].name,
        roster=show_roster(version, people),
        before=people.get(before),
        next=people[roster.member(entry.turn + 1)],
        claim=entry.claim,
        ordinal=entry.ordinal,
        cause=entry.cause,
        actor=people.get(entry.actor_id),
        previous_owner=people.get(entry.previous_owner_id),
        at=entry.at,
    )


def _name_of(record: StoredRecord) -> str:
    stored = record.columns
    person = " ".join(stored[part] for part in ("first_name", "last_name") if stored.get(part))
    return person or stored.get("organization_name") or stored.get("name") or ""
