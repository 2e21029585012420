"""Reassignments and undos, while others are at the same records, the same lists and the same turns.

On SQLite whoever is at a chunk holds the whole database, and there is nothing to overlap.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import text

from tests.race.test_captures import all_assigned
from tests.race.test_imports import ended, workers
from tests.race.test_runs import SECONDS, in_the_middle_of, system, waiting
from tests.race.worker import RedisTasks
from tests.support.factories import (
    accepted,
    captured,
    email,
    give_leads,
    imported,
    owned,
    person,
    pool,
    reassigned,
    sheet,
    smart_list,
    to_reassign,
)
from tests.support.invariants import assert_in_file_order, assert_promise, entries_of, rows
from tests.support.servers import wait_until
from tests.support.tasks import Tasks, run
from worker.domain.people.permissions import Actor
from worker.domain.records.types import LEAD
from worker.domain.runs.record_ids import RecordIds
from worker.flows.audit.verify import verify
from worker.flows.intake import capture
from worker.flows.records.edits import RecordEditor, RequestContext
from worker.flows.runs import cancel as cancel_flow
from worker.flows.runs import reassign, scans, undo
from worker.flows.system import System
from worker.flows.upkeep import rings, sweeps
from worker.store.sql import clock

__all__ = ["system"]

ROWS = 700
"""Two chunks of 250 records and one of 200."""

PATIENCE_SECONDS = 90


def assert_all_is_well(system: System) -> None:
    rings.repair(system)
    assert_promise(system)
    assert [report.violations for report in verify(system) if not report.holds] == []


def state_of(system: System, run_id: int) -> tuple[str, int, int, int]:
    """A run's state, the records that it has changed and left, and the turns that it gave back."""
    [found] = rows(system, "SELECT * FROM runs WHERE id = :run", run=run_id)
    return found["state"], found["records"], found["skipped"], found["returned"]


def frozen(system: System, send: Tasks, ids: list[int], owner: str = "Inbound") -> int:
    """The id of a reassignment whose list is frozen, and whose chunks wait."""
    run_id = to_reassign(system, RecordIds("lead", ids), owner)
    run(system, send.waiting.pop())
    return run_id


def to_undo(system: System, run_id: int, *, returns_turns: bool) -> int:
    return system.transact(undo.accept, run_id, None, returns_turns=returns_turns)


def cut(system: System, send: Tasks, run_id: int, *, returns_turns: bool) -> int:
    """The id of an undo whose chunks wait."""
    undo_id = to_undo(system, run_id, returns_turns=returns_turns)
    run(system, send.waiting.pop())
    return undo_id


def deadlocks(system: System) -> int:
    [found] = rows(
        system, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    return int(found["deadlocks"])


# --- processes ---


def test_a_list_keeps_its_order_with_several_processes_and_every_task_delivered_twice(
    system: System, valkey: Redis, postgresql_url: str, valkey_url: str, tmp_path: Path
) -> None:
    system = replace(system, send=RedisTasks(valkey))
    pool(system, 5)
    ids = owned(system, 3 * ROWS)
    run_id = to_reassign(system, smart_list(system, {}, "id:desc"))

    with workers(
        valkey, tmp_path, postgresql_url, valkey_url, str(tmp_path / "uploads")
    ) as running:
        wait_until(
            lambda: ended(system) or any(worker.poll() is not None for worker in running),
            "the reassignment",
            PATIENCE_SECONDS,
        )

    entries = entries_of(system, f"reassign:{run_id}")
    assert [entry["record_id"] for entry in entries] == ids[::-1]
    assert [entry["turn"] for entry in entries] == list(range(1, 3 * ROWS + 1))
    assert_all_is_well(system)


def test_lists_that_overlap_go_side_by_side_with_leads_and_an_import_and_are_undone_so(
    system: System, valkey: Redis, postgresql_url: str, valkey_url: str, tmp_path: Path
) -> None:
    system = replace(system, send=RedisTasks(valkey))
    pool(system, 4)
    pool(system, [email(4), email(5)], "Others")
    owned(system, 2 * ROWS)

    with workers(
        valkey, tmp_path, postgresql_url, valkey_url, str(tmp_path / "uploads")
    ) as running:

        def wait(until: Callable[[], bool], what: str) -> None:
            def done() -> bool:
                sweeps.sweep(system)
                return until() or any(worker.poll() is not None for worker in running)

            wait_until(done, what, PATIENCE_SECONDS)

        def leads_come_in() -> list[int]:
            return [lead_id for _ in range(10) for lead_id in captured(system, 2)]

        moved = [
            to_reassign(system, smart_list(system, {}, "id:asc")),
            to_reassign(system, smart_list(system, {}, "id:desc"), "Others"),
        ]
        import_id = accepted(system, sheet(ROWS))
        leads = leads_come_in()
        wait(
            lambda: ended(system) and all_assigned(system),
            "both reassignments, the import and the leads",
        )
        assert_in_file_order(system, import_id)
        assert_all_is_well(system)
        undone = [
            to_undo(system, run_id, returns_turns=returns)
            for run_id, returns in zip(moved, (True, False), strict=True)
        ]
        leads += leads_come_in()
        wait(lambda: ended(system) and all_assigned(system), "both undos, and more leads")

    for run_id, undo_id in zip(moved, undone, strict=True):
        [(state, taken_back, left, _), (_, given, *_)] = (
            state_of(system, undo_id),
            state_of(system, run_id),
        )
        assert (state, taken_back + left) == ("done", given)
    assert None not in [
        row["turn"]
        for row in rows(
            system, f"SELECT turn FROM leads WHERE id IN ({', '.join(map(str, leads))})"
        )
    ]
    assert_all_is_well(system)


# --- a cancel in the middle ---


def cancel(system: System, run_id: int) -> cancel_flow.CancelledRun:
    return system.transact(cancel_flow.cancel, run_id)


@pytest.mark.fast
def test_a_cancel_waits_for_the_chunk_that_is_being_moved(system: System, send: Tasks) -> None:
    pool(system, 3)
    run_id = frozen(system, send, owned(system, ROWS))
    first, late, _ = send.waiting
    run(system, first)

    cancelled = in_the_middle_of(system, lambda: run(system, late), lambda: cancel(system, run_id))
    send.drain(system)

    assert (cancelled.records, cancelled.returned) == (500, 200)
    assert state_of(system, run_id) == ("cancelled", 500, 0, 200)
    assert give_leads(system, 1) == "c"
    assert_all_is_well(system)


@pytest.mark.parametrize("returns", [False, True])
def test_a_cancel_waits_for_the_chunk_that_is_being_taken_back(
    system: System, send: Tasks, returns: bool
) -> None:
    pool(system, 3)
    undo_id = cut(
        system,
        send,
        reassigned(system, send, RecordIds("lead", owned(system, ROWS))),
        returns_turns=returns,
    )
    first, late, _ = send.waiting
    run(system, first)

    cancelled = in_the_middle_of(system, lambda: run(system, late), lambda: cancel(system, undo_id))
    send.drain(system)

    assert cancelled.records == 500
    assert state_of(system, undo_id) == ("cancelled", 500, 0, 500 * returns)
    assert len(rows(system, "SELECT id FROM leads WHERE turn IS NOT NULL")) == 200
    assert_all_is_well(system)


# --- somebody else in the middle ---


def by_hand(system: System, lead_id: int, **values: object) -> Callable[[], object]:
    """Somebody changes a lead."""
    boss = Actor(person(system, "boss@example.com"), is_admin=True, can_reassign=True)
    asking = RequestContext(boss, f"request:{lead_id}", "USD")
    return lambda: system.transact(RecordEditor(LEAD).update, asking, lead_id, values)


def named(system: System, send: Tasks, count: int) -> list[int]:
    """The ids of so many leads with names, which somebody has."""
    person(system, "ann@example.com")
    imported(system, send, sheet(count), "ann@example.com")
    return [row["id"] for row in rows(system, "SELECT id FROM leads ORDER BY id")]


def owned_by(system: System, lead_id: int) -> str:
    [found] = rows(
        system,
        "SELECT users.email FROM leads JOIN users ON users.id = owner_id WHERE leads.id = :lead",
        lead=lead_id,
    )
    return str(found["email"])


def test_an_owner_who_is_chosen_while_a_chunk_is_moved_comes_after_it(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    ids, zoe = named(system, send, 5), person(system, "zoe@example.com")
    run_id = frozen(system, send, ids)
    [chunk] = send.lose()

    in_the_middle_of(system, lambda: run(system, chunk), by_hand(system, ids[1], owner_id=zoe))
    send.drain(system)

    assert state_of(system, run_id) == ("done", 5, 0, 0)
    assert owned_by(system, ids[1]) == "zoe@example.com"
    assert_all_is_well(system)
    undo_id = to_undo(system, run_id, returns_turns=True)
    send.drain(system)
    assert state_of(system, undo_id) == ("done", 4, 1, 4)
    assert owned_by(system, ids[1]) == "zoe@example.com"
    assert_all_is_well(system)


def test_a_pool_that_is_chosen_as_the_owner_before_a_chunk_comes_to_the_record_keeps_it(
    system: System, send: Tasks
) -> None:
    inbound = pool(system, 3)
    ids = named(system, send, 5)
    run_id = frozen(system, send, ids)
    [chunk] = send.lose()

    in_the_middle_of(
        system, by_hand(system, ids[3], owner_id=inbound.id), lambda: run(system, chunk)
    )
    send.drain(system)

    assert state_of(system, run_id) == ("done", 4, 1, 1)
    assert rows(system, "SELECT turn FROM leads WHERE id = :id", id=ids[3]) == [{"turn": 6}]
    assert give_leads(system, 1) == "a"  # turn 4, which came back
    assert_all_is_well(system)


@pytest.mark.parametrize("change", [{"phone": "1"}, {"owner_id": 1}])
def test_what_is_changed_by_hand_while_a_chunk_is_taken_back_comes_after_it(
    system: System, send: Tasks, change: dict[str, object]
) -> None:
    pool(system, 3)
    ids = named(system, send, 5)
    undo_id = cut(
        system, send, reassigned(system, send, RecordIds("lead", ids)), returns_turns=True
    )
    [chunk] = send.lose()

    in_the_middle_of(system, lambda: run(system, chunk), by_hand(system, ids[1], **change))
    send.drain(system)

    assert state_of(system, undo_id) == ("done", 5, 0, 5)
    assert rows(system, "SELECT turn FROM leads WHERE turn IS NOT NULL") == []
    assert_all_is_well(system)


def test_what_is_edited_after_a_worker_whose_clock_is_ahead_has_moved_it_is_left_alone(
    system: System, send: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Ahead":
            return super().now(tz) + timedelta(minutes=5)

    pool(system, 3)
    ids = named(system, send, 3)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(clock, "datetime", Ahead)
        run_id = reassigned(system, send, RecordIds("lead", ids))
    by_hand(system, ids[1], phone="1")()

    undo_id = to_undo(system, run_id, returns_turns=False)
    send.drain(system)

    assert rows(system, "SELECT record_id, reason FROM skips WHERE run_id = :run", run=undo_id) == [
        {"record_id": ids[1], "reason": "edited"}
    ]
    assert_all_is_well(system)


def test_a_record_that_a_pool_is_about_to_get_is_not_taken_back(
    system: System, send: Tasks
) -> None:
    inbound = pool(system, 3)
    ids = named(system, send, 5)
    undo_id = cut(
        system, send, reassigned(system, send, RecordIds("lead", ids)), returns_turns=True
    )
    [chunk] = send.lose()

    in_the_middle_of(
        system, by_hand(system, ids[1], owner_id=inbound.id), lambda: run(system, chunk)
    )
    send.drain(system)

    assert state_of(system, undo_id) == ("done", 4, 1, 4)
    assert rows(system, "SELECT id, turn FROM leads WHERE turn IS NOT NULL") == [
        {"id": ids[1], "turn": 6}
    ]
    assert_all_is_well(system)


def test_an_undo_waits_for_a_reassignment_that_is_just_moving_its_records_and_leaves_them(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    ids = owned(system, 5)
    first = reassigned(system, send, RecordIds("lead", ids))
    frozen(system, send, ids[:3])
    [moving] = send.lose()
    undo_id = cut(system, send, first, returns_turns=True)
    [taking_back] = send.lose()

    in_the_middle_of(system, lambda: run(system, moving), lambda: run(system, taking_back))
    send.drain(system)

    assert state_of(system, undo_id) == ("done", 2, 3, 2)
    assert_all_is_well(system)


# --- captured leads ---


def test_a_lead_that_is_just_given_its_owner_is_left_to_that_without_a_deadlock(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    leads = captured(system, 3)
    [task] = send.lose()
    run_id = frozen(system, send, leads)
    [chunk] = send.lose()

    in_the_middle_of(system, lambda: run(system, task), lambda: run(system, chunk))
    send.drain(system)

    assert deadlocks(system) == 0
    assert state_of(system, run_id) == ("done", 0, 3, 3)
    assert_all_is_well(system)


def test_leads_that_wait_while_a_list_takes_them_are_left_to_it_without_a_deadlock(
    system: System, send: Tasks
) -> None:
    inbound = pool(system, 3)
    leads = captured(system, 3)
    send.lose()
    run_id = frozen(system, send, leads)
    [chunk] = send.lose()
    batch = system.transact(capture._lease, inbound.id, "a worker")

    def enter() -> None:
        system.transact(capture._enter, inbound.id, batch)

    in_the_middle_of(system, lambda: run(system, chunk), enter)
    send.drain(system)

    assert deadlocks(system) == 0
    assert state_of(system, run_id) == ("done", 3, 0, 0)
    assert_all_is_well(system)


def test_leads_that_come_back_to_their_line_while_a_worker_enters_another_stay_in_it(
    system: System, send: Tasks
) -> None:
    inbound = pool(system, 3)
    person(system, "zoe@example.com")
    assert give_leads(system, 1) == "a"
    leads = captured(system, 3)
    send.lose()
    batch = system.transact(capture._lease, inbound.id, "a worker")
    cut(
        system,
        send,
        reassigned(system, send, RecordIds("lead", leads[1:]), "zoe@example.com"),
        returns_turns=False,
    )
    [chunk] = send.lose()

    with ThreadPoolExecutor(1) as threads:
        with system.engine.connect() as connection, connection.begin():
            connection.execute(
                text("SELECT id FROM leads WHERE id = :id FOR UPDATE"), {"id": leads[0]}
            )
            entering = threads.submit(
                system.transact, lambda session: capture._enter(session, inbound.id, batch)
            )
            wait_until(lambda: waiting(system) == 1, "the one who enters", SECONDS)
            run(system, chunk)
        entering.result(SECONDS)
    send.drain(system)

    assert rows(system, "SELECT turn FROM leads ORDER BY id") == [
        {"turn": turn} for turn in (1, 2, 3, 4)
    ]
    assert_all_is_well(system)


def test_a_move_and_a_delete_of_a_lead_that_waits_do_not_wait_for_each_other(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    leads = captured(system, 3)
    send.lose()
    run_id = frozen(system, send, leads)
    [chunk] = send.lose()
    boss = Actor(person(system, "boss@example.com"), is_admin=True)
    asking = RequestContext(boss, "request:a delete", "USD")

    in_the_middle_of(
        system,
        lambda: run(system, chunk),
        lambda: system.transact(RecordEditor(LEAD).delete, asking, leads[1]),
    )
    send.drain(system)

    assert deadlocks(system) == 0
    assert state_of(system, run_id)[0] == "done"
    assert_all_is_well(system)


# --- the same task twice ---


def test_a_list_that_two_workers_freeze_at_once_is_the_one_whose_turns_are_reserved(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    ids = owned(system, 3)
    run_id = to_reassign(system, smart_list(system, {}))
    send.lose()
    system.transact(scans.begin, run_id, "the one")
    system.transact(reassign._select, run_id)
    ids += owned(system, 4)

    with ThreadPoolExecutor(2) as threads:
        with system.engine.connect() as connection, connection.begin():
            connection.execute(text("LOCK TABLE selections IN EXCLUSIVE MODE"))
            other = threads.submit(
                system.transact, lambda session: reassign._select(session, run_id)
            )
            wait_until(
                lambda: waiting(system) == 1, "the other, who freezes the list anew", SECONDS
            )
            one = threads.submit(
                system.transact, lambda session: reassign._end_scan(session, run_id)
            )
            wait_until(lambda: waiting(system) == 2 or one.done(), "the one, who reserves", SECONDS)
        other.result(SECONDS)
        one.result(SECONDS)
    send.drain(system)

    assert [entry["record_id"] for entry in entries_of(system, f"reassign:{run_id}")] == ids
    assert state_of(system, run_id) == ("done", 7, 0, 0)
    assert_all_is_well(system)


@pytest.mark.parametrize("returns", [False, True])
def test_a_reassignment_is_undone_by_several_workers_while_leads_come_in(
    system: System, send: Tasks, returns: bool
) -> None:
    pool(system, 3)
    run_id = reassigned(system, send, RecordIds("lead", owned(system, ROWS)))
    undo_id = to_undo(system, run_id, returns_turns=returns)
    leads = [lead_id for _ in range(6) for lead_id in captured(system, 2)]

    send.drain_in_threads(system, 4, times=2)
    sweeps.sweep(system)
    send.drain(system)

    assert state_of(system, undo_id) == ("done", ROWS, 0, ROWS * returns)
    turns = [
        row["turn"]
        for row in rows(
            system, "SELECT turn FROM leads WHERE id >= :first ORDER BY id", first=leads[0]
        )
    ]
    assert None not in turns
    assert_all_is_well(system)
