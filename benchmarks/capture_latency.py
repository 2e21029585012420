"""How long a captured lead waits for its owner when nothing else is going on: on the default
set-up."""

from benchmarks.burst import count_seconds, find_percentile, open_capture_testbed, read_times
from benchmarks.figure import Figure
from benchmarks.load_client import add_hook, send_at_rate
from benchmarks.testbed import Bench

LIMIT_SECONDS = 0.3
PER_SECOND, SECONDS = 5.0, 40.0


def measure(bench: Bench) -> Figure:
    with open_capture_testbed(bench, "capture_latency") as (here, api):
        pool_id, pool = here.add_pool()
        slug = add_hook(here, pool)
        send_at_rate(lambda: api.deliver(slug), PER_SECOND, SECONDS, threads=4)
        waited = [
            count_seconds(accepted, assigned)
            for accepted, assigned in read_times(here, pool_id, int(PER_SECOND * SECONDS))
        ]
    half, most = find_percentile(waited, 50), find_percentile(waited, 95)
    percentiles = f"p50 {half * 1000:.0f} ms, p95 {most * 1000:.0f} ms"
    measured = f"{len(waited)} leads at {PER_SECOND:.0f} a second: {percentiles}"
    return Figure(
        "capture_latency",
        measured,
        f"{LIMIT_SECONDS * 1000:.0f} ms at p95",
        (most / LIMIT_SECONDS,),
        1.0,
        at_most=True,
    )
