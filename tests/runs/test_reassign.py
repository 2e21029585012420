"""Reassignments: each record of a list goes to the next member, in the order of the list."""

from random import Random
from typing import Any

import pytest

from tests.support.factories import (
    accepted,
    captured,
    deactivate,
    delete_pool,
    email,
    give_leads,
    imported,
    join,
    leave,
    owned,
    person,
    pool,
    reassigned,
    sheet,
    smart_list,
    to_reassign,
)
from tests.support.invariants import assert_all_is_well, entries_of, everything, rows
from tests.support.tasks import Tasks, run
from worker.domain.runs.record_ids import RecordIds
from worker.errors.records import UnknownRecord
from worker.errors.turns import EmptyPool, UnknownOwner, WrongPoolType
from worker.flows.runs import cancel
from worker.flows.system import System

RECORDS = 28
"""Two chunks of ten records and one of eight."""


def owners(system: System, ids: list[int], table: str = "leads") -> str:
    """The first letters of who owns the records, in that order."""
    found = rows(
        system,
        f"SELECT {table}.id, users.email FROM {table} LEFT JOIN users ON users.id = owner_id",
    )
    by_id = {row["id"]: (row["email"] or ".")[0] for row in found}
    return "".join(by_id[record_id] for record_id in ids)


def run_of(system: System, run_id: int) -> dict[str, Any]:
    [found] = rows(system, "SELECT * FROM runs WHERE id = :run", run=run_id)
    return found


# --- in order ---


def test_records_get_turns_in_the_order_of_the_list(system: System, send: Tasks) -> None:
    pool(system, 3)
    imported(system, send, sheet(RECORDS))
    assert give_leads(system, 1) == "b"

    run_id = reassigned(
        system, send, smart_list(system, {"first_name": {"starts_with": "f"}}, "last_name:desc")
    )

    named = rows(
        system, "SELECT id, last_name, turn FROM leads WHERE first_name IS NOT NULL ORDER BY turn"
    )
    assert [lead["turn"] for lead in named] == list(range(RECORDS + 2, 2 * RECORDS + 2))
    assert [lead["last_name"] for lead in named] == sorted(
        (f"L{row}" for row in range(RECORDS)), reverse=True
    )
    done = run_of(system, run_id)
    assert (done["state"], done["rows"], done["records"], done["skipped"], done["turns"]) == (
        "done",
        RECORDS,
        RECORDS,
        0,
        RECORDS,
    )
    assert give_leads(system, 1) == "abc"[(2 * RECORDS + 1) % 3]
    assert_all_is_well(system)


def test_ids_are_given_in_the_order_in_which_they_are_named(system: System, send: Tasks) -> None:
    pool(system, 3)
    ids = owned(system, 5)
    mixed = [ids[at] for at in (3, 0, 4, 1)]

    reassigned(system, send, RecordIds("lead", mixed))

    assert owners(system, mixed) == "abca"
    assert rows(system, "SELECT turn FROM leads WHERE id = :id", id=ids[2]) == [{"turn": None}]
    assert_all_is_well(system)


@pytest.mark.parametrize("record_type", ["contact", "deal"])
def test_contacts_and_deals_are_reassigned_like_leads(
    system: System, send: Tasks, record_type: str
) -> None:
    pool(system, 2, "Others", record_type)
    ids = owned(system, 5, record_type=record_type)

    reassigned(system, send, smart_list(system, {}, "id:desc", record_type), "Others")

    assert owners(system, ids[::-1], f"{record_type}s") == "ababa"
    assert_all_is_well(system)


@pytest.mark.parametrize("seed", range(3))
def test_tasks_may_come_in_any_order_and_twice(system: System, send: Tasks, seed: int) -> None:
    pool(system, 3)
    ids = owned(system, RECORDS)
    run_id = to_reassign(system, smart_list(system, {}, "id:desc"))

    send.drain(system, times=2, order=Random(seed))

    assert [entry["record_id"] for entry in entries_of(system, f"reassign:{run_id}")] == ids[::-1]
    assert_all_is_well(system)


def test_tasks_that_come_again_when_all_is_done_change_nothing(system: System, send: Tasks) -> None:
    pool(system, 3)
    owned(system, RECORDS)
    to_reassign(system, smart_list(system, {}))
    ran = send.drain(system)
    before = everything(system)

    for task in [*ran, *reversed(ran)]:
        run(system, task)

    assert send.waiting == []
    assert everything(system) == before


def test_several_workers_keep_the_order_of_the_list(system: System, send: Tasks) -> None:
    pool(system, 5)
    ids = owned(system, RECORDS)
    run_id = to_reassign(system, smart_list(system, {}, "id:desc"))

    send.drain_in_threads(system, 4, times=2)

    assert [entry["record_id"] for entry in entries_of(system, f"reassign:{run_id}")] == ids[::-1]
    assert_all_is_well(system)


def test_the_list_is_frozen_when_the_run_begins(system: System, send: Tasks) -> None:
    pool(system, 2)
    ids = owned(system, 4)
    to_reassign(system, smart_list(system, {}))
    run(system, send.waiting.pop())

    later = owned(system, 2)
    send.drain(system)

    assert owners(system, ids) == "abab"
    assert {
        lead["turn"]
        for lead in rows(system, "SELECT turn FROM leads WHERE id >= :first", first=later[0])
    } == {None}
    assert_all_is_well(system)


def test_a_block_keeps_the_members_of_its_time(system: System, send: Tasks) -> None:
    pool(system, 3)
    ids = owned(system, 6)
    to_reassign(system, smart_list(system, {}))
    run(system, send.waiting.pop())
    leave(system, email(1))
    join(system, email(3))

    send.drain(system)

    assert owners(system, ids) == "abcabc"
    assert give_leads(system, 3) == "acd"
    assert_all_is_well(system)


def test_an_import_is_a_list_that_is_ready_to_be_reassigned(system: System, send: Tasks) -> None:
    pool(system, 3)
    person(system, "ann@example.com")
    imported(system, send, sheet(4))
    run_id = imported(system, send, sheet(6, {2}), "ann@example.com")

    reassigned(system, send, smart_list(system, {"import_run": run_id}))

    given = rows(system, "SELECT last_name, turn FROM leads WHERE turn > 4 ORDER BY turn")
    assert [lead["last_name"] for lead in given] == ["L0", "L1", "L3", "L4", "L5"]
    assert_all_is_well(system)


# --- to whom ---


def test_a_person_may_get_them_all_and_takes_no_turn(system: System, send: Tasks) -> None:
    pool(system, 3)
    imported(system, send, sheet(6))
    person(system, "zoe@example.com")
    ids = [row["id"] for row in rows(system, "SELECT id FROM leads ORDER BY id")]

    run_id = reassigned(system, send, smart_list(system, {}), "zoe@example.com")

    assert owners(system, ids) == "zzzzzz"
    assert rows(system, "SELECT DISTINCT pool_id, turn FROM leads") == [
        {"pool_id": None, "turn": None}
    ]
    assert (run_of(system, run_id)["records"], run_of(system, run_id)["turns"]) == (6, 0)
    assert len(rows(system, "SELECT turn FROM ledger")) == 6
    assert_all_is_well(system)


def test_a_record_may_go_to_the_member_who_has_it_and_takes_the_turn_nevertheless(
    system: System, send: Tasks
) -> None:
    pool(system, 1)
    ids = owned(system, 2, email(0))

    reassigned(system, send, smart_list(system, {}))

    assert owners(system, ids) == "aa"
    assert [entry["previous_owner_id"] for entry in rows(system, "SELECT * FROM ledger")] == [
        person(system, email(0))
    ] * 2
    assert_all_is_well(system)


def test_captured_leads_that_wait_leave_their_line(system: System, send: Tasks) -> None:
    pool(system, 0, "Empty")
    pool(system, 2)
    waiting = captured(system, 3, "Empty")
    send.lose()

    reassigned(system, send, smart_list(system, {"owner": "Empty"}))

    assert owners(system, waiting) == "aba"
    assert rows(system, "SELECT lead_id FROM captures") == []
    assert_all_is_well(system)


def test_an_owner_that_cannot_take_the_records_is_said_at_once(system: System, send: Tasks) -> None:
    pool(system, 1)
    pool(system, 0, "Empty")
    owned(system, 1, record_type="deal")

    for owner, record_type, error in (
        ("nobody", "lead", UnknownOwner),
        ("Empty", "lead", EmptyPool),
        ("Inbound", "deal", WrongPoolType),
    ):
        with pytest.raises(error):
            to_reassign(system, smart_list(system, {}, record_type=record_type), owner)
    with pytest.raises(UnknownRecord, match="no lead 99"):
        to_reassign(system, RecordIds("lead", [*owned(system, 1), 99]))
    assert rows(system, "SELECT * FROM runs") == []
    assert send.waiting == []


def test_a_pool_that_all_left_before_the_list_is_frozen_fails_the_run_with_the_reason(
    system: System, send: Tasks
) -> None:
    pool(system, 1)
    ids = owned(system, 3)
    run_id = to_reassign(system, smart_list(system, {}))
    leave(system, email(0))

    send.drain(system)

    assert str(run_of(system, run_id)["reason"]).startswith("The pool Inbound has no members.")
    assert run_of(system, run_id)["state"] == "failed"
    assert owners(system, ids) == "aaa"  # the admin's
    assert_all_is_well(system)


def test_a_person_who_is_deactivated_before_the_list_is_frozen_fails_the_run(
    system: System, send: Tasks
) -> None:
    owned(system, 3)
    person(system, "zoe@example.com")
    run_id = to_reassign(system, smart_list(system, {}), "zoe@example.com")
    deactivate(system, "zoe@example.com")

    send.drain(system)

    assert run_of(system, run_id)["state"] == "failed"


def test_a_list_that_holds_nothing_is_done_at_once(system: System, send: Tasks) -> None:
    pool(system, 2)

    run_id = reassigned(system, send, smart_list(system, {"status": "Nobody's"}))

    assert (run_of(system, run_id)["state"], run_of(system, run_id)["rows"]) == ("done", 0)
    assert give_leads(system, 1) == "a"
    assert_all_is_well(system)


# --- what changes meanwhile ---


def test_records_that_change_owner_or_vanish_meanwhile_are_left_alone_and_their_turns_come_back(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    zoe, ids = person(system, "zoe@example.com"), owned(system, 7)
    run_id = to_reassign(system, smart_list(system, {}))
    run(system, send.waiting.pop())
    with system.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE leads SET owner_id = {zoe} WHERE id = {ids[1]}")
        connection.exec_driver_sql(f"UPDATE leads SET deleted_at = created_at WHERE id = {ids[4]}")

    send.drain(system)

    assert owners(system, ids) == "azcaaca"
    skipped = rows(system, "SELECT record_id, reason FROM skips ORDER BY ordinal")
    assert [(skip["record_id"], skip["reason"]) for skip in skipped] == [
        (ids[1], "given"),
        (ids[4], "deleted"),
    ]
    done = run_of(system, run_id)
    assert (done["records"], done["skipped"], done["turns"], done["returned"]) == (5, 2, 7, 2)
    assert give_leads(system, 3) == "bbb"  # turns 2 and 5, which came back, and then 8
    assert_all_is_well(system)


def test_two_lists_that_share_records_leave_each_record_with_one_of_its_turns(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    pool(system, [email(4), email(5)], "Others")
    ids = owned(system, RECORDS)
    to_reassign(system, smart_list(system, {}))
    to_reassign(system, smart_list(system, {}, "id:desc"), "Others")

    send.drain_in_threads(system, 4)

    assert set(owners(system, ids)) <= set("abcef")
    assert_all_is_well(system)


@pytest.mark.parametrize(("chunks", "records"), [(0, 0), (1, 10), (3, RECORDS)])
def test_a_cancelled_run_gives_back_what_it_has_not_used(
    system: System, send: Tasks, chunks: int, records: int
) -> None:
    pool(system, 3)
    owned(system, RECORDS)
    run_id = to_reassign(system, smart_list(system, {}))
    run(system, send.waiting.pop())
    for _ in range(chunks):
        run(system, send.waiting.pop(0))

    cancelled = system.transact(cancel.cancel, run_id)
    send.drain(system, times=2)

    assert (cancelled.records, cancelled.returned) == (records, RECORDS - records)
    assert give_leads(system, 1) == "abc"[records % 3]
    assert_all_is_well(system)


def test_a_run_that_stands_still_is_carried_on(system: System, send: Tasks) -> None:
    from tests.support.factories import an_hour_passes
    from worker.flows.upkeep import sweeps

    pool(system, 3)
    ids = owned(system, 5)
    to_reassign(system, smart_list(system, {}))
    for _ in range(3):
        send.lose()
        an_hour_passes(system)
        sweeps.sweep(system)
        run(system, send.waiting.pop())

    assert owners(system, ids) == "abcab"
    assert_all_is_well(system)


def test_an_import_goes_on_beside_a_reassignment(system: System, send: Tasks) -> None:
    pool(system, 3)
    owned(system, RECORDS)
    to_reassign(system, smart_list(system, {}))
    accepted(system, sheet(RECORDS))

    send.drain_in_threads(system, 4)

    assert len(rows(system, "SELECT turn FROM ledger")) == 2 * RECORDS
    assert_all_is_well(system)


def test_a_deleted_pool_fails_the_run_that_has_not_begun(system: System, send: Tasks) -> None:
    pool(system, 3)
    owned(system, 3)
    run_id = to_reassign(system, smart_list(system, {}))
    delete_pool(system)

    send.drain(system)

    assert run_of(system, run_id)["state"] == "failed"
