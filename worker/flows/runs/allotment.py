"""Whom a run gives its records."""

from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.domain.turns.claims import run_claim
from worker.domain.turns.turns import Turns
from worker.store.runs.selections import Gifts
from worker.store.turns import ledger, pools


def of_run(session: Session, run: Row[Any], first: int, count: int) -> Gifts:
    """The new owners of a run's records from one ordinal on: the members whose turns its block has,
    or whom it names."""
    ordinals = range(first, first + count)
    if not run.turns or not count:
        return Gifts(ordinals, [run.owner_id] * count, [None] * count, None)
    reserved = ledger.block(session, run.owner_id, run_claim(run.kind, run.id)) or Turns()
    mine = reserved.slice(first, count)
    rosters = pools.rosters_between(session, run.owner_id, min(mine).first, max(mine).last)
    return Gifts(ordinals, list(rosters.owners(mine)), list(mine.each()), run.owner_id)
