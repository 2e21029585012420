"""What the books say in the end. Chaos doesn't take the product's word for it: this is its own SQL."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, Table, and_, func, select
from sqlalchemy.orm import Session

from worker.domain.claims import capture_claim, run_claim
from worker.store.tables import captures, leads, ledger, pools, runs, seedings, users


class Totals(NamedTuple):
    """What was counted over all pools."""

    leads: int
    turns: int
    conflicts: int
    seeds: int
    returned: int


class Ended(NamedTuple):
    """An import that is done or was cancelled, and how many records it made."""

    state: str
    records: int


def totals(session: Session) -> Totals:
    def count(what: Any, table: Table) -> int:
        return int(session.scalar(select(func.coalesce(what, 0)).select_from(table)) or 0)

    return Totals(
        leads=count(func.count(), leads),
        turns=count(func.count(), ledger),
        conflicts=count(func.sum(pools.c.refusals), pools),
        seeds=count(func.count(), seedings),
        returned=count(func.sum(seedings.c.returned), seedings),
    )


def entered(session: Session) -> dict[int, datetime]:
    """The captured leads that belong to a person by a turn under their own claim, and since when."""
    found = _given("capture").with_only_columns(ledger.c.record_id, ledger.c.claim, ledger.c.at)
    return {row.record_id: row.at for row in session.execute(found) if row.claim == capture_claim(row.record_id)}


def created(session: Session) -> dict[int, int]:
    """The leads that somebody created for a pool, and the member whose turn it was."""
    found = _given("create").with_only_columns(ledger.c.record_id, ledger.c.user_id)
    return {row.record_id: row.user_id for row in session.execute(found)}


def created_twice(session: Session, beginning: str) -> list[str]:
    """The names with that beginning that several leads bear."""
    named = select(leads.c.last_name).where(leads.c.last_name.startswith(beginning)).group_by(leads.c.last_name)
    return list(session.scalars(named.having(func.count() > 1).order_by(leads.c.last_name)))


def ended(session: Session) -> dict[int, Ended]:
    """The imports that ended in good order: each record belongs to a person by a turn of the run's block, and what the run says agrees
    with that. One that is done has made all its good rows records; one that was cancelled has returned the turns that it didn't use."""
    counted = _given("import").with_only_columns(ledger.c.claim, func.count().label("records")).group_by(ledger.c.claim)
    made = {row.claim: row.records for row in session.execute(counted)}
    found = session.execute(select(runs).where(runs.c.state.in_(("done", "cancelled"))))
    return {run.id: Ended(run.state, run.records) for run in found if _agrees(run, made.get(run_claim("import", run.id), 0))}


def _agrees(run: Row[Any], made: int) -> bool:
    whole = run.records == run.rows - run.errors if run.state == "done" else run.returned == run.turns - run.records
    return run.records == made and whole


def _given(cause: str) -> Select[Any]:
    """The ledger's entries for that cause whose record belongs to the member whose turn it was."""
    gift = and_(leads.c.id == ledger.c.record_id, leads.c.pool_id == ledger.c.pool_id, leads.c.turn == ledger.c.turn)
    theirs = and_(users.c.id == ledger.c.user_id, users.c.id == leads.c.owner_id, ~users.c.is_pool)
    return select(ledger).join(leads, gift).join(users, theirs).where(ledger.c.cause == cause)


def unfinished(session: Session) -> int:
    """How many captured leads wait for their owner, and imports for their end. What was set aside or has failed waits for an operator."""
    waiting = session.scalar(select(func.count()).select_from(captures).where(~captures.c.set_aside)) or 0
    return waiting + (session.scalar(select(func.count()).select_from(runs).where(runs.c.ended_at.is_(None))) or 0)


def failed_runs(session: Session) -> list[int]:
    return list(session.scalars(select(runs.c.id).where(runs.c.state == "failed").order_by(runs.c.id)))


def newest_leads(session: Session, many: int) -> list[int]:
    return list(session.scalars(select(leads.c.id).order_by(leads.c.id.desc()).limit(many)))


def newest_runs(session: Session, many: int) -> list[int]:
    return list(session.scalars(select(runs.c.id).order_by(runs.c.id.desc()).limit(many)))
