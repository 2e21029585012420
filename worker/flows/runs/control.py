"""Runs that shall not go on, and those that shall be tried again."""

from typing import Any, NamedTuple

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.domain.runs.runs import IMPORT, STORIES, UNDO
from worker.domain.turns.claims import run_claim
from worker.errors.runs import NothingToRetry, RunEnded, UnknownRun
from worker.flows.turns import seed
from worker.flows.unit import Unit
from worker.queue import enqueue
from worker.store.intake import captures, enrichment
from worker.store.runs import chunks, reversals, runs, undos
from worker.store.turns import ledger, pools


class Cancelled(NamedTuple):
    """What a cancelled run leaves: the records to which it has done what it was to do, and the
    turns that it gave back unused."""

    records: int
    returned: int


def cancel(unit: Unit, run_id: int) -> Cancelled:
    """Stops a run between two chunks. What it has done stays; the turns that it doesn't use are the
    next to be handed out."""
    run = _held(unit, run_id)
    unfinished = run.state == "failed" and run.chunks_left
    if run.state == "cancelled" or (run.ended_at is not None and not unfinished):
        raise RunEnded(run_id=run_id, state=run.state)
    claim, returned = run_claim(run.kind, run_id), _returned(unit, run)
    so_far = 0 if run.kind == UNDO else returned  # an undo's come back when it is closed
    runs.change(
        unit, run_id, state="cancelled", reason=None, returned=so_far, ended_at=None
    )  # closing ends it
    if run.turns:
        ledger.close_block(unit, run.owner_id, claim)
        seed.seed_again(unit, run.owner_id, f"run {run_id} was cancelled")
    enqueue(unit, STORIES[run.kind].close, run=run_id)
    return Cancelled(run.records, returned)


def _returned(session: Session, run: Row[Any]) -> int:
    """The turns that a cancelled run gives back: of its own those that it hasn't used, or of an
    undo those that it has freed, unless there is no pool any more that they could come back to."""
    if run.kind == UNDO:
        returning = undos.with_id(session, run.id).returns_turns and pools.with_id(
            session, run.owner_id
        )
        return reversals.count(session, run.id) if returning else 0
    return (
        run.turns - ledger.entered_of(session, run.owner_id, run_claim(run.kind, run.id))
        if run.turns
        else 0
    )


def changes_owners(session: Session, run: Row[Any]) -> bool:
    """Whether a run gives records that are there already to others, or back: unlike an import, and
    the undo of one."""
    undone = (
        runs.with_id(session, undos.with_id(session, run.id).undone_run_id)
        if run.kind == UNDO
        else run
    )
    return undone.kind != IMPORT


def retry(session: Session, run_id: int) -> int:
    """Goes on with a run that failed: with the chunks that were set aside, or from the beginning.
    Returns how many tasks that is."""
    run = _held(session, run_id)
    if run.state != "failed":
        raise NothingToRetry(run_id=run_id, state=run.state)
    unleased = {
        "set_aside": False,
        "attempts": 0,
        "leased_until": None,
        "leased_by": None,
        "reason": None,
    }
    afresh = {**unleased, "ended_at": None, "resent": 0}
    if run.chunks_left is None:
        runs.change(session, run_id, state="accepted", **afresh)
        enqueue(session, STORIES[run.kind].scan, run=run_id)
        return 1
    runs.change(session, run_id, state="loading", **afresh)
    numbers = chunks.try_again(session, run_id)
    for number in numbers:
        enqueue(session, STORIES[run.kind].chunk, run=run_id, chunk=number)
    return len(numbers)


def retry_leads(session: Session) -> int:
    """Puts all captured leads that were set aside back in line, and has fetched what was set aside
    of others. Returns how many."""
    again = captures.try_again(session)
    for last in {row.pool_id: row.lead_id for row in sorted(again)}.values():
        enqueue(session, "captures.assign", lead=last)
    more = enrichment.try_again(session)
    for integration_id in {row.integration_id for row in more}:
        enqueue(session, "enrichments.fetch", integration=integration_id)
    return len({row.lead_id for row in again} | {row.lead_id for row in more})


def _held(session: Session, run_id: int) -> Row[Any]:
    run = runs.lock_exclusive(session, run_id)
    if run is None:
        raise UnknownRun(run_id=run_id)
    return run
