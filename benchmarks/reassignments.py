"""Leads that change hands in bulk: by a reassignment, by the undo of it, and by two bare
statements."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import text

from benchmarks.import_postgresql import connected, empty
from benchmarks.testbed import Bench, Testbed, testbed, wait_until
from worker.domain.filters import Condition, Not, Operator
from worker.flows.records.lists import SmartList
from worker.flows.runs import reassign, undo
from worker.store.runs import runs

SHARE = 5
"""The benchmarks' rows are an import's; reassigned is one of so many."""

CAPTURED = "Captured"
"""The last name of leads that come in meanwhile, and are none of the list."""

EVERY_LEAD = SmartList(
    None, "every lead", "lead", Not(Condition("last_name", Operator.EQ, CAPTURED)), "id:desc"
)

BARE = (
    "UPDATE leads SET owner_id = {user}",
    "INSERT INTO ledger (pool_id, turn, claim, ordinal, record_id, user_id, previous_owner_id, cause, at)"
    " SELECT {pool}, row_number() OVER (ORDER BY id DESC), 'bare', row_number() OVER (ORDER BY id DESC) - 1, id, {user}, 1, 'bare', now()"
    " FROM leads",
)


@contextmanager
def leads(bench: Bench) -> Iterator[Testbed]:
    """A stand on PostgreSQL whose workers are warm."""
    with testbed(bench, bench.postgres.create_database()) as here, here.workers():
        fill(here, 2_000)
        take_back(here, give(here))
        yield here


def fill(here: Testbed, rows: int) -> None:
    """So many leads, as an import leaves them, and nothing that is left to be written or swept up."""
    empty(here.system.engine)
    here.run_import(rows)
    with connected(here.system.engine) as connection:
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE leads, ledger, selections, captures")
        connection.execute("CHECKPOINT")


def give(here: Testbed) -> int:
    """The id of a run that has given every lead to a new pool."""
    pool_id, _ = here.pool()
    run_id = here.system.transact(reassign.accept, EVERY_LEAD, pool_id, None)
    return _ended(here, run_id)


def take_back(here: Testbed, run_id: int, *, returns_turns: bool = False) -> int:
    """The id of a run that has undone another."""
    return _ended(
        here, here.system.transact(undo.accept, run_id, None, returns_turns=returns_turns)
    )


def seconds(here: Testbed, run_id: int) -> float:
    """How long a run took from its acceptance to its end."""
    with here.system.reading() as session:
        run = runs.with_id(session, run_id)
    assert run.ended_at is not None
    return (run.ended_at - run.accepted_at).total_seconds()


def bare(here: Testbed) -> float:
    """The seconds that one connection takes to change the owner of every lead, and to enter a turn
    for each, in one transaction."""
    pool_id, _ = here.pool()
    begun = time.perf_counter()
    with here.system.engine.begin() as connection:
        for statement in BARE:
            connection.execute(text(statement.format(pool=pool_id, user=here.person())))
    return time.perf_counter() - begun


def _ended(here: Testbed, run_id: int) -> int:
    wait_until(lambda: _run(here, run_id).ended_at is not None, f"run {run_id}")
    run = _run(here, run_id)
    if run.state != "done" or run.records != run.rows:
        raise RuntimeError(
            f"run {run_id} is {run.state} with {run.records} of {run.rows} records: {run.reason}"
        )
    return run_id


def _run(here: Testbed, run_id: int) -> Any:
    with here.system.reading() as session:
        return runs.with_id(session, run_id)
