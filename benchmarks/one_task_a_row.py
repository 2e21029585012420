"""An import against one task for each row, on the same database with as many processes."""

from collections.abc import Sequence
from typing import Any

from benchmarks.baseline_task_per_row import import_row
from benchmarks.figure import Figure, describe_speed
from benchmarks.testbed import WORKERS, Bench, Testbed, testbed, wait_until
from worker.domain.files.rows import Columns, RowError, RowReader
from worker.domain.files.sheets import Lines, check_rows, read_header
from worker.domain.records.record_type import RecordType
from worker.store.sql.clock import now
from worker.store.turns import ledger

TARGET = 50.0
NAIVE_ROWS = 2_000
MOST_ROWS = 200_000

NAIVE = (
    "celery",
    "-A",
    "benchmarks.baseline_task_per_row",
    "worker",
    "--queues",
    "naive",
    "--concurrency",
    str(WORKERS),
    "--pool",
    "prefork",
)


def measure(bench: Bench) -> Figure:
    rows = min(bench.rows, MOST_ROWS)
    with testbed(bench, bench.postgres.create_database()) as here:
        with here.run_workers():
            ours = here.run_import(rows)
        with here.run_program(NAIVE):
            values = _read_rows(bench)
            _run_baseline(here, values[:WORKERS])
            theirs = _run_baseline(here, values)
    ratio = (rows / ours) / (len(values) / theirs)
    return Figure(
        "against one task a row",
        describe_speed(rows, ours),
        describe_speed(len(values), theirs),
        (ratio,),
        TARGET,
    )


def _read_rows(bench: Bench) -> list[dict[str, Any]]:
    """What is stored of the good rows of a sample file."""
    with bench.find_sheet(NAIVE_ROWS).open("rb") as file:
        lines = iter(file)
        header = read_header(lines)
        reader = RowReader(RecordType.LEAD, Columns.of(RecordType.LEAD, header.names, {}))
        rows = [row for _, row in check_rows(Lines(lines), header.delimiter, 2, reader)]
    return [
        dict(zip(reader.fields, reader.convert(row), strict=True))
        for row in rows
        if not isinstance(row, RowError)
    ]


def _run_baseline(here: Testbed, values: Sequence[dict[str, Any]]) -> float:
    """The seconds from sending the first row's task to entering the last row."""
    pool_id, _ = here.add_pool()
    begun = now()
    for row in values:
        import_row.delay(pool_id, row)
    wait_until(lambda: _count_turns(here, pool_id) == len(values), "one task a row")
    with here.system.reading() as session:
        last = max(
            entered.at
            for turn in (1, len(values))
            if (entered := ledger.find(session, pool_id, turn))
        )
    return float((last - begun).total_seconds())


def _count_turns(here: Testbed, pool_id: int) -> int:
    with here.system.reading() as session:
        return sum(ledger.count_records(session, pool_id).values())
