"""The undo of a reassignment on PostgreSQL against the reassignment itself."""

from benchmarks import reassignments
from benchmarks.figure import Figure, Pair, speed
from benchmarks.testbed import Bench, Testbed

TARGET = 1.0


def measure(
    bench: Bench, name: str = "undo on PostgreSQL", *, returns_turns: bool = False
) -> Figure:
    rows = bench.rows // reassignments.SHARE
    with reassignments.leads(bench) as here:
        pairs = [_pair(here, rows, returns_turns) for _ in range(bench.pairs)]
    return speed(name, "the reassignment", rows, pairs, TARGET)


def _pair(here: Testbed, rows: int, returns_turns: bool) -> Pair:
    reassignments.fill(here, rows)
    run_id = reassignments.give(here)
    return Pair(
        reassignments.seconds(here, run_id),
        reassignments.seconds(
            here, reassignments.take_back(here, run_id, returns_turns=returns_turns)
        ),
    )
