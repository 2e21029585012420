"""Cancelled runs: what was loaded stays, every other turn comes back and is the next to be handed
out."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.factories import (
    accepted,
    an_hour_passes,
    captured,
    delete_pool,
    give_leads,
    imported,
    leave,
    owned,
    person,
    pool,
    reassigned,
    sheet,
)
from tests.support.invariants import assert_promise, everything, receipt, rows
from tests.support.tasks import Tasks, lease_slowly, load_leased, run
from worker.domain.runs.record_ids import RecordIds
from worker.errors.runs import NoReceiptYet, RunEnded, UnknownRun
from worker.flows.runs import cancel as cancel_flow
from worker.flows.runs import imports, scans, undo
from worker.flows.system import System
from worker.flows.upkeep import sweeps
from worker.store.leases import MOST_ATTEMPTS
from worker.store.runs import chunks as store

ROWS = 28
"""Two chunks of ten rows and one of eight."""

SECONDS = 20


def cancel(system: System, run_id: int) -> tuple[int, int]:
    """The records and the returned turns of a run that was just cancelled."""
    cancelled = system.transact(cancel_flow.cancel, run_id)
    assert cancelled.id == run_id
    return cancelled.records, cancelled.returned


def state_of(system: System, run_id: int) -> tuple[str, int, int]:
    """A run's state, its records, and the turns that it gave back."""
    [found] = rows(system, "SELECT state, records, returned FROM runs WHERE id = :run", run=run_id)
    return found["state"], found["records"], found["returned"]


def loading(system: System, send: Tasks, chunks: int, owner: str = "Inbound") -> int:
    """A run that has loaded so many of its three chunks."""
    run_id = accepted(system, sheet(ROWS), owner)
    run(system, send.waiting.pop())
    for _ in range(chunks):
        run(system, send.waiting.pop(0))
    return run_id


# --- when ---


def test_a_run_that_was_only_accepted_makes_nothing(system: System, send: Tasks) -> None:
    pool(system, 3)
    run_id = accepted(system, sheet(ROWS))

    assert cancel(system, run_id) == (0, 0)
    send.drain(system, times=2)

    assert state_of(system, run_id) == ("cancelled", 0, 0)
    assert (
        rows(system, "SELECT id FROM leads")
        == rows(system, "SELECT turn FROM ledger")
        == receipt(system, run_id)
        == []
    )
    assert give_leads(system, 1) == "a"
    assert_promise(system)


def test_a_run_that_is_cancelled_while_its_file_is_read_reserves_nothing(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    run_id = accepted(system, sheet(ROWS))
    send.lose()
    assert system.transact(scans.begin, run_id, "a worker")

    assert cancel(system, run_id) == (0, 0)
    imports._scan(system, run_id)
    send.drain(system)

    assert state_of(system, run_id) == ("cancelled", 0, 0)
    assert (
        rows(system, "SELECT claim FROM blocks") == rows(system, "SELECT number FROM chunks") == []
    )
    assert give_leads(system, 1) == "a"
    assert_promise(system)


@pytest.mark.parametrize(("chunks", "records"), [(0, 0), (1, 10), (2, 20)])
def test_what_was_loaded_stays_and_the_other_turns_are_the_next(
    system: System, send: Tasks, chunks: int, records: int
) -> None:
    pool(system, 3)
    run_id = loading(system, send, chunks)
    captured(system, 1)

    assert cancel(system, run_id) == (records, ROWS - records)
    send.drain(system, times=2)

    assert state_of(system, run_id) == ("cancelled", records, ROWS - records)
    assert rows(system, "SELECT turn FROM leads WHERE first_name IS NULL") == [
        {"turn": records + 1}
    ]
    assert give_leads(system, 2) == f"{'abc'[(records + 1) % 3]}{'abc'[(records + 2) % 3]}"
    assert len(rows(system, "SELECT id FROM leads WHERE first_name IS NOT NULL")) == records
    assert_promise(system)


def test_a_gap_in_the_middle_comes_back_too(system: System, send: Tasks) -> None:
    pool(system, 3)
    run_id = loading(system, send, 0)
    run(system, send.waiting.pop())
    assert give_leads(system, 1) == "b"

    assert cancel(system, run_id) == (8, 20)
    send.drain(system)

    assert give_leads(system, 3) == "abc"
    assert max(row["turn"] for row in rows(system, "SELECT turn FROM ledger")) == ROWS + 1
    assert_promise(system)


def test_returned_turns_of_members_who_left_are_void(system: System, send: Tasks) -> None:
    pool(system, 3)
    run_id = loading(system, send, 1)
    leave(system, "b@example.com")

    assert cancel(system, run_id) == (10, 18)
    send.drain(system)

    void = rows(system, "SELECT turn FROM ledger WHERE cause = 'void' ORDER BY turn")
    assert [row["turn"] for row in void] == list(range(11, ROWS + 1, 3))
    assert give_leads(system, 3) == "cac"
    assert_promise(system)


def test_an_import_to_a_person_can_be_cancelled_too(system: System, send: Tasks) -> None:
    person(system, "ann@example.com")
    run_id = loading(system, send, 1, "ann@example.com")

    assert cancel(system, run_id) == (10, 0)
    send.drain(system, times=2)

    assert state_of(system, run_id) == ("cancelled", 10, 0)
    assert len(rows(system, "SELECT id FROM leads")) == len(receipt(system, run_id)) == 10
    assert_promise(system)


# --- never ---


def test_a_run_that_has_ended_is_not_cancelled(system: System, send: Tasks) -> None:
    pool(system, 3)
    done, cancelled, failed = (
        imported(system, send, sheet(20)),
        accepted(system, sheet(20)),
        accepted(system, sheet(20)),
    )
    cancel(system, cancelled)
    system.transact(scans.fail, failed, "for a reason")
    before = everything(system)

    for run_id, state in ((done, "done"), (cancelled, "cancelled"), (failed, "failed")):
        with pytest.raises(RunEnded, match=f"Run {run_id} is {state}"):
            cancel(system, run_id)

    assert everything(system) == before


def test_a_run_that_is_unknown_is_not_cancelled(system: System) -> None:
    with pytest.raises(UnknownRun):
        cancel(system, 7)


def test_a_run_that_all_has_been_loaded_of_gives_nothing_back(system: System, send: Tasks) -> None:
    pool(system, 3)
    run_id = loading(system, send, 3)

    assert cancel(system, run_id) == (ROWS, 0)
    send.drain(system, times=2)

    assert state_of(system, run_id) == ("cancelled", ROWS, 0)
    assert len(receipt(system, run_id)) == ROWS
    assert_promise(system)


# --- what comes after ---


def test_a_chunk_that_comes_after_the_cancel_enters_nothing(system: System, send: Tasks) -> None:
    pool(system, 3)
    run_id = loading(system, send, 1)
    late, *_ = send.waiting
    leased = lease_slowly(system, run_id, 1)
    cancel(system, run_id)
    give_leads(system, 2)
    before = rows(system, "SELECT * FROM ledger ORDER BY turn")

    run(system, late)
    load_leased(system, *leased)

    assert rows(system, "SELECT * FROM ledger ORDER BY turn") == before
    assert state_of(system, run_id) == ("cancelled", 10, 18)
    assert_promise(system)


def test_the_receipt_of_a_cancelled_run_has_what_was_loaded(system: System, send: Tasks) -> None:
    pool(system, 3)
    run_id = loading(system, send, 0)
    run(system, send.waiting.pop(1))
    with pytest.raises(NoReceiptYet):
        imports.open_receipt(system, run_id)
    cancel(system, run_id)
    send.drain(system, times=2)

    lines = receipt(system, run_id)

    assert [int(line["line"]) for line in lines] == list(range(12, 22))
    assert [int(line["turn"]) for line in lines] == list(range(11, 21))
    assert not [
        name for name in system.uploads.list_files(folder(system)) if "receipt.csv" not in name
    ]


def test_a_cancelled_run_has_its_receipt_although_its_last_task_was_lost(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    run_id = loading(system, send, 1)
    cancel(system, run_id)
    send.lose()
    with pytest.raises(NoReceiptYet):
        imports.open_receipt(system, run_id)
    with pytest.raises(RunEnded):
        cancel(system, run_id)
    an_hour_passes(system)

    sweeps.sweep(system)
    send.drain(system)

    assert len(receipt(system, run_id)) == 10


def folder(system: System) -> str:
    [found] = rows(system, "SELECT folder FROM imports")
    return str(found["folder"])


def test_a_run_that_failed_in_a_chunk_gives_its_turns_back(system: System, send: Tasks) -> None:
    pool(system, 3)
    run_id = loading(system, send, 2)
    send.lose()
    for _ in range(MOST_ATTEMPTS):
        system.transact(store.lease, run_id, 2, "a worker that dies", -1.0)
    sweeps.sweep(system)
    assert state_of(system, run_id) == ("failed", 20, 0)
    assert_promise(system)

    assert cancel(system, run_id) == (20, 8)
    send.drain(system)

    assert state_of(system, run_id) == ("cancelled", 20, 8)
    assert len(receipt(system, run_id)) == 20
    assert give_leads(system, 1) == "c"
    assert_promise(system)


def test_the_ring_of_a_pool_that_was_deleted_stays_gone(system: System, send: Tasks) -> None:
    inbound = pool(system, 3)
    run_id = loading(system, send, 1)
    delete_pool(system)

    assert cancel(system, run_id) == (10, 18)
    send.drain(system)

    assert system.ring.state(inbound.id) is None
    assert state_of(system, run_id) == ("cancelled", 10, 18)


def test_an_undo_gives_nothing_back_to_a_pool_that_was_deleted(system: System, send: Tasks) -> None:
    pool(system, 3)
    run_id = reassigned(system, send, RecordIds("lead", owned(system, ROWS)))
    undo_id = system.transact(undo.accept, run_id, None, returns_turns=True)
    run(system, send.waiting.pop())
    run(system, send.waiting.pop())
    delete_pool(system)

    _, returned = cancel(system, undo_id)
    send.drain(system)

    assert (returned, state_of(system, undo_id)[2]) == (0, 0)


# --- in the middle ---


@pytest.mark.parametrize("seed", range(3))
def test_a_cancel_while_chunks_are_loaded_side_by_side_keeps_the_numbers(
    system: System, send: Tasks, seed: int
) -> None:
    pool(system, 3)
    run_id = accepted(system, sheet(1_500))
    run(system, send.waiting.pop())
    tasks = send.lose()

    with ThreadPoolExecutor(3) as threads:
        working = [threads.submit(run, system, task) for task in tasks[: seed + 1]]
        cancelled = threads.submit(cancel, system, run_id).result(SECONDS)
        working += [threads.submit(run, system, task) for task in tasks]
        for done in working:
            done.result(SECONDS)
    send.drain(system)

    assert state_of(system, run_id) == ("cancelled", *cancelled)
    assert sum(cancelled) == 1_500
    assert len(receipt(system, run_id)) == cancelled[0]
    assert_promise(system)
