"""`evenhand verify` against one bare reading of the same turns, each in a process of its own that
begins and ends with it.

Half of the turns are an import's, half are captured leads'. What Python needs to start is on both
sides.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from statistics import median
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from benchmarks.figure import Figure, describe_speed
from benchmarks.testbed import Bench, Testbed, testbed
from worker.domain.records.record_type import RecordType
from worker.domain.runs.chunks import FileChunk
from worker.domain.runs.runs import RunKind, RunState
from worker.domain.turns.claims import name_capture_claim, name_run_claim
from worker.domain.turns.turns import Span, Turns
from worker.flows.turns import seed
from worker.settings import settings
from worker.store.records import records
from worker.store.runs import chunks, kinds, runs
from worker.store.sql import bulk
from worker.store.sql.clock import now
from worker.store.tables import leads
from worker.store.tables import ledger as entries
from worker.store.turns import ledger, pools

TARGET = 4.0
"""Verification reads every turn and every record, and joins them both ways; the bare reading reads
the turns."""

CHUNK_ROWS = 5_000

BARE = """
from sqlalchemy import select
import worker.cli.audit
from worker.flows.system import system
from worker.store.tables import ledger
with system().reading() as session:
    turns = select(ledger.c.turn, ledger.c.user_id).order_by(ledger.c.pool_id, ledger.c.turn)
    found = session.execute(turns, execution_options={"yield_per": 10_000})
    assert sum(map(len, found.partitions()))
"""

LEADS = (
    "id",
    "owner_id",
    "pool_id",
    "turn",
    "created_at",
    "updated_at",
    "last_name",
    "email",
    "description",
    "tags",
    "custom_fields",
)
ENTRIES = ("pool_id", "turn", "claim", "ordinal", "record_id", "user_id", "cause", "at")


def measure(bench: Bench) -> Figure:
    url = bench.postgres.create_database()
    with testbed(bench, url) as here:
        fill(here, bench.rows)
    bare, ours = zip(*(_measure_pair(url) for _ in range(bench.pairs)), strict=True)
    peak = max(megabytes for _, megabytes in ours)
    speed = describe_speed(bench.rows, median(seconds for seconds, _ in ours))
    measured = f"{speed}, {peak:.0f} MB at the peak"
    limit = f"bare reading: {describe_speed(bench.rows, median(seconds for seconds, _ in bare))}"
    ratios = tuple(mine / theirs for (mine, _), (theirs, _) in zip(ours, bare, strict=True))
    return Figure("verify", measured, limit, ratios, TARGET, at_most=True)


def _measure_pair(url: str) -> tuple[tuple[float, float], tuple[float, float]]:
    return run(url, ["-c", BARE]), run(url, ["-m", "worker", "verify"])


def run(url: str, arguments: Sequence[str]) -> tuple[float, float]:
    """The seconds that a Python program takes, and the megabytes that it holds at its peak. It must
    end well."""
    begun = time.perf_counter()
    with (settings().home / "verify.log").open("ab") as log:
        running = subprocess.Popen(
            [sys.executable, *arguments],
            stdout=log,
            stderr=log,
            env=os.environ | {"EVENHAND_DATABASE_URL": url},
        )
    _, status, used = os.wait4(running.pid, 0)
    running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode:
        path = settings().home / "verify.log"
        raise RuntimeError(f"{arguments[-1]!r} ended with {running.returncode}; see {path}")
    return time.perf_counter() - begun, used.ru_maxrss / 1024


class Filling(NamedTuple):
    """What the rows have in common: the pool with its members, the import, its first record, and
    the moment as it is stored."""

    pool_id: int
    owners: tuple[int, ...]
    run_id: int
    first_id: int
    moment: str


def fill(here: Testbed, turns: int) -> None:
    """A pool with so many turns: those of an import that is done, and those of captured leads."""
    pool_id, _ = here.add_pool()
    filling = here.system.transact(_begin, pool_id, turns)
    here.system.transact(_enter_turns, filling, turns // 2)
    here.system.transact(bulk.insert, leads, LEADS, _make_leads(filling, turns))
    here.system.transact(bulk.insert, entries, ENTRIES, _make_entries(filling, turns))
    here.system.transact(seed.seed_again, filling.pool_id, "it was filled")


def _begin(session: Session, pool_id: int, turns: int) -> Filling:
    owners = pools.get_latest_roster(session, pool_id).members
    run_id, first = (
        runs.add(session, RunKind.IMPORT, "lead", pool_id, None),
        records.reserve_ids(session, RecordType.LEAD, turns),
    )
    return Filling(pool_id, owners, run_id, first, bulk.format_moment(session, now()))


def _enter_turns(session: Session, filling: Filling, rows: int) -> None:
    claim, places = name_run_claim("import", filling.run_id), range(0, rows, CHUNK_ROWS)
    sizes = [(at, min(CHUNK_ROWS, rows - at)) for at in places]
    cut = [
        FileChunk(number, at, size, size, offset=at, length=1, first_line=at + 1)
        for number, (at, size) in enumerate(sizes)
    ]
    kinds.add_import(
        session,
        filling.run_id,
        folder="",
        file_name="leads.csv",
        size_bytes=rows,
        mapping={},
        first_record_id=filling.first_id,
    )
    chunks.add(session, filling.run_id, cut)
    for chunk in cut:
        chunks.finish(session, filling.run_id, chunk.number)
    ledger.reserve(session, filling.pool_id, claim, Turns([Span(1, rows)]))
    ledger.close_block(session, filling.pool_id, claim)
    runs.end(
        session, filling.run_id, RunState.DONE, rows=rows, records=rows, turns=rows, chunks_left=0
    )


def _make_leads(filling: Filling, turns: int) -> Iterator[Sequence[Any]]:
    for at, owner in zip(range(turns), cycle(filling.owners), strict=False):
        said = (
            f"Lead {at}",
            f"lead{at}@example.com",
            "Wrote to us about prices, and wants to be called back in the afternoon",
        )
        yield (
            filling.first_id + at,
            owner,
            filling.pool_id,
            at + 1,
            filling.moment,
            filling.moment,
            *said,
            "[]",
            "{}",
        )


def _make_entries(filling: Filling, turns: int) -> Iterator[Sequence[Any]]:
    claim = name_run_claim("import", filling.run_id)
    for at, owner in zip(range(turns), cycle(filling.owners), strict=False):
        record_id = filling.first_id + at
        by = (
            (claim, at, record_id, owner, "import")
            if at < turns // 2
            else (name_capture_claim(record_id), 0, record_id, owner, "capture")
        )
        yield (filling.pool_id, at + 1, *by, filling.moment)
