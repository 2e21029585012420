"""Leads that change owners in bulk: by a reassignment, by its undo, and by two bare statements."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from benchmarks.import_postgresql import connected, empty
from benchmarks.testbed import Bench, Testbed, testbed, wait_until
from worker.domain.filters import Condition, Not, Operator, RecordList, as_json
from worker.domain.records.record_type import RecordType
from worker.flows.runs import reassign, undo
from worker.store.runs import runs

SHARE = 5
"""An import has all rows of a benchmark; a reassignment has one in so many of them."""

CAPTURED = "Captured"
"""The last name of leads that come in meanwhile and aren't in the list."""

EVERY_LEAD = RecordList(
    "every lead",
    RecordType.LEAD,
    as_json(Not(Condition("last_name", Operator.EQ, CAPTURED))),
    "id:desc",
)

BARE = (
    "UPDATE leads SET owner_id = {user}",
    "INSERT INTO ledger"
    " (pool_id, turn, claim, ordinal, record_id, user_id, previous_owner_id, cause, at)"
    " SELECT {pool}, row_number() OVER (ORDER BY id DESC), 'bare',"
    " row_number() OVER (ORDER BY id DESC) - 1, id, {user}, 1, 'bare', now()"
    " FROM leads",
)


@contextmanager
def open_testbed(bench: Bench) -> Iterator[Testbed]:
    """A testbed on PostgreSQL whose workers are warm."""
    with testbed(bench, bench.postgres.create_database()) as here, here.run_workers():
        fill(here, 2_000)
        undo_run(here, reassign_all(here))
        yield here


def fill(here: Testbed, rows: int) -> None:
    """Imports so many leads into an empty database, and leaves it nothing to write or to vacuum."""
    empty(here.system.engine)
    here.run_import(rows)
    with connected(here.system.engine) as connection:
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE leads, ledger, selections, captures")
        connection.execute("CHECKPOINT")


def reassign_all(here: Testbed) -> int:
    """Reassigns every lead to a new pool, and returns the id of the run once it has ended."""
    pool_id, _ = here.add_pool()
    run_id = here.system.transact(reassign.accept, EVERY_LEAD, pool_id, None)
    return _await_end(here, run_id)


def undo_run(here: Testbed, run_id: int, *, returns_turns: bool = False) -> int:
    """Undoes a run, and returns the id of the undo once it has ended."""
    return _await_end(
        here, here.system.transact(undo.accept, run_id, None, returns_turns=returns_turns)
    )


def measure_run(here: Testbed, run_id: int) -> float:
    """Returns the seconds from the acceptance of a run to its end."""
    with here.system.reading() as session:
        run = runs.get(session, run_id)
    assert run.ended_at is not None
    return (run.ended_at - run.accepted_at).total_seconds()


def measure_bare(here: Testbed) -> float:
    """Changes the owner of every lead and enters a turn for each, in one transaction on one
    connection. Returns the seconds that it took."""
    pool_id, _ = here.add_pool()
    begun = time.perf_counter()
    with here.system.engine.begin() as connection:
        for statement in BARE:
            connection.execute(text(statement.format(pool=pool_id, user=here.find_person())))
    return time.perf_counter() - begun


def _await_end(here: Testbed, run_id: int) -> int:
    wait_until(lambda: _find_run(here, run_id).ended_at is not None, f"run {run_id}")
    run = _find_run(here, run_id)
    if run.state != "done" or run.records != run.rows:
        raise RuntimeError(
            f"run {run_id} is {run.state} with {run.records} of {run.rows} records: {run.reason}"
        )
    return run_id


def _find_run(here: Testbed, run_id: int) -> runs.Run:
    with here.system.reading() as session:
        return runs.get(session, run_id)
