"""Finds out which turns a pool hands out next, without taking any."""

from worker.domain.turns.pool import Pool
from worker.domain.turns.turns import Upcoming
from worker.errors.servers import Garbled, RingUnreachable
from worker.errors.turns import Refused
from worker.flows.turns import fence, seed
from worker.flows.unit import Unit
from worker.ring import Ring, RingState, Taken
from worker.store.turns import pools


def find_next_turns(unit: Unit, pool: Pool, count: int = 1) -> Upcoming:
    """What the ring would hand out, if the fence lets its next `count` turns pass. Else what it
    would hand out after a seeding."""
    state = _read_state(unit.ring, pool.id)
    if state is None:
        return seed.predict(unit, pool)
    upcoming = Upcoming(state.returned, state.next_turn)
    taken = Taken(state.epoch, state.version, [upcoming.first(count)])
    try:
        fence.check_turns(unit, pool, pools.get_latest_roster(unit, pool.id), taken)
    except Refused:
        return seed.predict(unit, pool)
    return upcoming


def _read_state(ring: Ring, pool_id: int) -> RingState | None:
    """The ring's state; None if it has none, can't be read, or makes no sense. SQL knows enough."""
    try:
        return ring.state(pool_id)
    except (RingUnreachable, Garbled):
        return None
