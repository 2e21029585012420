"""A reassignment on PostgreSQL against one bare UPDATE of the same leads, and one INSERT ... SELECT
of the same entries."""

from benchmarks import reassignments
from benchmarks.figure import Figure, Pair, compare_speed
from benchmarks.testbed import Bench, Testbed

TARGET = 0.5


def measure(bench: Bench) -> Figure:
    rows = bench.rows // reassignments.SHARE
    with reassignments.open_testbed(bench) as here:
        pairs = [_measure_pair(here, rows) for _ in range(bench.pairs)]
    return compare_speed(
        "reassignment on PostgreSQL", "bare UPDATE and INSERT", rows, pairs, TARGET
    )


def _measure_pair(here: Testbed, rows: int) -> Pair:
    reassignments.fill(here, rows)
    ours = reassignments.measure_run(here, reassignments.reassign_all(here))
    reassignments.fill(here, rows)
    return Pair(reassignments.measure_bare(here), ours)
