"""A worker too slow for its lease: another one does its chunk, and the chunk counts once."""

from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import Engine

from tests.protocol.system import MortalRing, SlowSystem
from tests.support.factories import (
    accepted,
    leases_run_out,
    owned,
    person,
    pool,
    sheet,
    to_reassign,
)
from tests.support.invariants import assert_all_is_well, rows
from tests.support.tasks import Tasks, run
from worker.domain.records.record_type import RecordType
from worker.domain.runs.record_ids import RecordIds
from worker.uploads import Uploads

RECORDS = 28
"""Two chunks of ten records and one of eight."""


@pytest.fixture
def system(engine: Engine, valkey: Redis, send: Tasks, tmp_path: Path) -> SlowSystem:
    return SlowSystem(engine, MortalRing(valkey), Uploads(str(tmp_path / "uploads")), send)


@pytest.mark.parametrize("owner", ["Inbound", "zoe@example.com"])
@pytest.mark.parametrize("kind", ["reassign", "import"])
def test_a_chunk_that_another_worker_does_after_the_lease_ran_out_is_done_once(
    system: SlowSystem, send: Tasks, owner: str, kind: str
) -> None:
    pool(system, 3)
    person(system, "zoe@example.com")
    if kind == "reassign":
        run_id = to_reassign(system, RecordIds(RecordType.LEAD, owned(system, RECORDS)), owner)
    else:
        run_id = accepted(system, sheet(RECORDS), owner)
    run(system, send.waiting.pop(0))
    first = send.waiting.pop(0)

    def another_is_faster() -> None:
        leases_run_out(system)
        run(system, first)

    system.meanwhile[:] = [another_is_faster]
    run(system, first)

    [known] = rows(system, "SELECT records, chunks_left FROM runs WHERE id = :run", run=run_id)
    assert (known["records"], known["chunks_left"]) == (10, 2)
    send.drain(system)
    [known] = rows(system, "SELECT state, records FROM runs WHERE id = :run", run=run_id)
    assert (known["state"], known["records"]) == ("done", RECORDS)
    assert_all_is_well(system)
