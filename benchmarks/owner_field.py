"""Creating leads over HTTP with a pool as the owner, against the same with a person: on the default
set-up, as fast as it answers."""

from statistics import median

from benchmarks.figure import Figure
from benchmarks.load_client import LoadClient, run_api, send_at_full_speed
from benchmarks.testbed import Bench, testbed
from worker.settings import settings

TARGET = 0.5
REQUESTS, THREADS = 1_500, 8
WARM_UP = 100


def measure(bench: Bench) -> Figure:
    with (
        testbed(bench, f"sqlite:///{settings().home / 'owner_field.db'}") as here,
        run_api(here) as api,
    ):
        pool_id, person = here.add_pool()[0], here.find_person()
        for owner_id in (pool_id, person):
            _measure_seconds(api, owner_id, WARM_UP)
        pairs = [
            (_measure_seconds(api, person, REQUESTS), _measure_seconds(api, pool_id, REQUESTS))
            for _ in range(bench.pairs)
        ]
    bare, ours = (REQUESTS / median(side) for side in zip(*pairs, strict=True))
    ratios = tuple(theirs / mine for theirs, mine in pairs)
    return Figure(
        "owner_field",
        f"{ours:.0f} leads a second to a pool",
        f"{bare:.0f} a second to a person",
        ratios,
        TARGET,
    )


def _measure_seconds(api: LoadClient, owner_id: int, times: int) -> float:
    return send_at_full_speed(lambda: api.create_lead(owner_id), times, THREADS)
