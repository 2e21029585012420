"""What fails each time it is tried: it is tried three times, set aside with its reason, holds up
nobody, and is tried again on demand."""

import sqlite3
from collections.abc import Callable

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.support.factories import (
    accepted,
    an_hour_passes,
    antidote,
    captured,
    give_leads,
    leases_run_out,
    poison,
    pool,
    sheet,
)
from tests.support.invariants import assert_in_file_order, assert_promise, rows
from tests.support.tasks import Tasks, lease_slowly, load_leased, run
from worker.errors.runs import NothingToRetry, UnknownRun
from worker.flows.intake.retry import retry_leads
from worker.flows.runs import cancel, retry, scans
from worker.flows.system import System
from worker.flows.upkeep import rings, sweeps
from worker.queue import Task
from worker.store.intake import captures
from worker.store.leases import MOST_ATTEMPTS
from worker.store.runs import chunks

DIED = "its worker died each of the 3 times that it was tried"


def run_of(system: System, run_id: int) -> dict[str, object]:
    [found] = rows(system, "SELECT * FROM runs WHERE id = :run", run=run_id)
    return found


def capture_of(system: System, lead_id: int) -> dict[str, object]:
    [found] = rows(system, "SELECT * FROM captures WHERE lead_id = :lead", lead=lead_id)
    return found


def turns(system: System, lead_ids: list[int]) -> list[int | None]:
    found = {row["id"]: row["turn"] for row in rows(system, "SELECT id, turn FROM leads")}
    return [found[each] for each in lead_ids]


def tried(system: System, send: Tasks) -> int:
    """Runs tasks until none waits. Returns how many of them failed."""
    failed = 0
    for task in send.lose():
        failed += fails(system, task)
    return failed + (tried(system, send) if send.waiting else 0)


def fails(system: System, task: Task) -> bool:
    """Whether a task meets the poison. Chunks meet the driver's own errors."""
    try:
        run(system, task)
    except (DBAPIError, psycopg.Error, sqlite3.Error) as error:
        if "poison" not in str(error):
            raise
        return True
    return False


def tried_until_nothing_is_left(system: System, send: Tasks) -> int:
    """How many tasks failed until upkeep found nothing more to send."""
    failed = tried(system, send)
    for _ in range(2 * MOST_ATTEMPTS):
        an_hour_passes(system)
        sweeps.sweep(system)
        failed += tried(system, send)
    assert send.waiting == []
    return failed


# --- captured leads ---


def test_a_lead_that_fails_each_time_is_set_aside_and_the_others_are_assigned(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    leads = captured(system, 4)
    poison(system, leads[1])

    failed = tried_until_nothing_is_left(system, send)

    assert failed == MOST_ATTEMPTS
    assert turns(system, [leads[0], *leads[2:]]) == [1, 3, 4]
    aside = capture_of(system, leads[1])
    assert (bool(aside["set_aside"]), aside["attempts"], aside["leased_until"]) == (
        True,
        MOST_ATTEMPTS,
        None,
    )
    assert "poison" in str(aside["reason"])
    assert_promise(system, quiet=False)


def test_the_turn_of_a_lead_that_was_set_aside_comes_back_and_it_gets_another(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    leads = captured(system, 4)
    poison(system, leads[1])
    tried_until_nothing_is_left(system, send)

    assert len(rings.repair(system)) == 1
    assert_promise(system)
    assert give_leads(system, 2) == "bb"
    antidote(system)
    assert system.transact(retry_leads) == 1
    send.drain(system)

    assert turns(system, leads) == [1, 6, 3, 4]
    assert rows(system, "SELECT lead_id FROM captures") == []
    assert_promise(system)


def test_leads_behind_one_that_fails_do_not_wait_until_it_is_set_aside(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    [bad] = captured(system, 1)
    poison(system, bad)
    assert tried(system, send) == 1

    later = captured(system, 2)
    assert tried(system, send) == 0

    assert turns(system, [bad, *later]) == [None, 2, 3]
    assert_promise(system)
    antidote(system)
    tried_until_nothing_is_left(system, send)
    assert turns(system, [bad, *later]) == [1, 2, 3]
    assert_promise(system)


def test_a_lead_whose_worker_dies_each_time_is_set_aside_for_that(
    system: System, send: Tasks
) -> None:
    inbound = pool(system, 3)
    [bad, good] = captured(system, 2)
    send.lose()

    for _ in range(MOST_ATTEMPTS):
        system.transact(captures.lease, [bad], "a worker that dies", -1.0)
    sweeps.sweep(system)
    captured(system, 1)
    send.drain(system)

    assert (bool(capture_of(system, bad)["set_aside"]), capture_of(system, bad)["reason"]) == (
        True,
        DIED,
    )
    assert turns(system, [bad, good]) == [None, 1]
    assert rows(system, "SELECT owner_id FROM leads WHERE id = :bad", bad=bad) == [
        {"owner_id": inbound.id}
    ]
    assert_promise(system)


def test_a_retried_lead_has_as_many_attempts_as_at_first(system: System, send: Tasks) -> None:
    pool(system, 3)
    [bad] = captured(system, 1)
    poison(system, bad)
    assert tried_until_nothing_is_left(system, send) == MOST_ATTEMPTS

    assert system.transact(retry_leads) == 1
    assert tried_until_nothing_is_left(system, send) == MOST_ATTEMPTS

    assert capture_of(system, bad)["set_aside"]
    assert_promise(system, quiet=False)


def test_without_leads_that_were_set_aside_there_is_nothing_to_retry(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    captured(system, 1)
    send.lose()

    assert system.transact(retry_leads) == 0
    assert send.waiting == []


def test_leads_of_several_pools_are_retried_by_a_task_each(system: System, send: Tasks) -> None:
    pool(system, 3)
    pool(system, 3, "Other")
    leads = [*captured(system, 2), *captured(system, 2, "Other")]
    send.lose()
    system.transact(
        lambda session: session.execute(text("UPDATE captures SET set_aside = true, attempts = 3"))
    )

    assert system.transact(retry_leads) == 4

    assert [task.arguments["lead"] for task in send.waiting] == [leads[1], leads[3]]
    send.drain(system)
    assert turns(system, leads) == [1, 2, 1, 2]
    assert_promise(system)


# --- chunks ---


def with_a_bad_chunk(system: System, send: Tasks) -> int:
    """A run whose second chunk of three has failed until it was set aside."""
    pool(system, 3)
    run_id = accepted(system, sheet(28))
    run(system, send.waiting.pop())
    poison(system, 12)
    assert tried_until_nothing_is_left(system, send) == MOST_ATTEMPTS
    return run_id


def test_a_run_fails_visibly_when_nothing_but_a_bad_chunk_is_left_of_it(
    system: System, send: Tasks
) -> None:
    run_id = with_a_bad_chunk(system, send)

    failed = run_of(system, run_id)

    assert (failed["state"], failed["records"], failed["chunks_left"]) == ("failed", 18, 1)
    assert str(failed["reason"]).startswith("Chunk 1, which begins at line 12, was set aside: ")
    assert "poison" in str(failed["reason"])
    assert rows(system, "SELECT claim, open FROM blocks WHERE open") != []
    assert_promise(system)
    assert give_leads(system, 1) == "b"
    assert_promise(system)


def test_a_retried_run_is_finished_in_the_order_of_its_file(system: System, send: Tasks) -> None:
    run_id = with_a_bad_chunk(system, send)
    give_leads(system, 1)
    antidote(system)

    assert system.transact(retry.retry, run_id) == 1
    send.drain(system, times=2)

    assert assert_in_file_order(system, run_id) == list(range(1, 29))
    assert_promise(system)


def test_a_run_that_is_retried_too_early_fails_again(system: System, send: Tasks) -> None:
    run_id = with_a_bad_chunk(system, send)

    system.transact(retry.retry, run_id)
    assert run_of(system, run_id)["reason"] is None

    assert tried_until_nothing_is_left(system, send) == MOST_ATTEMPTS
    assert run_of(system, run_id)["state"] == "failed"
    assert_promise(system)


def test_a_bad_chunk_does_not_keep_the_others_from_being_loaded(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    run_id = accepted(system, sheet(28))
    run(system, send.waiting.pop())
    poison(system, 1)

    assert tried(system, send) == 1

    assert run_of(system, run_id)["records"] == 18
    assert run_of(system, run_id)["state"] == "loading"
    assert_promise(system)


def test_a_chunk_whose_worker_dies_each_time_fails_the_run_with_its_line(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    run_id = accepted(system, sheet(28))
    run(system, send.waiting.pop())
    doomed = send.waiting.pop(0)
    for _ in range(MOST_ATTEMPTS):
        system.transact(chunks.lease, run_id, doomed.arguments["chunk"], "a worker that dies", -1.0)

    tried_until_nothing_is_left(system, send)

    assert (
        run_of(system, run_id)["reason"]
        == f"Chunk 0, which begins at line 2, was set aside: {DIED}."
    )
    system.transact(retry.retry, run_id)
    send.drain(system)
    assert_in_file_order(system, run_id)
    assert_promise(system)


def test_a_slow_worker_that_finishes_what_was_set_aside_brings_the_run_to_its_end(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    run_id = accepted(system, sheet(28))
    run(system, send.waiting.pop())
    first, *others = send.lose()
    leased = lease_slowly(system, run_id, 0)
    for _ in range(MOST_ATTEMPTS):
        leases_run_out(system)
        system.transact(chunks.lease, run_id, 0, "a worker that dies", -1.0)
    sweeps.sweep(system)

    load_leased(system, *leased)
    for task in (*others, first):
        run(system, task)
    send.drain(system)

    assert_in_file_order(system, run_id)
    assert_promise(system)


# --- scans ---


def dies(system: System, run_id: int) -> None:
    system.transact(scans.begin, run_id, "a worker that dies")
    leases_run_out(system)


def test_a_scan_that_dies_each_time_fails_the_run_and_a_retry_begins_anew(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    run_id = accepted(system, sheet(28))
    for sent in range(MOST_ATTEMPTS):
        assert send.names() == ["imports.scan"], sent
        send.lose()
        dies(system, run_id)
        sweeps.sweep(system)

    assert send.waiting == []
    failed = run_of(system, run_id)
    assert (failed["state"], failed["reason"]) == ("failed", f"The file could not be read: {DIED}.")
    assert_promise(system)
    assert system.transact(retry.retry, run_id) == 1
    send.drain(system, times=2)
    assert_in_file_order(system, run_id)
    assert_promise(system)


def test_a_run_whose_file_could_not_be_read_is_retried_at_once(system: System, send: Tasks) -> None:
    pool(system, 3)
    run_id = accepted(system, sheet(12))
    [found] = rows(system, "SELECT folder FROM imports")
    upload, moved = (
        f"{system.uploads._root}/{found['folder']}/{name}" for name in ("upload.csv", "elsewhere")
    )
    system.uploads._files.mv(upload, moved)
    send.drain(system)
    assert "is gone from the upload storage" in str(run_of(system, run_id)["reason"])
    system.uploads._files.mv(moved, upload)

    system.transact(retry.retry, run_id)
    send.drain(system)

    assert_in_file_order(system, run_id)
    assert_promise(system)


# --- what is not retried ---


def ended(system: System, send: Tasks) -> int:
    run_id = accepted(system, sheet(20))
    send.drain(system)
    return run_id


def cancelled(system: System, send: Tasks) -> int:
    run_id = accepted(system, sheet(20))
    system.transact(cancel.cancel, run_id)
    return run_id


@pytest.mark.parametrize("make", [ended, cancelled, lambda system, _: accepted(system, sheet(20))])
def test_only_a_run_that_failed_is_retried(
    system: System, send: Tasks, make: Callable[[System, Tasks], int]
) -> None:
    pool(system, 3)
    run_id = make(system, send)
    send.drain(system)
    before = run_of(system, run_id)

    with pytest.raises(NothingToRetry):
        system.transact(retry.retry, run_id)

    assert (run_of(system, run_id), send.waiting) == (before, [])


def test_a_run_that_is_unknown_is_not_retried(system: System) -> None:
    with pytest.raises(UnknownRun):
        system.transact(retry.retry, 7)
