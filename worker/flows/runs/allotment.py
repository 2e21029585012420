"""Whom a run gives its records."""

from dataclasses import replace

from sqlalchemy.orm import Session

from worker.domain.runs.runs import RunKind
from worker.domain.turns.allotment import Allotment
from worker.domain.turns.causes import Cause
from worker.domain.turns.claims import name_run_claim
from worker.domain.turns.turns import Turns
from worker.store.runs.runs import Run
from worker.store.turns import ledger, pools


def allot(session: Session, run: Run, first: int, count: int) -> Allotment:
    """The new owners of `count` records of a run, from the ordinal `first` on: the members whose
    turns are in the run's block, or the person whom the run names. The records' own ids are not in
    it yet."""
    claim = name_run_claim(run.kind, run.id)
    nobody = [None] * count
    by_choice = Allotment(
        pool_id=None,
        cause=Cause(run.kind),
        claims=[claim] * count,
        ordinals=range(first, first + count),
        turns=nobody,
        owner_ids=[run.owner_id] * count,
        record_ids=nobody,
        previous_owner_ids=nobody,
        actor_ids=[run.actor_id] * count,
        given_by=None if run.kind == RunKind.IMPORT else run.id,
    )
    if not run.turns or not count:
        return by_choice
    reserved = ledger.find_block(session, run.owner_id, claim) or Turns()
    mine = reserved.slice(first, count)
    rosters = pools.list_rosters_between(session, run.owner_id, min(mine).first, max(mine).last)
    return replace(
        by_choice,
        pool_id=run.owner_id,
        turns=list(mine.each()),
        owner_ids=list(rosters.owners(mine)),
    )
