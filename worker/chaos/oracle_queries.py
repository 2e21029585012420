"""Reads from SQL how a soak ended. These are chaos' own queries: it doesn't trust the product's."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, Table, and_, func, or_, select, union_all
from sqlalchemy.orm import Session

from worker.chaos.api import CREATED
from worker.domain.runs.runs import RunKind
from worker.domain.turns.claims import name_capture_claim, name_run_claim
from worker.store.tables import (
    captures,
    leads,
    ledger,
    ledger_history,
    pools,
    reversals,
    runs,
    seedings,
    undos,
    users,
)


class LedgerTotals(NamedTuple):
    """The counts over all pools."""

    leads: int
    keyed_runs: int
    """Imports to a person and reassignments: each was asked for under a key."""
    turns: int
    conflicts: int
    seeds: int
    returned: int


class EndedRun(NamedTuple):
    """A run that is done or was cancelled, and how many records it made, moved or took back."""

    state: str
    records: int


class OracleReport(NamedTuple):
    """Their numbers at one moment."""

    totals: LedgerTotals
    entered: dict[int, datetime]
    created: dict[int, int]
    created_twice: list[str]
    imported: dict[int, EndedRun]
    stocked: dict[int, EndedRun]
    moved: dict[int, EndedRun]
    undone: dict[int, EndedRun]


def read(session: Session) -> OracleReport:
    return OracleReport(
        totals=_read_totals(session),
        entered=_read_entered(session),
        created=_read_created(session),
        created_twice=_read_created_twice(session),
        imported=_read_imported(session),
        stocked=_read_stocked(session),
        moved=_read_moved(session),
        undone=_read_undone(session),
    )


def _read_totals(session: Session) -> LedgerTotals:
    def count(what: Any, table: Table) -> int:
        return int(session.scalar(select(func.coalesce(what, 0)).select_from(table)) or 0)

    to_a_person = runs.c.owner_id.not_in(select(pools.c.id))
    return LedgerTotals(
        leads=count(func.count(), leads),
        keyed_runs=count(
            func.count().filter(
                or_(
                    runs.c.kind == RunKind.REASSIGN,
                    and_(runs.c.kind == RunKind.IMPORT, to_a_person),
                )
            ),
            runs,
        ),
        turns=count(func.count(), ledger),
        conflicts=count(func.sum(pools.c.refusals), pools),
        seeds=count(func.count(), seedings),
        returned=count(func.sum(seedings.c.returned), seedings),
    )


def _read_entered(session: Session) -> dict[int, datetime]:
    """Reads since when each captured lead belongs to a person by a turn under its own claim."""
    found = _select_entries("capture").with_only_columns(
        ledger.c.record_id, ledger.c.claim, ledger.c.at
    )
    return {
        row.record_id: row.at
        for row in session.execute(found)
        if row.claim == name_capture_claim(row.record_id)
    }


def _read_created(session: Session) -> dict[int, int]:
    """Reads the leads that were created for a pool, with the member whose turn it was."""
    found = _select_entries("create").with_only_columns(ledger.c.record_id, ledger.c.user_id)
    return {row.record_id: row.user_id for row in session.execute(found)}


def _read_created_twice(session: Session) -> list[str]:
    """Reads the keys under which several leads were created. A lead's name is its key."""
    named = (
        select(leads.c.last_name)
        .where(leads.c.last_name.startswith(CREATED))
        .group_by(leads.c.last_name)
    )
    return list(session.scalars(named.having(func.count() > 1).order_by(leads.c.last_name)))


def _read_imported(session: Session) -> dict[int, EndedRun]:
    """Reads the imports to pools that ended in good order: each record belongs to a person by a
    turn of the run's block, and the run's own numbers agree. A done import has made a record of
    each good row; a cancelled one has returned the turns that it didn't use."""
    made = _count_by_key(
        session,
        _select_entries(RunKind.IMPORT)
        .with_only_columns(ledger.c.claim, func.count())
        .group_by(ledger.c.claim),
    )

    def in_order(run: Row[Any]) -> bool:
        whole = (
            run.records == run.rows - run.errors
            if run.state == "done"
            else run.returned == run.turns - run.records
        )
        return run.records == made.get(name_run_claim(RunKind.IMPORT, run.id), 0) and whole

    return _list_ended(session, RunKind.IMPORT, in_order)


def _read_stocked(session: Session) -> dict[int, EndedRun]:
    """Reads the imports that made a record of each good row, no matter who owns the records now."""
    return _list_ended(session, RunKind.IMPORT, lambda run: run.records == run.rows - run.errors)


def _read_moved(session: Session) -> dict[int, EndedRun]:
    """The reassignments to pools that ended in good order: for each record that it moved there is
    an entry, taken back or not, the turns that it didn't use came back, and one that is done has
    moved or skipped each record of its list."""
    entered = union_all(select(ledger.c.claim), select(ledger_history.c.claim)).subquery()
    counted = _count_by_key(
        session, select(entered.c.claim, func.count()).group_by(entered.c.claim)
    )

    def in_order(run: Row[Any]) -> bool:
        return run.records == counted.get(
            name_run_claim(RunKind.REASSIGN, run.id), 0
        ) == run.turns - run.returned and _is_whole(run)

    return _list_ended(session, RunKind.REASSIGN, in_order)


def _read_undone(session: Session) -> dict[int, EndedRun]:
    """The undos of such reassignments that ended in good order: each entry that it took back is
    noted, and their turns came back, if that was asked for."""
    spans = select(
        reversals.c.run_id, func.sum(reversals.c.last_ordinal - reversals.c.first_ordinal + 1)
    ).group_by(reversals.c.run_id)
    counted = _count_by_key(session, spans)
    returning = set(session.scalars(select(undos.c.run_id).where(undos.c.returns_turns)))

    def in_order(run: Row[Any]) -> bool:
        returned = run.records if run.id in returning else 0
        return run.records == counted.get(run.id, 0) and run.returned == returned and _is_whole(run)

    return _list_ended(session, RunKind.UNDO, in_order)


def _count_by_key(session: Session, statement: Select[Any]) -> dict[Any, int]:
    return {what: int(count) for what, count in session.execute(statement)}


def _is_whole(run: Row[Any]) -> bool:
    return run.state == "cancelled" or bool(run.records + run.skipped == run.rows)


def _list_ended(
    session: Session, kind: str, in_order: Callable[[Row[Any]], bool]
) -> dict[int, EndedRun]:
    """The runs of a kind that are done or were cancelled, and are in order."""
    found = session.execute(
        select(runs).where(runs.c.kind == kind, runs.c.state.in_(("done", "cancelled")))
    )
    return {run.id: EndedRun(run.state, run.records) for run in found if in_order(run)}


def _select_entries(cause: str) -> Select[Any]:
    """The ledger's entries for that cause whose record belongs to the member whose turn it was."""
    gift = and_(
        leads.c.id == ledger.c.record_id,
        leads.c.pool_id == ledger.c.pool_id,
        leads.c.turn == ledger.c.turn,
    )
    theirs = and_(users.c.id == ledger.c.user_id, users.c.id == leads.c.owner_id, ~users.c.is_pool)
    return select(ledger).join(leads, gift).join(users, theirs).where(ledger.c.cause == cause)


def count_unfinished(session: Session) -> int:
    """How many captured leads wait for their owner, and runs for their end. Work that was set aside
    or has failed waits for an operator."""
    waiting = (
        session.scalar(select(func.count()).select_from(captures).where(~captures.c.set_aside)) or 0
    )
    return waiting + (
        session.scalar(select(func.count()).select_from(runs).where(runs.c.ended_at.is_(None))) or 0
    )


def list_failed_runs(session: Session) -> list[int]:
    return list(
        session.scalars(select(runs.c.id).where(runs.c.state == "failed").order_by(runs.c.id))
    )


def list_newest_leads(session: Session, many: int) -> list[int]:
    return list(session.scalars(select(leads.c.id).order_by(leads.c.id.desc()).limit(many)))


def list_newest_runs(session: Session, many: int) -> list[tuple[int, str]]:
    """Each with its kind."""
    return [
        (run_id, kind)
        for run_id, kind in session.execute(
            select(runs.c.id, runs.c.kind).order_by(runs.c.id.desc()).limit(many)
        )
    ]
