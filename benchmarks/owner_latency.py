"""How long the answer takes to whoever creates a lead with a pool as the owner, at fifty requests a
second: on the default set-up."""

from statistics import quantiles

from benchmarks.figure import Figure
from benchmarks.load_client import as_fast_as_it_answers, at_a_rate, client
from benchmarks.testbed import Bench, testbed
from worker.settings import settings

LIMIT_SECONDS = 0.1
PER_SECOND, SECONDS, THREADS = 50.0, 60.0, 40
WARM_UP = 100


def measure(bench: Bench) -> Figure:
    with (
        testbed(bench, f"sqlite:///{settings().home / 'owner_latency.db'}") as here,
        client(here) as api,
    ):
        pool_id, _ = here.pool()
        as_fast_as_it_answers(lambda: api.create_lead(pool_id), WARM_UP, 4)
        took = at_a_rate(lambda: api.create_lead(pool_id), PER_SECOND, SECONDS, THREADS)
    percentiles = quantiles(took, n=100)
    told = f"{len(took):,} requests at {PER_SECOND:.0f} a second, none failed: p50 {percentiles[49] * 1000:.0f} ms"
    measured = f"{told}, p99 {percentiles[98] * 1000:.0f} ms"
    return Figure(
        "owner_latency",
        measured,
        f"{LIMIT_SECONDS * 1000:.0f} ms at p99",
        (percentiles[98] / LIMIT_SECONDS,),
        1.0,
        at_most=True,
    )
