"""The rings in Redis against the ledger: where they disagree, or turns were handed out and never
entered, the ring is seeded."""

import logging
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy.orm import Session

from worker.domain.turns.pool import Pool
from worker.domain.turns.rosters import Roster
from worker.domain.turns.turns import Span, Turns, merged, uncovered
from worker.errors.servers import Garbled
from worker.flows.system import System
from worker.flows.turns import seed
from worker.flows.unit import Unit
from worker.flows.upkeep.sweeps import Repair
from worker.ring import RingState
from worker.store.intake import captures
from worker.store.sql.clock import now
from worker.store.turns import ledger, pools

logger = logging.getLogger(__name__)

OWED = timedelta(minutes=1)
"""While captured leads wait, a turn that isn't entered may have been taken for one of them. After
so long it wasn't."""

WORTH_RAISING_TURNS = 1_000


def repair(system: System) -> list[Repair]:
    """Seeds the rings that aren't where the ledger says. A ring without state is in order: it is
    seeded when somebody asks for a turn."""
    with system.reading() as session:
        live = [pool.id for pool in pools.live(session)]
    found = [found for pool_id in live if (found := _repair_pool(system, pool_id))]
    for what, did in found:
        logger.warning("%s: %s", what, did)
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
        settled = None if wrong else _settled(session, pool)
    if wrong:
        return system.transact(_seed, pool_id)
    if settled:
        system.transact(pools.raise_watermark, pool, settled)
    return None


def _drop(unit: Unit, pool_id: int) -> Repair:
    pools.lock(unit, pool_id)
    unit.ring.drop(pool_id)
    return Repair(
        f"the ring of pool {pool_id} held what no script of ours has written",
        "dropped it, to be seeded when next asked",
    )


def _seed(unit: Unit, pool_id: int) -> Repair | None:
    """Looks again while nobody is between taking and entering a turn."""
    pool, state = pools.lock(unit, pool_id), unit.ring.state(pool_id)
    wrong = describe_problem(unit, pool, state) if state else None
    if wrong is None:
        return None
    seed.seed_again(unit, pool_id, wrong)
    return Repair(f"the ring of pool {pool_id}: {wrong}", "seeded it")


def describe_problem(session: Session, pool: Pool, state: RingState) -> str | None:
    """Why a ring must be seeded, in words; None when it needn't be."""
    if state.epoch != pool.epoch:
        return "it is of another epoch"
    latest, greatest = pools.latest_roster(session, pool.id), ledger.greatest_turn(session, pool.id)
    if found := disagreements(state, latest, greatest):
        return found[0]
    missing = ledger.missing(session, pool.id, pool.watermark, state.next_turn - 1)
    if used := _beyond(state.returned, missing):
        return f"it would hand out turn {used[0].first} again"
    lost = _beyond(missing, state.returned)
    if lost and captures.find_last_in_line(session, pool.id):
        lost = [
            span for span in lost if ledger.entered_after(session, pool.id, span.last, now() - OWED)
        ]
    return (
        f"{Turns(lost).total} turns, the first of them {lost[0].first}, were handed out and never entered"
        if lost
        else None
    )


def disagreements(state: RingState, latest: Roster, greatest: int) -> list[str]:
    """In what a ring of the right epoch is not where SQL is: whose latest roster it is, and the
    greatest turn that is used."""
    cursor = (
        latest.slot(state.next_turn)
        if latest.members and state.next_turn >= latest.first_turn
        else 0
    )
    checks = {
        f"it hands out turn {state.next_turn} next, but turns up to {greatest} are used": state.next_turn
        > greatest,
        f"it has roster version {state.version}, SQL has {latest.version}": state.version
        == latest.version,
        f"it has the members {state.members}, SQL has {latest.members}": state.members
        == latest.members,
        f"it counts {state.slots} members, SQL {len(latest.members)}": state.slots
        == len(latest.members),
        f"its cursor is {state.cursor}, by the roster it is {cursor}": state.cursor == cursor,
    }
    return [what for what, right in checks.items() if not right]


def _beyond(turns: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """The turns that are not among the others. Of those that are neither entered nor reserved and
    those that are returned, each must be among the other. There may be many of both."""
    return list(uncovered(merged(turns), merged(others)))


def _settled(session: Session, pool: Pool) -> int | None:
    """The watermark as it may be, if raising it would save much reading."""
    missing = ledger.missing(
        session, pool.id, pool.watermark, last := ledger.greatest_turn(session, pool.id)
    )
    settled = ledger.settled(session, pool.id, last, Turns(missing))
    return settled if settled - pool.watermark >= WORTH_RAISING_TURNS else None
