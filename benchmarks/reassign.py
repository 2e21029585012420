"""A reassignment on PostgreSQL against one bare UPDATE of the same leads, and one INSERT ... SELECT of the same entries."""

from benchmarks import moves
from benchmarks.figure import Figure, Pair, speed
from benchmarks.stand import Bench, Stand

TARGET = 0.5


def measure(bench: Bench) -> Figure:
    rows = bench.rows // moves.SHARE
    with moves.leads(bench) as here:
        pairs = [_pair(here, rows) for _ in range(bench.pairs)]
    return speed("reassignment on PostgreSQL", "bare UPDATE and INSERT", rows, pairs, TARGET)


def _pair(here: Stand, rows: int) -> Pair:
    moves.fill(here, rows)
    ours = moves.seconds(here, moves.give(here))
    moves.fill(here, rows)
    return Pair(moves.bare(here), ours)
