"""Selections: the records that a run is about, in the order of its list, each as it was when the
list was read."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.orm import Session

from worker.domain.records.types import DESCRIPTIONS
from worker.domain.runs.record_ids import RecordIds
from worker.domain.runs.runs import SkipReason
from worker.store.records.records import OWNED
from worker.store.sql import value_table
from worker.store.tables import RECORDS, captures, selections, skips

AT_ONCE = 5_000
"""How many rows a query that streams fetches at once."""


# --- what to select ---


class RecordQuery(NamedTuple):
    """A query for records and the order of the records. It gives their ids and the columns of
    `OWNED`."""

    found: Select[Any]
    order: Sequence[ColumnElement[Any]]


def query_ids(session: Session, wanted: RecordIds) -> RecordQuery:
    """The records with those ids, in that order. Ids of no record are left out."""
    table, ids = RECORDS[wanted.record_type], _number(session, wanted)
    columns = (table.c[name] for name in ("id", *OWNED))
    found = select(*columns).join_from(ids, table, table.c.id == ids.c.id)
    return RecordQuery(found.where(table.c.deleted_at.is_(None)), [ids.c.place])


def find_missing(session: Session, wanted: RecordIds) -> int | None:
    """The first of those ids that no record has."""
    table, ids = RECORDS[wanted.record_type], _number(session, wanted)
    there = exists(select(1).where(table.c.id == ids.c.id, table.c.deleted_at.is_(None)))
    return session.scalar(select(ids.c.id).where(~there).order_by(ids.c.place).limit(1))


def _number(session: Session, wanted: RecordIds) -> FromClause:
    return value_table.table(session, id=wanted.ids, place=range(len(wanted.ids)))


def count_records(session: Session, query: RecordQuery) -> int:
    found = query.found.order_by(None).subquery()
    return session.scalars(select(func.count()).select_from(found)).one()


def stream_owners(session: Session, query: RecordQuery) -> Iterator[int]:
    """The present owner of each record, in order. They are never in memory all at once."""
    owner = query.found.selected_columns.owner_id
    in_order = (
        query.found.with_only_columns(owner, maintain_column_froms=True)
        .order_by(None)
        .order_by(*query.order)
    )
    yield from session.scalars(in_order.execution_options(yield_per=AT_ONCE))


# --- what was selected ---


class SelectionPart(NamedTuple):
    """The records of a run from one ordinal on."""

    run_id: int
    record_type: str
    first: int
    records: int
    """How many."""

    @property
    def rows(self) -> ColumnElement[bool]:
        within = selections.c.ordinal.between(self.first, self.first + self.records - 1)
        return and_(selections.c.run_id == self.run_id, within)


class SelectedRecord(NamedTuple):
    """A record in the list of a run, and how it was when the list was read."""

    ordinal: int
    record_id: int
    owner_id: int
    pool_id: int | None
    turn: int | None
    given_by: int | None


_SELECTED = [selections.c[name] for name in SelectedRecord._fields]


def freeze(session: Session, run_id: int, query: RecordQuery) -> None:
    """Keeps the records that a query finds, in its order."""
    session.execute(delete(selections).where(selections.c.run_id == run_id))
    place = (func.row_number().over(order_by=list(query.order)) - 1).label("ordinal")
    numbered = query.found.order_by(None).add_columns(place, literal(run_id).label("run_id"))
    session.execute(
        insert(selections).from_select(["record_id", *OWNED, "ordinal", "run_id"], numbered)
    )


def count(session: Session, run_id: int) -> int:
    return session.scalars(select(func.count()).where(selections.c.run_id == run_id)).one()


def read(session: Session, part: SelectionPart) -> list[SelectedRecord]:
    """The records of a part, in order, as they were when the list was read."""
    found = select(*_SELECTED).where(part.rows).order_by(selections.c.ordinal)
    return [SelectedRecord(*row) for row in session.execute(found)]


def lock_unchanged(session: Session, part: SelectionPart) -> list[SelectedRecord]:
    """Locks the records of a part, and returns those that are still as the list found them, in
    order."""
    table = RECORDS[part.record_type]
    same = (table.c[name].is_not_distinct_from(selections.c[name]) for name in OWNED)
    # This is compared for each record, not searched for. Planners have no statistics of records
    # that have just changed by the thousand, and would try every pair.
    found = select(*_SELECTED, and_(table.c.deleted_at.is_(None), *same)).join(
        table, table.c.id == selections.c.record_id
    )
    locked = session.execute(found.where(part.rows).order_by(table.c.id).with_for_update(of=table))
    return sorted(SelectedRecord(*record) for *record, is_same in locked if is_same)


def find_waiting_leads(session: Session, part: SelectionPart) -> set[int]:
    """The records of a part that are captured leads and wait for a member."""
    if not DESCRIPTIONS[part.record_type].waits_in_line:
        return set()
    waiting = select(captures.c.lead_id).join(
        selections, selections.c.record_id == captures.c.lead_id
    )
    return set(session.scalars(waiting.where(part.rows)))


def skip_all_but(session: Session, part: SelectionPart, ordinals: Sequence[int]) -> None:
    """Notes the records of a part that a run has left as they are, and why: they are gone, or have
    another owner than they had."""
    table, done = RECORDS[part.record_type], value_table.table(session, ordinal=ordinals)
    reason = case(
        (table.c.id.is_(None), SkipReason.DELETED),
        (table.c.deleted_at.is_not(None), SkipReason.DELETED),
        else_=SkipReason.GIVEN,
    )
    left = select(
        selections.c.run_id, selections.c.ordinal, selections.c.record_id, reason
    ).outerjoin(table, table.c.id == selections.c.record_id)
    rest = left.where(part.rows, ~exists(select(1).where(done.c.ordinal == selections.c.ordinal)))
    session.execute(insert(skips).from_select(["run_id", "ordinal", "record_id", "reason"], rest))
