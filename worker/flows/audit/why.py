"""Why a record has its owner."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.domain.records.fields import RECORD_TYPES
from worker.domain.runs.runs import RunKind
from worker.domain.turns.claims import run_claim
from worker.domain.turns.rosters import Roster
from worker.errors.people import UnknownRecordType
from worker.errors.records import UnknownRecord
from worker.store.intake import captures
from worker.store.people import users
from worker.store.records import records
from worker.store.records.records import OWNED
from worker.store.runs import kinds, reversals, selections
from worker.store.runs.selections import SelectionPart
from worker.store.turns import ledger, pools
from worker.store.views.facts import Facts, who


def why(session: Session, record_type: str, record_id: int) -> Facts:
    """The turn that gave a record its owner, the roster in force at it, who came before and who was
    next. Without a turn, a captured lead waits for it, or else a person chose the owner. Besides,
    what was undone, and whether that is why it is as it is."""
    if record_type not in RECORD_TYPES:
        raise UnknownRecordType(name=record_type)
    record = records.with_id(session, record_type, record_id)
    if record is None:
        raise UnknownRecord(record_type=record_type, record_id=record_id)
    people = users.by_id(session, [record.owner_id, record.creator_id])
    facts: Facts = {
        "record_type": record_type,
        "record_id": record_id,
        "name": _name_of(record),
        "owner": who(people[record.owner_id]),
        "created_at": record.created_at.isoformat(),
    }
    entry = ledger.entry(session, record.pool_id, record.turn) if record.turn else None
    waits = _waits(session, record_id) if record_type == "lead" else None
    undone = reversals.of_record(session, record_type, record_id)
    given_back_by = _given_back_by(session, record_type, record, undone[0]) if undone else None
    facts |= {"undone": _undone(session, undone), "given_back_by": given_back_by}
    return facts | ({"turn": None, "waits": waits} if entry is None else _turn(session, entry))


def _waits(session: Session, lead_id: int) -> Facts | None:
    """Since when a captured lead waits for its pool's next member, and for what."""
    capture = captures.find(session, lead_id)
    return (
        None
        if capture is None
        else {"since": capture.accepted_at.isoformat(), "reason": capture.reason}
    )


def _undone(session: Session, undone: Sequence[Row[Any]]) -> list[Facts]:
    """The turns that the record had, and that were undone."""
    people = users.by_id(
        session,
        (
            user_id
            for entry in undone
            for user_id in (entry.pool_id, entry.user_id, entry.previous_owner_id)
        ),
    )
    return [
        {
            "turn": entry.turn,
            "pool": people[entry.pool_id].name,
            "user": who(people[entry.user_id]),
            "previous_owner": who(people.get(entry.previous_owner_id or 0)),
            "claim": entry.claim,
            "cause": entry.cause,
            "at": entry.at.isoformat(),
            "taken_back_at": entry.taken_back_at.isoformat(),
            "by": run_claim(RunKind.UNDO, entry.run_id),
        }
        for entry in undone
    ]


def _given_back_by(
    session: Session, record_type: str, record: Row[Any], newest: Row[Any]
) -> int | None:
    """The run whose undo has left the record as it is, if nobody has touched it since: whose it was
    before and by what, or deleted if it was nobody's."""
    if newest.previous_owner_id is None:
        return newest.run_id if record.deleted_at == newest.taken_back_at else None
    undone_run_id = kinds.undo_with_id(session, newest.run_id).undone_run_id
    [before] = selections.read(
        session, SelectionPart(undone_run_id, record_type, newest.ordinal, 1)
    )
    is_as_before = all(getattr(record, name) == getattr(before, name) for name in OWNED)
    untouched = record.edited_at is None or record.edited_at < newest.taken_back_at
    return newest.run_id if record.deleted_at is None and is_as_before and untouched else None


def _turn(session: Session, entry: Row[Any]) -> Facts:
    rosters = pools.rosters_between(session, entry.pool_id, entry.turn - 1, entry.turn)
    roster = rosters.in_force(entry.turn)
    before = rosters.member(entry.turn - 1) if entry.turn > 1 else None
    people = users.by_id(
        session, [*roster.members, before, entry.pool_id, entry.actor_id, entry.previous_owner_id]
    )
    return {
        "turn": entry.turn,
        "pool": people[entry.pool_id].name,
        "roster": _roster(session, entry.pool_id, roster, people),
        "before": who(people.get(before or 0)),
        "next": who(people[roster.member(entry.turn + 1)]),
        "claim": entry.claim,
        "ordinal": entry.ordinal,
        "cause": entry.cause,
        "actor": who(people.get(entry.actor_id or 0)),
        "previous_owner": who(people.get(entry.previous_owner_id or 0)),
        "at": entry.at.isoformat(),
    }


def _roster(session: Session, pool_id: int, roster: Roster, people: dict[int, Row[Any]]) -> Facts:
    since = pools.change_at(session, pool_id, roster.version)
    return {
        "version": roster.version,
        "first_turn": roster.first_turn,
        "since": since.at.isoformat(),
        "members": [who(people[member]) for member in roster.members],
    }


def _name_of(record: Row[Any]) -> str:
    stored = record._mapping
    person = " ".join(stored[part] for part in ("first_name", "last_name") if stored.get(part))
    return person or stored.get("organization_name") or stored.get("name") or ""
