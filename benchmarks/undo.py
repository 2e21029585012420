"""The undo of a reassignment on PostgreSQL against the reassignment itself."""

from benchmarks import moves
from benchmarks.figure import Figure, Pair, speed
from benchmarks.stand import Bench, Stand

TARGET = 1.0


def measure(bench: Bench, name: str = "undo on PostgreSQL", *, returns_turns: bool = False) -> Figure:
    rows = bench.rows // moves.SHARE
    with moves.leads(bench) as here:
        pairs = [_pair(here, rows, returns_turns) for _ in range(bench.pairs)]
    return speed(name, "the reassignment", rows, pairs, TARGET)


def _pair(here: Stand, rows: int, returns_turns: bool) -> Pair:
    moves.fill(here, rows)
    run_id = moves.give(here)
    return Pair(moves.seconds(here, run_id), moves.seconds(here, moves.take_back(here, run_id, returns_turns=returns_turns)))
