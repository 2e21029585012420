"""How long it takes to open a smart list: to count its records and to fetch the first page, on
PostgreSQL, as an index serves its filter.

Five people have a fifth of the leads each; the last fifth came in by one import; a lead changed at
some moment of the last year.
"""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

from sqlalchemy import text

from benchmarks.figure import Figure
from benchmarks.testbed import Bench, Testbed, testbed
from worker.domain.filters import RecordList
from worker.domain.records.record_type import RecordType
from worker.domain.runs.runs import RunKind, RunState
from worker.store.runs import kinds, runs
from worker.store.sql.clock import now
from worker.store.sql.engine import writing
from worker.store.views.lists import count_records, show_records

LIMIT_SECONDS = 0.2
ROUNDS = 9
PER_PAGE = 25
OWNERS = 5

LEADS = """
INSERT INTO leads
    (owner_id, last_name, email, description, tags, custom_fields, created_at, updated_at)
SELECT 1 + number % :owners, 'Lead ' || number, 'lead' || number || '@example.com',
    'Wrote to us about prices, and wants to be called back in the afternoon', '[]', '{}',
    moment, moment
FROM (
    SELECT number, CAST(:now AS timestamptz)
        - make_interval(mins => CAST(number * 7919 % 525600 AS integer)) AS moment
    FROM generate_series(CAST(1 AS bigint), :rows) AS number
) AS numbered
"""


def measure(bench: Bench) -> Figure:
    with testbed(bench, bench.postgres.create_database()) as here:
        run_id = fill(here, bench.rows)
        took = {
            name: _measure_open(here, *asked)
            for name, asked in _make_lists(bench.rows, run_id).items()
        }
    slowest = max(took, key=lambda name: took[name][0])
    seconds, held = took[slowest]
    others = ", ".join(
        f"{name} {each * 1000:.0f} ms" for name, (each, _) in took.items() if name != slowest
    )
    leads = f"{bench.rows:,} leads, {held:,} of them by {slowest}"
    measured = f"{leads}: {seconds * 1000:.0f} ms (by {others})"
    return Figure(
        "smart_list",
        measured,
        f"{LIMIT_SECONDS * 1000:.0f} ms",
        (seconds / LIMIT_SECONDS,),
        1.0,
        at_most=True,
    )


def fill(here: Testbed, rows: int) -> int:
    """The number of the run that made the last fifth of so many leads. The statistics are there, as
    autovacuum would have it by then."""
    with writing(here.system.engine) as session:
        session.execute(text(LEADS), {"rows": rows, "owners": OWNERS, "now": now()})
        run_id = runs.add(session, RunKind.IMPORT, "lead", 1, None)
        made = rows // OWNERS
        kinds.add_import(
            session,
            run_id,
            folder="",
            file_name="leads.csv",
            size_bytes=1,
            mapping={},
            first_record_id=rows - made + 1,
        )
        runs.end(session, run_id, RunState.DONE, rows=made, records=made)
    with here.system.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE leads"))
    return run_id


def _make_lists(rows: int, run_id: int) -> dict[str, tuple[dict[str, Any], str]]:
    """Filters and orders."""
    return {
        "owner": ({"owner": "member0@example.com"}, "id:asc"),
        "email": ({"email": f"lead{rows // 2}@example.com"}, "id:asc"),
        "the last 30 days": ({"updated_at": {"last_days": 30}}, "updated_at:desc"),
        "import": ({"import_run": run_id}, "id:asc"),
    }


def _measure_open(here: Testbed, filter: dict[str, Any], order: str) -> tuple[float, int]:
    """The median of some rounds, and how many records the list holds."""
    found = RecordList("", RecordType.LEAD, filter, order)
    rounds = [_measure_time(lambda: _open_list(here, found)) for _ in range(ROUNDS)]
    return median(seconds for seconds, _ in rounds), rounds[0][1]


def _open_list(here: Testbed, found: RecordList) -> int:
    with here.system.reading() as session:
        show_records(session, found, 1, PER_PAGE)
        return count_records(session, found).count


def _measure_time(work: Callable[[], int]) -> tuple[float, int]:
    begun = time.perf_counter()
    held = work()
    return time.perf_counter() - begun, held
