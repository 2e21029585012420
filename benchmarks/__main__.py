"""Measures all figures, or some, and prints them as a table. Exits with 1 if a target is missed."""

import argparse
import importlib
import json
import os
import signal
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.figure import Figure
from testing.servers import postgres, short_folder

FIGURES = (
    "import_postgresql", "import_sqlite", "take_turns", "memory", "one_task_a_row", "verify",
    "owner_field", "owner_latency", "capture_latency", "burst", "smart_list", "reassign", "undo",
    "undo_returning", "reassign_latency",
)  # fmt: skip

ROWS, QUICK_ROWS = 1_000_000, 50_000
PAIRS = 3


def main() -> int:
    options = _read_options()
    # An exit, unlike the signal's default, stops the servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    figures = _measure(
        options.figures or FIGURES, options.rows or (QUICK_ROWS if options.quick else ROWS)
    )
    Console(width=None if sys.stdout.isatty() else 200).print(_make_table(figures))
    if options.json:
        options.json.write_text(
            json.dumps([figure.as_json() for figure in figures], indent=2, ensure_ascii=False)
            + "\n"
        )
    return 0 if all(figure.met for figure in figures) else 1


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "figures",
        nargs="*",
        metavar="FIGURE",
        help=f"which figures to measure: {', '.join(FIGURES)}",
    )
    parser.add_argument(
        "--rows",
        type=int,
        help=f"how many rows an import has (default: {ROWS:,}; SQLite's a quarter of that)",
    )
    parser.add_argument("--quick", action="store_true", help=f"a pass over {QUICK_ROWS:,} rows")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write the figures into a file, too"
    )
    options = parser.parse_args()
    if unknown := set(options.figures) - set(FIGURES):
        parser.error(f"no such figure: {', '.join(sorted(unknown))}")
    return options


def _measure(names: tuple[str, ...], rows: int) -> list[Figure]:
    with short_folder() as home:
        os.environ["EVENHAND_HOME"] = str(home)
        # Only now: Evenhand reads its environment as it is imported.
        from benchmarks.testbed import Bench, valkey

        with valkey(home), postgres() as server:
            return [_measure_one(name, Bench(rows, PAIRS, server)) for name in names]


def _measure_one(name: str, bench: object) -> Figure:
    progress = Console(stderr=True)
    progress.print(f"… {name}")
    figure: Figure = importlib.import_module(f"benchmarks.{name}").measure(bench)
    progress.print(f"  {figure.measured}; {figure.limit}; {figure.ratio:.2f}")
    return figure


def _make_table(figures: list[Figure]) -> Table:
    table = Table("figure", "measured", "limit", "ratio", "spread", "target", "")
    for figure in figures:
        spread = (
            f"{min(figure.ratios):.2f} to {max(figure.ratios):.2f}"
            if len(figure.ratios) > 1
            else ""
        )
        target = f"{'at most' if figure.at_most else 'at least'} {figure.target:g}"
        met = "[green]met" if figure.met else "[red]missed"
        table.add_row(
            figure.name, figure.measured, figure.limit, f"{figure.ratio:.2f}", spread, target, met
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
