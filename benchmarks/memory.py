"""How much higher a worker's peak memory is after a large file than after a small one. Reads /proc,
so it wants Linux."""

import re
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.testbed import Bench, testbed

FEW_ROWS = 10_000
MOST_MEGABYTES = 60
TARGET = 1.0


def measure(bench: Bench) -> Figure:
    few, many = _measure_peak(bench, FEW_ROWS), _measure_peak(bench, bench.rows)
    measured = f"{many:.0f} MB at the peak on {bench.rows:,} rows"
    limit = f"{MOST_MEGABYTES} MB more than on {FEW_ROWS:,} rows ({few:.0f} MB)"
    return Figure(
        "peak memory of a worker",
        measured,
        limit,
        ((many - few) / MOST_MEGABYTES,),
        TARGET,
        at_most=True,
    )


def _measure_peak(bench: Bench, rows: int) -> float:
    """The megabytes that a fresh worker and its processes held at their peaks, together."""
    with testbed(bench, bench.postgres.create_database()) as here, here.run_workers() as pid:
        here.run_import(rows)
        return sum(map(_read_peak, [pid, *_list_children(pid)]))


def _list_children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _read_peak(pid: int) -> float:
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None, f"process {pid} has no peak"
    return int(found[1]) / 1024
