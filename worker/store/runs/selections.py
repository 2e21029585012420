"""Selections: the records that a run is about, in the order of its list, each as it was when the
list was read."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
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

from worker.domain.runs.runs import DELETED, GIVEN
from worker.store.records.records import OWNED
from worker.store.sql import value_table
from worker.store.tables import RECORDS, captures, selections, skips


class Part(NamedTuple):
    """The records of a run from one ordinal on, so many."""

    run_id: int
    record_type: str
    first: int
    records: int

    @property
    def rows(self) -> ColumnElement[bool]:
        within = selections.c.ordinal.between(self.first, self.first + self.records - 1)
        return and_(selections.c.run_id == self.run_id, within)


class Place(NamedTuple):
    """A record's place in the list, and how the record was when the list was read."""

    ordinal: int
    record_id: int
    owner_id: int
    pool_id: int | None
    turn: int | None
    given_by: int | None


_PLACE = [selections.c[name] for name in Place._fields]


class RecordQuery(NamedTuple):
    """Records that were chosen, by id and what `OWNED` names, and what to sort them by."""

    found: Select[Any]
    order: Sequence[ColumnElement[Any]]


def with_ids(session: Session, record_type: str, ids: Sequence[int]) -> RecordQuery:
    """The records with those ids, in that order. Those that are not there are left out."""
    table, wanted = RECORDS[record_type], value_table.table(session, id=ids, place=range(len(ids)))
    columns = (table.c[name] for name in ("id", *OWNED))
    found = (
        select(*columns)
        .join_from(wanted, table, table.c.id == wanted.c.id)
        .where(table.c.deleted_at.is_(None))
    )
    return RecordQuery(found, [wanted.c.place])


def first_missing(session: Session, record_type: str, ids: Sequence[int]) -> int | None:
    """The first of those ids that no record has."""
    table, wanted = RECORDS[record_type], value_table.table(session, id=ids, place=range(len(ids)))
    there = exists(select(1).where(table.c.id == wanted.c.id, table.c.deleted_at.is_(None)))
    return session.scalar(select(wanted.c.id).where(~there).order_by(wanted.c.place).limit(1))


def freeze(session: Session, run_id: int, chosen: RecordQuery) -> None:
    """Keeps what was chosen, in its order."""
    session.execute(delete(selections).where(selections.c.run_id == run_id))
    place = (func.row_number().over(order_by=list(chosen.order)) - 1).label("ordinal")
    numbered = chosen.found.order_by(None).add_columns(place, literal(run_id).label("run_id"))
    session.execute(
        insert(selections).from_select(["record_id", *OWNED, "ordinal", "run_id"], numbered)
    )


def count(session: Session, run_id: int) -> int:
    return session.scalars(select(func.count()).where(selections.c.run_id == run_id)).one()


def places(session: Session, part: Part) -> list[Place]:
    """The records of a part, in order, as they were when the list was read."""
    return [
        Place(*row)
        for row in session.execute(select(*_PLACE).where(part.rows).order_by(selections.c.ordinal))
    ]


def lock_unchanged(session: Session, part: Part) -> list[Place]:
    """The same of those records that are still so, which they stay until the transaction ends."""
    table = RECORDS[part.record_type]
    same = (table.c[name].is_not_distinct_from(selections.c[name]) for name in OWNED)
    # Asked of each, not looked for: of what has just changed by the thousand, planners know
    # nothing, and would try every pair.
    found = select(*_PLACE, and_(table.c.deleted_at.is_(None), *same)).join(
        table, table.c.id == selections.c.record_id
    )
    locked = session.execute(found.where(part.rows).order_by(table.c.id).with_for_update(of=table))
    return sorted(Place(*place) for *place, is_same in locked if is_same)


def in_line(session: Session, part: Part) -> set[int]:
    """Of those records, the leads that wait in line."""
    if part.record_type != "lead":
        return set()
    return set(
        session.scalars(
            select(captures.c.lead_id)
            .join(selections, selections.c.record_id == captures.c.lead_id)
            .where(part.rows)
        )
    )


def skip_all_but(session: Session, part: Part, ordinals: Sequence[int]) -> None:
    """Notes the records that were left as they are, and why: they are gone, or have another owner
    than they had."""
    table, done = RECORDS[part.record_type], value_table.table(session, ordinal=ordinals)
    reason = case(
        (table.c.id.is_(None), DELETED), (table.c.deleted_at.is_not(None), DELETED), else_=GIVEN
    )
    left = select(
        selections.c.run_id, selections.c.ordinal, selections.c.record_id, reason
    ).outerjoin(table, table.c.id == selections.c.record_id)
    rest = left.where(part.rows, ~exists(select(1).where(done.c.ordinal == selections.c.ordinal)))
    session.execute(insert(skips).from_select(["run_id", "ordinal", "record_id", "reason"], rest))
