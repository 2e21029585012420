"""Undos: what a run has done to its records, taken back chunk by chunk."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Table,
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

from worker.domain.runs.chunks import Chunk
from worker.domain.runs.runs import SkipReason
from worker.domain.turns.allotment import Allotment
from worker.store.sql import value_table
from worker.store.tables import RECORDS, chunks, skips, undos


def cut(session: Session, undone_run_id: int) -> list[Chunk]:
    """The chunks of an undo: those that the run has done, less those that an earlier undo of it,
    which was cancelled halfway, has undone already. Their good rows are the records that the run
    has changed."""
    earlier = select(chunks.c.first_ordinal).join(undos, undos.c.run_id == chunks.c.run_id)
    undone = earlier.where(undos.c.undone_run_id == undone_run_id, chunks.c.done_at.is_not(None))
    done = chunks.c.run_id == undone_run_id, chunks.c.done_at.is_not(None), chunks.c.records > 0
    last = chunks.c.first_ordinal + chunks.c.records - 1
    its = skips.c.run_id == chunks.c.run_id, skips.c.ordinal.between(chunks.c.first_ordinal, last)
    left_alone = select(func.count()).select_from(skips).where(*its).scalar_subquery()
    found = select(chunks.c.first_ordinal, chunks.c.records, chunks.c.records - left_alone)
    to_undo = found.where(*done, chunks.c.first_ordinal.not_in(undone)).order_by(chunks.c.number)
    return [Chunk(number, *row) for number, row in enumerate(session.execute(to_undo))]


def find_done_at(session: Session, undone_run_id: int, first_ordinal: int) -> datetime:
    """When a run has done the chunk that begins at that ordinal."""
    of_run = (
        chunks.c.run_id == undone_run_id,
        chunks.c.first_ordinal == first_ordinal,
        chunks.c.records > 0,
    )
    return session.scalars(select(chunks.c.done_at).where(*of_run)).one()


def find_skipped(session: Session, run_id: int, first: int, last: int) -> set[int]:
    """The ordinals from `first` to `last` of records that the run itself has left as they were."""
    found = select(skips.c.ordinal).where(
        skips.c.run_id == run_id, skips.c.ordinal.between(first, last)
    )
    return set(session.scalars(found))


class DoneChunk(NamedTuple):
    """What a run has done in one chunk: which records it gave to whom, and when."""

    record_type: str
    allotment: Allotment
    at: datetime

    def table(self, session: Session) -> FromClause:
        """The allotment as a table: ordinal, record_id, owner_id and turn."""
        return value_table.table(
            session,
            ordinal=self.allotment.ordinals,
            record_id=self.allotment.record_ids,
            owner_id=self.allotment.owner_ids,
            turn=self.allotment.turns,
        )


def lock_intact(session: Session, done: DoneChunk) -> list[int]:
    """Locks the records of a chunk, and returns the ordinals of those that nobody has touched since
    the run did, in order."""
    table, theirs = RECORDS[done.record_type], done.table(session)
    # This is compared for each record, not searched for. Planners have no statistics of records
    # that have just changed by the thousand, and would try every pair.
    intact = and_(
        table.c.deleted_at.is_(None), _is_as_given(table, theirs, done), _is_unedited(table, done)
    )
    found = select(theirs.c.ordinal, intact).join(table, table.c.id == theirs.c.record_id)
    locked = session.execute(found.order_by(table.c.id).with_for_update(of=table))
    return sorted(ordinal for ordinal, is_intact in locked if is_intact)


def _is_as_given(table: Table, theirs: FromClause, done: DoneChunk) -> ColumnElement[bool]:
    pool_id, run_id = done.allotment.pool_id, done.allotment.given_by
    by_turn = and_(table.c.pool_id == pool_id, table.c.turn == theirs.c.turn)
    by_choice = and_(table.c.turn.is_(None), table.c.given_by.is_not_distinct_from(run_id))
    return and_(table.c.owner_id == theirs.c.owner_id, by_turn if pool_id else by_choice)


def _is_unedited(table: Table, done: DoneChunk) -> ColumnElement[bool]:
    return or_(table.c.edited_at.is_(None), table.c.edited_at < done.at)


def remove(session: Session, record_type: str, record_ids: Sequence[int], moment: datetime) -> None:
    """Marks records as deleted. They name no turn any more."""
    table, theirs = RECORDS[record_type], value_table.table(session, record_id=record_ids)
    values = {"deleted_at": moment, "updated_at": moment, "pool_id": None, "turn": None}
    session.execute(update(table).where(table.c.id == theirs.c.record_id).values(values))


def skip_all_but(session: Session, run_id: int, done: DoneChunk, ordinals: Sequence[int]) -> None:
    """Notes the records that an undo has left as they are, and why."""
    table, theirs = RECORDS[done.record_type], done.table(session)
    kept = value_table.table(session, ordinal=ordinals)
    gone = or_(table.c.id.is_(None), table.c.deleted_at.is_not(None))
    reason = case(
        (gone, SkipReason.DELETED),
        (_is_as_given(table, theirs, done), SkipReason.EDITED),
        else_=SkipReason.GIVEN,
    )
    left = select(literal(run_id), theirs.c.ordinal, theirs.c.record_id, reason).join_from(
        theirs, table, table.c.id == theirs.c.record_id, isouter=True
    )
    rest = left.where(~exists(select(1).where(kept.c.ordinal == theirs.c.ordinal)))
    session.execute(insert(skips).from_select(["run_id", "ordinal", "record_id", "reason"], rest))
