"""What `verify` reads of the numbers that runs tell of themselves, and of what was undone."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Row,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session

from worker.store.audit.evidence import flag, stream
from worker.store.runs.reversals import LENGTH, stands, undo_of
from worker.store.tables import (
    blocks,
    chunks,
    ledger,
    ledger_history,
    pools,
    reversals,
    runs,
    skips,
    undos,
    users,
)


def _claim(of: FromClause) -> ColumnElement[str]:
    return of.c.kind + ":" + cast(of.c.id, Text)


def _owned_by(pool_id: int | None) -> ColumnElement[bool]:
    """That a run gives its records to the pool; to a person where none is named."""
    return (
        runs.c.owner_id.not_in(select(pools.c.id))
        if pool_id is None
        else runs.c.owner_id == pool_id
    )


def without_block(session: Session, pool_id: int | None) -> Iterator[Row[Any]]:
    """The runs that have turns, or have returned some, of which no block tells: id, turns and
    returned. Undos return others' turns."""
    booked = exists().where(blocks.c.pool_id == runs.c.owner_id, blocks.c.claim == _claim(runs))
    some = runs.c.turns > 0 if pool_id else or_(runs.c.turns > 0, runs.c.returned > 0)
    return stream(
        session,
        select(runs.c.id, runs.c.turns, runs.c.returned).where(_owned_by(pool_id), some, ~booked),
    )


def miscounted(session: Session, pool_id: int | None) -> Iterator[Row[Any]]:
    """The runs whose numbers aren't those of their chunks and skips: with whole, the records of all
    their chunks, done, those of the chunks that are done, undone_chunks, and noted, their skips."""
    to_do = chunks.c.done_at.is_(None)
    whole, done = func.sum(chunks.c.records), func.sum(case((to_do, 0), else_=chunks.c.records))
    sums = (
        whole.label("whole"),
        done.label("done"),
        func.sum(case((to_do, 1), else_=0)).label("undone_chunks"),
    )
    parts = select(chunks.c.run_id, *sums).group_by(chunks.c.run_id).subquery("parts")
    left = (
        select(skips.c.run_id, func.count().label("noted"))
        .group_by(skips.c.run_id)
        .subquery("left_alone")
    )
    joined = runs.outerjoin(parts, parts.c.run_id == runs.c.id).outerjoin(
        left, left.c.run_id == runs.c.id
    )
    told = {
        name: func.coalesce(column, 0)
        for name, column in (*parts.c.items(), *left.c.items())
        if name != "run_id"
    }
    cut = or_(
        runs.c.chunks_left != told["undone_chunks"], runs.c.rows - runs.c.errors != told["whole"]
    )
    wrong = or_(
        runs.c.records + runs.c.skipped != told["done"], runs.c.skipped != told["noted"], cut
    )
    found = select(runs, *(column.label(name) for name, column in told.items())).select_from(joined)
    return stream(session, found.where(_owned_by(pool_id), wrong).order_by(runs.c.id))


# --- what was undone ---


def undoings(session: Session, pool_id: int) -> list[Row[Any]]:
    """The undos of a pool's runs: each with returns_turns, how many entries its reversals have,
    taken_back, and of those the ones that are in the ledger, spent, and in its history, moved."""
    undone = runs.alias("undone")
    taken_back = select(func.coalesce(func.sum(LENGTH), 0)).where(
        reversals.c.pool_id == pool_id, reversals.c.run_id == runs.c.id
    )
    spent, moved = (
        select(func.count()).where(
            book.c.pool_id == pool_id, book.c.claim == _claim(undone), undo_of(book) == runs.c.id
        )
        for book in (ledger, ledger_history)
    )
    told = {"taken_back": taken_back, "spent": spent, "moved": moved}
    counts = (
        found.correlate(runs, undone).scalar_subquery().label(name) for name, found in told.items()
    )
    found = select(runs, undos.c.returns_turns, *counts).join(undos, undos.c.run_id == runs.c.id)
    found = found.join(undone, undone.c.id == undos.c.undone_run_id).where(_owned_by(pool_id))
    return list(session.execute(found.order_by(runs.c.id)))


def invalid_reversals(session: Session, pool_id: int) -> Iterator[Row[Any]]:
    """The reversals that can't be right. unknown: no undo of the run with that claim has them in a
    chunk that it has done; again: one has an ordinal that another has; skipped: one has an ordinal
    that its undo has left alone."""
    undone, following = runs.alias("undone"), reversals.alias("following")
    its = and_(
        undos.c.run_id == reversals.c.run_id,
        _claim(undone) == reversals.c.claim,
        undone.c.owner_id == pool_id,
    )
    in_chunk = and_(
        chunks.c.first_ordinal <= reversals.c.first_ordinal,
        reversals.c.last_ordinal < chunks.c.first_ordinal + chunks.c.rows,
    )
    known = select(1).select_from(
        undos.join(undone, undone.c.id == undos.c.undone_run_id).join(
            chunks, chunks.c.run_id == undos.c.run_id
        )
    )
    next_first = select(func.min(following.c.first_ordinal)).where(
        following.c.pool_id == pool_id,
        following.c.claim == reversals.c.claim,
        following.c.first_ordinal > reversals.c.first_ordinal,
    )
    left = (
        skips.c.run_id == reversals.c.run_id,
        skips.c.ordinal.between(reversals.c.first_ordinal, reversals.c.last_ordinal),
    )
    signs = {
        "unknown": ~exists(
            known.where(its, in_chunk, chunks.c.done_at.is_not(None)).correlate(reversals)
        ),
        "again": next_first.correlate(reversals).scalar_subquery() <= reversals.c.last_ordinal,
        "skipped": exists(select(1).where(*left)),
    }
    found = select(reversals, *(flag(sign, name) for name, sign in signs.items()))
    of_pool = found.where(reversals.c.pool_id == pool_id, or_(*signs.values()))
    return stream(session, of_pool.order_by(reversals.c.claim, reversals.c.first_ordinal))


def invalid_history(session: Session, pool_id: int) -> Iterator[Row[Any]]:
    """What is in the history of a pool and can't be right: turn and claim. unmoved: nobody has
    taken it back; nobody: it names somebody who isn't there; another: it names no record, or
    another cause than its claim's."""
    known, book = select(users.c.id), ledger_history
    nobody = or_(
        book.c.user_id.not_in(known),
        book.c.actor_id.not_in(known),
        book.c.previous_owner_id.not_in(known),
    )
    another = or_(book.c.record_id.is_(None), ~book.c.claim.startswith(book.c.cause + ":"))
    signs = {"unmoved": stands(book), "nobody": nobody, "another": another}
    found = select(book.c.turn, book.c.claim, *(flag(sign, name) for name, sign in signs.items()))
    return stream(
        session, found.where(book.c.pool_id == pool_id, or_(*signs.values())).order_by(book.c.turn)
    )
