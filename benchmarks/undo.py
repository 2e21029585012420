"""The undo of a reassignment on PostgreSQL against the reassignment itself."""

from benchmarks import reassignments
from benchmarks.figure import Figure, Pair, compare_speed
from benchmarks.testbed import Bench, Testbed

TARGET = 1.0


def measure(
    bench: Bench, name: str = "undo on PostgreSQL", *, returns_turns: bool = False
) -> Figure:
    rows = bench.rows // reassignments.SHARE
    with reassignments.open_testbed(bench) as here:
        pairs = [_measure_pair(here, rows, returns_turns) for _ in range(bench.pairs)]
    return compare_speed(name, "the reassignment", rows, pairs, TARGET)


def _measure_pair(here: Testbed, rows: int, returns_turns: bool) -> Pair:
    reassignments.fill(here, rows)
    run_id = reassignments.reassign_all(here)
    return Pair(
        reassignments.measure_run(here, run_id),
        reassignments.measure_run(
            here, reassignments.undo_run(here, run_id, returns_turns=returns_turns)
        ),
    )
