"""Workers are killed at any moment of a reassignment and of an undo, and Redis forgets or goes
back: nothing about the result changes."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.crash.rig import Rig
from tests.support.factories import captured, owned
from tests.support.faults import photograph, roll_back
from tests.support.invariants import entries_of, rows
from tests.support.servers import wait_until
from worker.domain.runs.record_ids import RecordIds
from worker.domain.runs.runs import RUN_TASKS
from worker.flows.names import find_owner_by_name
from worker.flows.runs import reassign, undo
from worker.queue import Task

ROWS = 700
"""Two chunks of 250 records and one of 200."""

DONE_SECONDS = 60.0


def reassigning(rig: Rig, name: str, ids: list[int]) -> int:
    """The id of a run that gives the records, last first, to the pool."""
    wanted = RecordIds("lead", ids[::-1])

    with rig.system.reading() as session:
        owner_id = find_owner_by_name(session, name).id
    return rig.system.transact(reassign.accept, wanted, owner_id, None)


def undoing(rig: Rig, run_id: int) -> int:
    return rig.system.transact(undo.accept, run_id, None, returns_turns=True)


def is_done(rig: Rig, run_id: int) -> bool:
    return rig.state(run_id) == "done"


def end(rig: Rig, run_id: int) -> None:
    wait_until(lambda: is_done(rig, run_id), f"the end of run {run_id}", DONE_SECONDS)


def kill_some(rig: Rig) -> None:
    """One worker with its child, and the child of the other. All are replaced, and what they had is
    delivered again."""
    steady, doomed = rig.alive()
    rig.kill(doomed)
    rig.kill_child(steady)
    rig.deliver_again("bulk")
    rig.make_ready()


def deliver_all_again(rig: Rig, run_id: int) -> None:
    """Every task of a run once more, as a broker does that has lost its acknowledgements."""
    [run] = rows(rig.system, "SELECT kind FROM runs WHERE id = :run", run=run_id)
    tasks_of_kind, chunks = (
        RUN_TASKS[run["kind"]],
        rows(rig.system, "SELECT number FROM chunks WHERE run_id = :run", run=run_id),
    )
    tasks = [Task(tasks_of_kind.scan, {"run": run_id}), Task(tasks_of_kind.close, {"run": run_id})]
    tasks += [
        Task(tasks_of_kind.chunk, {"run": run_id, "chunk": chunk["number"]}) for chunk in chunks
    ]
    rig.system.send(tasks)
    wait_until(lambda: rig.is_idle("bulk"), "the tasks to be done again")


def facts(rig: Rig, pool_id: int) -> list[object]:
    """What nobody may change any more."""
    of_pool = f"WHERE pool_id = {pool_id} ORDER BY turn"
    book = [
        rows(rig.system, f"SELECT * FROM {table} {of_pool}")
        for table in ("ledger", "ledger_history", "leads")
    ]
    return [*book, rows(rig.system, f"SELECT * FROM runs WHERE owner_id = {pool_id} ORDER BY id")]


def assert_in_list_order(rig: Rig, run_id: int, ids: list[int]) -> None:
    entries = entries_of(rig.system, f"reassign:{run_id}")
    assert [entry["record_id"] for entry in entries] == ids[::-1]
    assert [entry["turn"] for entry in entries] == list(range(1, len(ids) + 1))


def test_killed_workers_change_nothing_about_a_reassignment_and_its_undo(rig: Rig) -> None:
    pool = rig.pool(5)
    ids = owned(rig.system, ROWS)

    with rig.turn_held(pool.id, ROWS - 1):  # in the last chunk
        run_id = reassigning(rig, pool.name, ids)
        rig.waiting_worker('COPY "ledger"')
        kill_some(rig)
    end(rig, run_id)
    assert_in_list_order(rig, run_id, ids)
    with rig.table_held("reversals"):
        undo_id = undoing(rig, run_id)
        rig.waiting_worker("INTO reversals")
        kill_some(rig)
    end(rig, undo_id)

    before = facts(rig, pool.id)
    for each in (run_id, undo_id):
        deliver_all_again(rig, each)
    assert facts(rig, pool.id) == before
    assert_in_list_order(rig, run_id, ids)
    assert rows(rig.system, "SELECT turn FROM ledger WHERE pool_id = :pool", pool=pool.id) == []
    leads = rig.capture(pool.name, 3)
    rig.wait_for_turns(leads)
    assert rig.turns(leads) == [1, 2, 3]
    rig.assert_promise()


Fault = Callable[[Rig, int], AbstractContextManager[None]]


@contextmanager
def going_back(rig: Rig, _: int) -> Iterator[None]:
    """Redis is afterwards what it was before."""
    with rig.ring.client as client:
        earlier = photograph(client)
        yield
        roll_back(client, earlier)


@contextmanager
def forgetting(rig: Rig, pool_id: int) -> Iterator[None]:
    """Redis knows nothing of the pool afterwards."""
    yield
    with rig.ring.client as client:
        client.delete(*client.keys(f"{{pool:{pool_id}}}:*"))


@pytest.mark.parametrize("fault", [going_back, forgetting])
def test_redis_may_lose_what_a_reassignment_has_reserved_and_an_undo_returned(
    rig: Rig, fault: Fault
) -> None:
    pool = rig.pool(3)
    rig.wait_for_turns(rig.capture(pool.name))
    ids = owned(rig.system, ROWS)

    with rig.turn_held(pool.id, ROWS), fault(rig, pool.id):
        run_id = reassigning(rig, pool.name, ids)
        rig.waiting_worker('COPY "ledger"')
    leads = captured(rig.system, 2, pool.name)
    end(rig, run_id)
    rig.wait_for_turns(leads)
    assert [entry["turn"] for entry in entries_of(rig.system, f"reassign:{run_id}")] == list(
        range(2, ROWS + 2)
    )

    with fault(rig, pool.id):
        end(rig, undoing(rig, run_id))
    leads += captured(rig.system, 3, pool.name)
    rig.wait_for_turns(leads)

    assert rig.turns(leads) == [ROWS + 2, ROWS + 3, 2, 3, 4]
    rig.assert_promise()
