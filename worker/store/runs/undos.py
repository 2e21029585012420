"""Undos: what a run has done to its records, taken back set by set."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Row,
    and_,
    case,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from worker.domain.runs.runs import DELETED, EDITED, GIVEN
from worker.domain.turns.allotment import Allotment
from worker.store.sql import value_table
from worker.store.tables import RECORDS, chunks, runs, skips, undos


def add(session: Session, run_id: int, undone_run_id: int, *, returns_turns: bool) -> None:
    session.execute(
        insert(undos).values(
            run_id=run_id, undone_run_id=undone_run_id, returns_turns=returns_turns
        )
    )


def with_id(session: Session, run_id: int) -> Row[Any]:
    """An undo that is known to exist, together with its run."""
    return session.execute(
        select(runs, undos).join(undos, undos.c.run_id == runs.c.id).where(runs.c.id == run_id)
    ).one()


def of_run(session: Session, undone_run_id: int) -> int | None:
    """The undo of a run, if there is one that wasn't cancelled."""
    found = select(runs.c.id).join(undos, undos.c.run_id == runs.c.id)
    return session.scalar(
        found.where(undos.c.undone_run_id == undone_run_id, runs.c.state != "cancelled")
    )


def chunks_left(session: Session, undone_run_id: int) -> list[Row[Any]]:
    """The chunks that a run has done and that no undo of it, which was cancelled in the middle, has
    undone already. Each tells how many of its records the run has left alone itself."""
    earlier = select(chunks.c.first_ordinal).join(undos, undos.c.run_id == chunks.c.run_id)
    undone = earlier.where(undos.c.undone_run_id == undone_run_id, chunks.c.done_at.is_not(None))
    done = chunks.c.run_id == undone_run_id, chunks.c.done_at.is_not(None), chunks.c.records > 0
    last = chunks.c.first_ordinal + chunks.c.records - 1
    its = skips.c.run_id == chunks.c.run_id, skips.c.ordinal.between(chunks.c.first_ordinal, last)
    left_alone = (
        select(func.count()).select_from(skips).where(*its).scalar_subquery().label("left_alone")
    )
    found = select(chunks, left_alone).where(*done, chunks.c.first_ordinal.not_in(undone))
    return list(session.execute(found.order_by(chunks.c.number)))


def done_at(session: Session, undone_run_id: int, first_ordinal: int) -> datetime:
    """When a run has done the chunk that begins at that ordinal."""
    of_run = (
        chunks.c.run_id == undone_run_id,
        chunks.c.first_ordinal == first_ordinal,
        chunks.c.records > 0,
    )
    return session.scalars(select(chunks.c.done_at).where(*of_run)).one()


def skipped_between(session: Session, run_id: int, first: int, last: int) -> set[int]:
    """The ordinals, of those, of records that the run itself has left as they were."""
    return set(
        session.scalars(
            select(skips.c.ordinal).where(
                skips.c.run_id == run_id, skips.c.ordinal.between(first, last)
            )
        )
    )


class Done(NamedTuple):
    """What a chunk of a run has done: to which records, whom it gave them, what they bear of that,
    and when."""

    record_type: str
    allotment: Allotment
    at: datetime

    def table(self, session: Session) -> FromClause:
        new = self.allotment
        return value_table.table(
            session,
            ordinal=new.ordinals,
            record_id=new.record_ids,
            owner_id=new.owner_ids,
            turn=new.turns,
        )


def lock_intact(session: Session, done: Done) -> list[int]:
    """The ordinals of the records that nobody has touched since, in order. They stay so until the
    transaction ends."""
    table, theirs = RECORDS[done.record_type], done.table(session)
    # Asked of each, not looked for: of what has just changed by the thousand, planners know
    # nothing, and would try every pair.
    intact = and_(
        table.c.deleted_at.is_(None), _as_given(table, theirs, done), _unedited(table, done)
    )
    found = select(theirs.c.ordinal, intact).join(table, table.c.id == theirs.c.record_id)
    locked = session.execute(found.order_by(table.c.id).with_for_update(of=table))
    return sorted(ordinal for ordinal, is_intact in locked if is_intact)


def _as_given(table: Any, theirs: FromClause, done: Done) -> ColumnElement[bool]:
    given = done.allotment
    by_turn = and_(table.c.pool_id == given.pool_id, table.c.turn == theirs.c.turn)
    by_choice = and_(table.c.turn.is_(None), table.c.given_by.is_not_distinct_from(given.given_by))
    return and_(table.c.owner_id == theirs.c.owner_id, by_turn if given.pool_id else by_choice)


def _unedited(table: Any, done: Done) -> ColumnElement[bool]:
    return or_(table.c.edited_at.is_(None), table.c.edited_at < done.at)


def remove(session: Session, record_type: str, record_ids: Sequence[int], moment: datetime) -> None:
    """The records are shown to nobody any more, and name no turn."""
    table, theirs = RECORDS[record_type], value_table.table(session, record_id=record_ids)
    values = {"deleted_at": moment, "updated_at": moment, "pool_id": None, "turn": None}
    session.execute(update(table).where(table.c.id == theirs.c.record_id).values(values))


def skip_all_but(session: Session, run_id: int, done: Done, ordinals: Sequence[int]) -> None:
    """Notes the records that were left as they are, and why."""
    table, theirs, kept = (
        RECORDS[done.record_type],
        done.table(session),
        value_table.table(session, ordinal=ordinals),
    )
    gone = or_(table.c.id.is_(None), table.c.deleted_at.is_not(None))
    reason = case((gone, DELETED), (_as_given(table, theirs, done), EDITED), else_=GIVEN)
    left = select(literal(run_id), theirs.c.ordinal, theirs.c.record_id, reason).join_from(
        theirs, table, table.c.id == theirs.c.record_id, isouter=True
    )
    rest = left.where(~exists(select(1).where(kept.c.ordinal == theirs.c.ordinal)))
    session.execute(insert(skips).from_select(["run_id", "ordinal", "record_id", "reason"], rest))
