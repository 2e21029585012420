"""The database is away, or goes back to an older state: nothing is half done, and work goes on from
what the ledger says."""

from contextlib import suppress

import httpx2
import pytest

from tests.crash.rig import SWIFT_SECONDS, Rig, pass_time
from tests.support.factories import sheet
from tests.support.invariants import assert_in_file_order, rows
from tests.support.servers import wait_until
from worker.errors.servers import DatabaseUnreachable
from worker.flows.upkeep import rings

OUTAGE_SECONDS = 10.0
ROWS = 40


def test_without_a_database_nothing_is_accepted_and_soon_after_it_is_back_everything_is_done(
    rig: Rig,
) -> None:
    pool, other = rig.pool(), rig.pool()
    rig.wait_for_turns(rig.capture(pool.name))

    with suppress(DatabaseUnreachable), rig.table_held("ledger"):
        leads, run_id = (
            rig.capture(pool.name, 3),
            rig.import_file(other.name, sheet(ROWS).getvalue()),
        )
        rig.waiting_workers("ledger", 2)
        rig.postgres.kill()
    refused = [rig.ask_to_capture(pool.name) for _ in range(3)]
    pass_time(OUTAGE_SECONDS)
    rig.postgres.start()

    rig.wait_for_turns(leads, SWIFT_SECONDS)
    wait_until(lambda: rig.state(run_id) == "done", "the end of the import", SWIFT_SECONDS)
    told = {(answer.status_code, answer.json()["errors"][0]["error"]["code"]) for answer in refused}
    assert told == {(httpx2.codes.SERVICE_UNAVAILABLE, "database_unreachable")}
    assert len(
        rows(rig.system, "SELECT id FROM leads WHERE pool_id = :pool", pool=pool.id)
    ) == 1 + len(leads)
    assert rig.turns(leads) == [2, 3, 4]
    assert assert_in_file_order(rig.system, run_id) == list(range(1, ROWS + 1))
    rig.assert_promise()


@pytest.mark.parametrize("seeded_since", [False, True])
def test_a_database_that_went_back_to_an_older_state_goes_on_from_there(
    rig: Rig, seeded_since: bool
) -> None:
    pool = rig.pool()
    leads = rig.capture(pool.name, 3)
    rig.wait_for_turns(leads)
    rig.postgres.kill()
    older = rig.postgres.copy()
    rig.postgres.start()
    if seeded_since:
        rig.system.ring.drop(pool.id)
    rig.wait_for_turns(rig.capture(pool.name, 5))

    rig.postgres.kill()
    rig.postgres.put_back(older)
    rig.postgres.start()
    leads += rig.capture(pool.name, 4)

    rig.wait_for_turns(leads)
    rings.repair(rig.system)
    more = rig.capture(pool.name, 3)
    rig.wait_for_turns(more)
    assert sorted(turn or 0 for turn in rig.turns([*leads, *more])) == list(range(1, 11))
    rig.assert_promise()
