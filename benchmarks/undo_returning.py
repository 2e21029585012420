"""The same as `undo`, of one that gives the members their turns back."""

from benchmarks import undo
from benchmarks.figure import Figure
from benchmarks.testbed import Bench


def measure(bench: Bench) -> Figure:
    return undo.measure(bench, "undo with its turns returned", returns_turns=True)
