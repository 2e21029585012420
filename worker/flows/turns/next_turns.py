"""Which turns a pool hands out next, found out without taking any."""

from worker.domain.turns.pool import Pool
from worker.domain.turns.turns import Upcoming
from worker.errors.servers import Garbled, RingUnreachable
from worker.errors.turns import Refused
from worker.flows.turns import assign, seed
from worker.flows.unit import Unit
from worker.ring import Ring, RingState, Taken
from worker.store.turns import pools


def next_turns(unit: Unit, pool: Pool, count: int = 1) -> Upcoming:
    """What the ring holds, if the fence would let so many of its turns pass; else what seeding it
    would find."""
    state = _state(unit.ring, pool.id)
    if state is None:
        return seed.would_find(unit, pool)
    upcoming = Upcoming(state.returned, state.next_turn)
    taken = Taken(state.epoch, state.version, [upcoming.first(count)])
    try:
        assign.fence(unit, pool, pools.latest_roster(unit, pool.id), taken)
    except Refused:
        return seed.would_find(unit, pool)
    return upcoming


def _state(ring: Ring, pool_id: int) -> RingState | None:
    """None also for a ring that has nothing to say, or nothing that makes sense: SQL knows enough."""
    try:
        return ring.state(pool_id)
    except (RingUnreachable, Garbled):
        return None
