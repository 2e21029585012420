"""Leases: who is on a piece of work, how often it was tried, and why it waits. When a lease runs
out, somebody else may take the work over.

The work is rows of a table with the columns attempts, leased_until, leased_by, set_aside and
reason: runs, chunks, captured leads or enrichments.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import ColumnElement, Row, Table, Update, and_, func, or_, select, tuple_, update
from sqlalchemy.orm import Session

from worker.store.sql.clock import now

AnyColumn: TypeAlias = ColumnElement[Any]
Rows: TypeAlias = list[Row[Any]]

MOST_ATTEMPTS = 3
"""Work that was begun this many times and never ended is set aside."""


class LeasedWork(NamedTuple):
    """Some rows of a table of work."""

    table: Table
    which: ColumnElement[bool]


def is_idle(table: Table) -> ColumnElement[bool]:
    """That nobody is on it."""
    return or_(table.c.leased_until.is_(None), table.c.leased_until < now())


def is_free(table: Table, holder: str = "") -> ColumnElement[bool]:
    """That the holder may take it: nobody else is on it, and it wasn't tried too often."""
    return and_(
        ~table.c.set_aside,
        table.c.attempts < MOST_ATTEMPTS,
        or_(is_idle(table), table.c.leased_by == holder),
    )


def lease(
    session: Session, work: LeasedWork, holder: str, seconds: float, *answer: AnyColumn
) -> Rows:
    """Leases as much of the work as the holder may take, and counts an attempt. Returns the answer
    columns of what was leased."""
    mine = {
        "attempts": work.table.c.attempts + 1,
        "leased_until": _in(seconds),
        "leased_by": holder,
        "reason": None,
    }
    return list(
        session.execute(
            update(work.table)
            .where(work.which, is_free(work.table, holder))
            .values(mine)
            .returning(*answer)
        )
    )


def extend(session: Session, work: LeasedWork, holder: str, seconds: float) -> None:
    session.execute(_update_held(work, holder).values(leased_until=_in(seconds)))


def release(session: Session, work: LeasedWork, holder: str, reason: str) -> None:
    """Ends a lease for a reason that isn't the work's own: the attempt doesn't count."""
    free = {
        "attempts": work.table.c.attempts - 1,
        "leased_until": None,
        "leased_by": None,
        "reason": reason,
    }
    session.execute(_update_held(work, holder).values(free))


def fail(
    session: Session, work: LeasedWork, holder: str, reason: str, pause_seconds: float
) -> None:
    """Notes what went wrong. Nobody may take the work for `pause_seconds`."""
    session.execute(
        _update_held(work, holder).values(
            leased_until=_in(pause_seconds), leased_by=None, reason=reason
        )
    )


def _update_held(work: LeasedWork, holder: str) -> Update:
    return update(work.table).where(work.which, work.table.c.leased_by == holder)


def has_expired(session: Session, work: LeasedWork) -> bool:
    """Whether a lease has run out: its worker has vanished, or a pause is over."""
    over = select(1).where(work.which, ~work.table.c.set_aside, work.table.c.leased_until < now())
    return session.execute(over.limit(1)).first() is not None


def set_aside(session: Session, work: LeasedWork, reason: str, *answer: AnyColumn) -> Rows:
    """Sets aside what was tried too often and is leased to nobody. It keeps the reason of its last
    failure, or gets the reason given here."""
    table = work.table
    worn_out = LeasedWork(
        table,
        and_(work.which, ~table.c.set_aside, table.c.attempts >= MOST_ATTEMPTS, is_idle(table)),
    )
    gone = {
        "set_aside": True,
        "leased_until": None,
        "leased_by": None,
        "reason": func.coalesce(table.c.reason, reason),
    }
    return list(
        session.execute(update(table).where(is_unlocked(worn_out)).values(gone).returning(*answer))
    )


def release_expired(session: Session, work: LeasedWork, *answer: AnyColumn) -> Rows:
    """Ends the leases of workers that vanished, so that each piece of work is sent again once, and
    not at each sweep."""
    table = work.table
    expired = LeasedWork(table, and_(work.which, table.c.leased_until < now(), is_free(table)))
    ended = update(table).where(is_unlocked(expired)).values(leased_until=None, leased_by=None)
    return list(session.execute(ended.returning(*answer)))


def is_unlocked(work: LeasedWork) -> ColumnElement[bool]:
    """The work without the rows that somebody else has locked: a sweep must not wait for one."""
    key = list(work.table.primary_key)
    return tuple_(*key).in_(select(*key).where(work.which).with_for_update(skip_locked=True))


def try_again(session: Session, work: LeasedWork, *answer: AnyColumn) -> Rows:
    """Gives work that was set aside all its attempts again."""
    again = (
        update(work.table)
        .where(work.which, work.table.c.set_aside)
        .values(set_aside=False, attempts=0)
    )
    return list(session.execute(again.returning(*answer)))


def _in(seconds: float) -> datetime:
    return now() + timedelta(seconds=seconds)
