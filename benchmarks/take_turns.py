"""What one million turns cost against what one turn costs, in one call of the ring each."""

import secrets
import time
from statistics import median

from benchmarks.figure import Figure
from benchmarks.testbed import Bench, testbed
from worker.domain.turns.rosters import Roster
from worker.domain.turns.turns import Turns
from worker.ring import Ring

TARGET = 1.3
MANY = 1_000_000
CALLS = 2_000
ROUNDS = 5


def measure(bench: Bench) -> Figure:
    with testbed(bench, bench.postgres.create_database()) as here:
        pool_id, _ = here.add_pool()
        seen = here.system.ring.epoch(pool_id)  # another testbed's pool may have had this number
        here.system.ring.seed(
            pool_id, seen, secrets.token_hex(8), Roster(1, 1, 0, (11, 12, 13, 14, 15)), 1, Turns()
        )
        rounds = [_run_round(here.system.ring, pool_id) for _ in range(ROUNDS)]
    one, many = (median(side) * 1e6 for side in zip(*rounds, strict=True))
    ratios = tuple(many / one for one, many in rounds)
    return Figure(
        "take_turns",
        f"{MANY:,} turns in {many:.0f} µs",
        f"1 turn in {one:.0f} µs",
        ratios,
        TARGET,
        at_most=True,
    )


def _run_round(ring: Ring, pool_id: int) -> tuple[float, float]:
    """The median seconds of a call for one turn and of a call for many, by turns."""
    calls = [(_call(ring, pool_id, 1), _call(ring, pool_id, MANY)) for _ in range(CALLS)]
    one, many = zip(*calls, strict=True)
    return median(one), median(many)


def _call(ring: Ring, pool_id: int, turns: int) -> float:
    claim = f"benchmark:{secrets.token_hex(8)}"
    begun = time.perf_counter()
    ring.take_turns(pool_id, [(claim, turns)])
    return time.perf_counter() - begun
