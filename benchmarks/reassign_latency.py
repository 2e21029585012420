"""How long captured leads wait for their owners while a reassignment goes on, on PostgreSQL."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from benchmarks import reassignments
from benchmarks.burst import SWIFT, count_seconds, find_percentile, read_times
from benchmarks.figure import Figure
from benchmarks.testbed import Bench, Testbed
from worker.flows.intake import capture

LIMIT_SECONDS = 1.0
PER_SECOND = 20.0


def measure(bench: Bench) -> Figure:
    rows = bench.rows // reassignments.SHARE
    with reassignments.open_testbed(bench) as here, here.run_program(SWIFT):
        pool_id, _ = here.add_pool()
        reassignments.fill(here, rows)
        with ThreadPoolExecutor(1) as thread:
            over = Event()
            captured = thread.submit(_capture, here, pool_id, over)
            try:
                reassignments.reassign_all(here)
            finally:
                over.set()
            many = captured.result()
        waited = [
            count_seconds(accepted, assigned)
            for accepted, assigned in read_times(here, pool_id, many)
        ]
    half, most = find_percentile(waited, 50), find_percentile(waited, 95)
    percentiles = f"p50 {half * 1000:.0f} ms, p95 {most * 1000:.0f} ms"
    measured = f"{many} leads while {rows:,} are reassigned: {percentiles}"
    return Figure(
        "reassign_latency",
        measured,
        f"{LIMIT_SECONDS * 1000:.0f} ms at p95",
        (most / LIMIT_SECONDS,),
        1.0,
        at_most=True,
    )


def _capture(here: Testbed, pool_id: int, over: Event) -> int:
    """Captures leads at a steady rate until told to stop. Returns how many."""
    begun, many, lead = (
        time.monotonic(),
        0,
        {"last_name": reassignments.CAPTURED, "tags": [], "custom_fields": {}},
    )
    while not over.wait(max(begun + many / PER_SECOND - time.monotonic(), 0)):
        here.system.transact(capture.accept, pool_id, [lead])
        many += 1
    return many
