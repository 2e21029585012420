"""What `verify` reads of the numbers that runs tell of themselves, and of what was undone."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Row, Text, and_, case, cast, exists, func, or_, select
from sqlalchemy.orm import Session

from worker.store.audit import stream
from worker.store.tables import blocks, chunks, ledger, ledger_history, pools, runs, skips, undos


def _claim(of: FromClause) -> ColumnElement[str]:
    return of.c.kind + ":" + cast(of.c.id, Text)


def _owned_by(pool_id: int | None) -> ColumnElement[bool]:
    """That a run gives its records to the pool; to a person where none is named."""
    return runs.c.owner_id.not_in(select(pools.c.id)) if pool_id is None else runs.c.owner_id == pool_id


def without_block(session: Session, pool_id: int | None) -> Iterator[Row[Any]]:
    """The runs that have turns, or have returned some, of which no block tells: id, turns and returned. Undos return others' turns."""
    booked = exists().where(blocks.c.pool_id == runs.c.owner_id, blocks.c.claim == _claim(runs))
    some = runs.c.turns > 0 if pool_id else or_(runs.c.turns > 0, runs.c.returned > 0)
    return stream(session, select(runs.c.id, runs.c.turns, runs.c.returned).where(_owned_by(pool_id), some, ~booked))


def miscounted(session: Session, pool_id: int | None) -> Iterator[Row[Any]]:
    """The runs whose numbers aren't those of their chunks and skips: with whole, the records of all their chunks, done, those of the chunks
    that are done, undone_chunks, and noted, their skips."""
    to_do = chunks.c.done_at.is_(None)
    whole, done = func.sum(chunks.c.records), func.sum(case((to_do, 0), else_=chunks.c.records))
    sums = whole.label("whole"), done.label("done"), func.sum(case((to_do, 1), else_=0)).label("undone_chunks")
    parts = select(chunks.c.run_id, *sums).group_by(chunks.c.run_id).subquery("parts")
    left = select(skips.c.run_id, func.count().label("noted")).group_by(skips.c.run_id).subquery("left_alone")
    joined = runs.outerjoin(parts, parts.c.run_id == runs.c.id).outerjoin(left, left.c.run_id == runs.c.id)
    told = {name: func.coalesce(column, 0) for name, column in (*parts.c.items(), *left.c.items()) if name != "run_id"}
    cut = or_(runs.c.chunks_left != told["undone_chunks"], runs.c.rows - runs.c.errors != told["whole"])
    wrong = or_(runs.c.records + runs.c.skipped != told["done"], runs.c.skipped != told["noted"], cut)
    found = select(runs, *(column.label(name) for name, column in told.items())).select_from(joined)
    return stream(session, found.where(_owned_by(pool_id), wrong).order_by(runs.c.id))


# --- what was undone ---


def undoings(session: Session, pool_id: int) -> list[Row[Any]]:
    """The undos of a pool's runs: each with returns_turns, how many entries it has taken_back into the history, and how many of those turns
    are still spent on nothing."""
    undone = runs.alias("undone")
    its = ledger_history.c.claim == _claim(undone), ledger_history.c.reason == _claim(runs)
    taken_back = select(func.count()).select_from(ledger_history).where(ledger_history.c.pool_id == pool_id, *its)
    spent = select(func.count()).select_from(ledger).where(ledger.c.pool_id == pool_id, ledger.c.claim == _claim(runs))
    counts = taken_back.scalar_subquery().label("taken_back"), spent.scalar_subquery().label("spent")
    found = select(runs, undos.c.returns_turns, *counts).join(undos, undos.c.run_id == runs.c.id)
    found = found.join(undone, undone.c.id == undos.c.undone_run_id).where(_owned_by(pool_id))
    return list(session.execute(found.order_by(runs.c.id)))


def taken_back_by_nobody(session: Session, pool_id: int) -> Iterator[Row[Any]]:
    """What is in the history of a pool, and no undo of the run that had entered it: turn, claim and reason."""
    undone = runs.alias("undone")
    an_undo = select(1).select_from(undos.join(undone, undone.c.id == undos.c.undone_run_id))
    named = and_(ledger_history.c.reason == "undo:" + cast(undos.c.run_id, Text), ledger_history.c.claim == _claim(undone))
    found = select(ledger_history.c.turn, ledger_history.c.claim, ledger_history.c.reason)
    strange = ledger_history.c.pool_id == pool_id, ~exists(an_undo.where(named))
    return stream(session, found.where(*strange).order_by(ledger_history.c.turn))
