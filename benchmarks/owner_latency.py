"""How long it takes to create a lead with a pool as its owner, at fifty requests a second on the
default set-up."""

from statistics import quantiles

from benchmarks.figure import Figure
from benchmarks.load_client import run_api, send_at_full_speed, send_at_rate
from benchmarks.testbed import Bench, testbed
from worker.settings import settings

LIMIT_SECONDS = 0.1
PER_SECOND, SECONDS, THREADS = 50.0, 60.0, 40
WARM_UP = 100


def measure(bench: Bench) -> Figure:
    with (
        testbed(bench, f"sqlite:///{settings().home / 'owner_latency.db'}") as here,
        run_api(here) as api,
    ):
        pool_id, _ = here.add_pool()
        send_at_full_speed(lambda: api.create_lead(pool_id), WARM_UP, 4)
        took = send_at_rate(lambda: api.create_lead(pool_id), PER_SECOND, SECONDS, THREADS)
    percentiles = quantiles(took, n=100)
    requests = f"{len(took):,} requests at {PER_SECOND:.0f} a second, none failed"
    times = f"p50 {percentiles[49] * 1000:.0f} ms, p99 {percentiles[98] * 1000:.0f} ms"
    measured = f"{requests}: {times}"
    return Figure(
        "owner_latency",
        measured,
        f"{LIMIT_SECONDS * 1000:.0f} ms at p99",
        (percentiles[98] / LIMIT_SECONDS,),
        1.0,
        at_most=True,
    )
