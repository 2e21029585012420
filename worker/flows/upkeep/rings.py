"""Repairs of rings: a ring is seeded when it disagrees with the ledger, or has handed out turns
that were never entered."""

import logging
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy.orm import Session

from worker.domain.turns.pool import Pool
from worker.domain.turns.turns import Span, Turns, merge, subtract
from worker.domain.upkeep import Repair
from worker.errors.servers import Garbled
from worker.flows.system import System
from worker.flows.turns import seed
from worker.flows.unit import Unit
from worker.ring import RingState
from worker.store.intake import captures
from worker.store.sql.clock import now
from worker.store.turns import ledger, pools

logger = logging.getLogger(__name__)

OWED = timedelta(minutes=1)
"""While captured leads wait, a turn that isn't entered may have been taken for one of them. It
wasn't if a later turn was entered longer ago than this."""

WORTH_RAISING_TURNS = 1_000
"""A watermark is raised if seeding then reads at least this number of turns less."""


def repair(system: System) -> list[Repair]:
    """Seeds the rings that aren't where the ledger says. A ring without state is in order: it is
    seeded when a task asks for a turn."""
    with system.reading() as session:
        live = [pool.id for pool in pools.list_live(session)]
    found = [found for pool_id in live if (found := _repair_pool(system, pool_id))]
    for each in found:
        logger.warning("%s: %s", each.problem, each.action)
    return found


def _repair_pool(system: System, pool_id: int) -> Repair | None:
    try:
        state = system.ring.state(pool_id)
    except Garbled:
        return system.transact(_drop, pool_id)
    if state is None:
        return None
    with system.reading() as session:
        pool = pools.get(session, pool_id)
        wrong = describe_problem(session, pool, state)
        watermark = None if wrong else _find_higher_watermark(session, pool)
    if wrong:
        return system.transact(_seed, pool_id)
    if watermark:
        system.transact(pools.raise_watermark, pool, watermark)
    return None


def _drop(unit: Unit, pool_id: int) -> Repair:
    pools.lock_exclusive(unit, pool_id)
    unit.ring.drop(pool_id)
    return Repair(
        f"the ring of pool {pool_id} held what no script of ours has written",
        "dropped it, to be seeded when next asked",
    )


def _seed(unit: Unit, pool_id: int) -> Repair | None:
    """Seeds the ring if it still must be, when nobody is between taking and entering a turn."""
    pool, state = pools.lock_exclusive(unit, pool_id), unit.ring.state(pool_id)
    wrong = describe_problem(unit, pool, state) if state else None
    if wrong is None:
        return None
    seed.seed_again(unit, pool_id, wrong)
    return Repair(f"the ring of pool {pool_id}: {wrong}", "seeded it")


def describe_problem(session: Session, pool: Pool, state: RingState) -> str | None:
    """Why a ring must be seeded, in words; None when it needn't be."""
    if state.epoch != pool.epoch:
        return "it is of another epoch"
    latest = pools.get_latest_roster(session, pool.id)
    greatest = ledger.find_greatest_turn(session, pool.id)
    if found := state.list_disagreements(latest, greatest):
        return found[0]
    missing = ledger.find_missing(session, pool.id, pool.watermark, state.next_turn - 1)
    if used := _subtract(state.returned, missing):
        return f"it would hand out turn {used[0].first} again"
    lost = _subtract(missing, state.returned)
    if lost and captures.find_last_in_line(session, pool.id):
        lost = [
            span
            for span in lost
            if ledger.has_later_turn_entered_before(session, pool.id, span.last, now() - OWED)
        ]
    if not lost:
        return None
    turns = f"{Turns(lost).total} turns, the first of them {lost[0].first}"
    return f"{turns}, were handed out and never entered"


def _subtract(turns: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """The turns that are not among the others. Takes many of both."""
    return list(subtract(merge(turns), merge(others)))


def _find_higher_watermark(session: Session, pool: Pool) -> int | None:
    """The highest watermark that is right, if it saves much reading."""
    last = ledger.find_greatest_turn(session, pool.id)
    missing = ledger.find_missing(session, pool.id, pool.watermark, last)
    highest = ledger.find_watermark(session, pool.id, last, Turns(missing))
    return highest if highest - pool.watermark >= WORTH_RAISING_TURNS else None
