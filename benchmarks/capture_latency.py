"""How long a captured lead waits for its owner when nothing else is going on: on the default
set-up."""

from benchmarks.burst import open_house, percentile, seconds, times
from benchmarks.figure import Figure
from benchmarks.load_client import at_a_rate, hook
from benchmarks.testbed import Bench

LIMIT_SECONDS = 0.3
PER_SECOND, SECONDS = 5.0, 40.0


def measure(bench: Bench) -> Figure:
    with open_house(bench, "capture_latency") as (here, api):
        pool_id, pool = here.pool()
        slug = hook(here, pool)
        at_a_rate(lambda: api.deliver(slug), PER_SECOND, SECONDS, threads=4)
        waited = [
            seconds(accepted, assigned)
            for accepted, assigned in times(here, pool_id, int(PER_SECOND * SECONDS))
        ]
    half, most = percentile(waited, 50), percentile(waited, 95)
    measured = f"{len(waited)} leads at {PER_SECOND:.0f} a second: p50 {half * 1000:.0f} ms, p95 {most * 1000:.0f} ms"
    return Figure(
        "capture_latency",
        measured,
        f"{LIMIT_SECONDS * 1000:.0f} ms at p95",
        (most / LIMIT_SECONDS,),
        1.0,
        at_most=True,
    )
