"""`verify` reads records: which turns they name, whose they are, and which leads wait."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Table, and_, case, exists, false, func, or_, select
from sqlalchemy.orm import Session

from worker.domain.records.record_type import RecordType
from worker.domain.records.types import DESCRIPTIONS
from worker.store.audit.entries import names_entry
from worker.store.audit.streams import stream
from worker.store.runs.reversals import stands
from worker.store.tables import RECORDS, captures, conversions, ledger, users


@dataclass(frozen=True, slots=True)
class WaitingInVain:
    """A lead in a pool's line that has an owner already, or that doesn't exist."""

    lead_id: int
    turn: int | None
    owner_id: int | None


def count_naming(session: Session, record_type: RecordType) -> dict[int, int]:
    """How many records of that type name a turn of each pool."""
    table = RECORDS[record_type]
    counted = select(table.c.pool_id, func.count()).where(table.c.pool_id.is_not(None))
    return dict(session.execute(counted.group_by(table.c.pool_id)).all())


def find_without_entry(
    session: Session, pool_id: int, record_type: RecordType, shared_type: RecordType
) -> Iterator[tuple[int | None, int]]:
    """The (turn, record) of records that name a turn of a pool without right: the turn's entry was
    undone, or belongs neither to them nor to a record that was made of the same lead."""
    table = RECORDS[record_type]
    theirs = exists().where(names_entry(table), ledger.c.record_id == table.c.id, stands(ledger))
    found = select(table.c.turn, table.c.id).where(
        table.c.pool_id == pool_id, ~_made_along(table, record_type)
    )
    wrong = found.where(~theirs) if record_type == shared_type else found
    return stream(session, wrong.order_by(table.c.turn), _turn_and_record)


def _made_along(table: Table, record_type: RecordType) -> ColumnElement[bool]:
    """That the conversion of a lead made the record, and got the turn that it names."""
    columns = DESCRIPTIONS[record_type].made_by_conversion
    made = [conversions.c[column] == table.c.id for column in columns]
    return exists().where(
        conversions.c.pool_id == table.c.pool_id,
        conversions.c.turn == table.c.turn,
        or_(false(), *made),
    )


def find_of_nobody(session: Session, record_type: RecordType) -> Iterator[tuple[int | None, int]]:
    """The (turn, record) of records whose owner or creator isn't there, or that name a turn of no
    pool."""
    table, known = RECORDS[record_type], select(users.c.id)
    no_pool = and_(table.c.pool_id.is_(None), table.c.turn.is_not(None))
    wrong = or_(table.c.owner_id.not_in(known), table.c.creator_id.not_in(known), no_pool)
    return stream(session, select(table.c.turn, table.c.id).where(wrong), _turn_and_record)


def _turn_and_record(turn: int | None, record_id: int) -> tuple[int | None, int]:
    return turn, record_id


def find_owned_by_pool(session: Session, pool_id: int, record_type: RecordType) -> Iterator[int]:
    """The records that a pool's phantom user owns, and that don't wait for the next member."""
    table = RECORDS[record_type]
    waits = exists().where(captures.c.lead_id == table.c.id, captures.c.pool_id == pool_id)
    owned = select(table.c.id).where(table.c.owner_id == pool_id)
    wrong = owned.where(~waits) if DESCRIPTIONS[record_type].waits_in_line else owned
    return stream(session, wrong.order_by(table.c.id), int)


def count_waiting(session: Session, pool_id: int) -> tuple[int, int]:
    """How many captured leads wait for a pool, and how many of them are in line: not set aside."""
    in_line = func.coalesce(func.sum(case((captures.c.set_aside, 0), else_=1)), 0)
    total, line = session.execute(
        select(func.count(), in_line).where(captures.c.pool_id == pool_id)
    ).one()
    return total, line


def find_waiting_in_vain(session: Session, pool_id: int) -> Iterator[WaitingInVain]:
    """The leads in a pool's line that the pool doesn't own any more."""
    leads = RECORDS[RecordType.LEAD]
    joined = captures.outerjoin(leads, leads.c.id == captures.c.lead_id)
    found = select(captures.c.lead_id, leads.c.turn, leads.c.owner_id).select_from(joined)
    wrong = captures.c.pool_id == pool_id, func.coalesce(leads.c.owner_id, 0) != pool_id
    return stream(session, found.where(*wrong).order_by(captures.c.lead_id), WaitingInVain)
