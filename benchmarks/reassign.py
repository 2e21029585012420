"""A reassignment on PostgreSQL against one bare UPDATE of the same leads, and one INSERT ... SELECT
of the same entries."""

from benchmarks import reassignments
from benchmarks.figure import Figure, Pair, speed
from benchmarks.testbed import Bench, Testbed

TARGET = 0.5


def measure(bench: Bench) -> Figure:
    rows = bench.rows // reassignments.SHARE
    with reassignments.leads(bench) as here:
        pairs = [_pair(here, rows) for _ in range(bench.pairs)]
    return speed("reassignment on PostgreSQL", "bare UPDATE and INSERT", rows, pairs, TARGET)


def _pair(here: Testbed, rows: int) -> Pair:
    reassignments.fill(here, rows)
    ours = reassignments.seconds(here, reassignments.give(here))
    reassignments.fill(here, rows)
    return Pair(reassignments.bare(here), ours)
