"""Undos: owners go back to who they were, what an import made is gone, and the ledger tells of
both."""

from random import Random
from typing import Any

import pytest
from sqlalchemy import text

from tests.support.factories import (
    accepted,
    captured,
    email,
    give_leads,
    imported,
    leave,
    owned,
    person,
    pool,
    reassigned,
    sheet,
    smart_list,
    to_reassign,
    undone,
)
from tests.support.invariants import assert_all_is_well, entries_of, everything, rows
from tests.support.tasks import Tasks, run
from worker.domain.people.permissions import Actor
from worker.domain.records.types import LEAD
from worker.domain.runs.record_ids import RecordIds
from worker.errors.runs import NotUndoable, UnknownRun
from worker.flows.audit.why import explain
from worker.flows.records.edits import RecordEditor, RequestContext
from worker.flows.runs import cancel, undo
from worker.flows.system import System
from worker.store.sql.clock import now

RECORDS = 28
"""Two chunks of ten records and one of eight."""


def run_of(system: System, run_id: int) -> dict[str, Any]:
    [found] = rows(system, "SELECT * FROM runs WHERE id = :run", run=run_id)
    return found


def as_given(system: System) -> list[dict[str, Any]]:
    """Whose each lead is, and by which turn."""
    return rows(
        system, "SELECT id, owner_id, pool_id, turn FROM leads WHERE deleted_at IS NULL ORDER BY id"
    )


def edit(system: System, lead_id: int, **values: Any) -> None:
    """Changes a lead, as an admin does over the API."""
    asking = RequestContext(
        Actor(person(system, "admin@example.com"), is_admin=True), f"request:{lead_id}", "USD"
    )
    system.transact(RecordEditor(LEAD).update, context=asking, record_id=lead_id, values=values)


def skipped(system: System, run_id: int) -> list[tuple[int, str]]:
    found = rows(
        system,
        "SELECT record_id, reason FROM skips WHERE run_id = :run ORDER BY ordinal",
        run=run_id,
    )
    return [(skip["record_id"], skip["reason"]) for skip in found]


# --- of a reassignment ---


def test_owners_go_back_to_who_they_were_and_the_turns_stay_spent(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    imported(system, send, sheet(RECORDS))
    before = as_given(system)
    run_id = reassigned(system, send, smart_list(system, {}, "last_name:desc"))

    undo_id = undone(system, send, run_id)

    assert as_given(system) == before
    ended = run_of(system, undo_id)
    assert (
        ended["state"],
        ended["rows"],
        ended["records"],
        ended["skipped"],
        ended["returned"],
    ) == ("done", RECORDS, RECORDS, 0, 0)
    assert [entry["turn"] for entry in entries_of(system, f"reassign:{run_id}")] == list(
        range(RECORDS + 1, 2 * RECORDS + 1)
    )
    spans = rows(
        system,
        "SELECT first_ordinal, last_ordinal FROM reversals WHERE run_id = :run"
        " ORDER BY first_ordinal",
        run=undo_id,
    )
    assert [(span["first_ordinal"], span["last_ordinal"]) for span in spans] == [
        (0, 9),
        (10, 19),
        (20, 27),
    ]
    assert rows(system, "SELECT turn FROM ledger_history") == []
    assert give_leads(system, 1) == "abc"[2 * RECORDS % 3]
    assert_all_is_well(system)


@pytest.mark.parametrize("returns", [False, True])
def test_what_is_left_alone_may_lie_between_any_two_that_go_back(
    system: System, send: Tasks, returns: bool
) -> None:
    pool(system, 3)
    run_id = imported(system, send, sheet(RECORDS))
    system.transact(
        lambda session: session.execute(
            text("UPDATE leads SET edited_at = :later WHERE id % 2 = 0"), {"later": now()}
        )
    )

    undo_id = undone(system, send, run_id, returns_turns=returns)

    ended = run_of(system, undo_id)
    assert (ended["records"], ended["skipped"], ended["returned"]) == (
        RECORDS // 2,
        RECORDS // 2,
        RECORDS // 2 * returns,
    )
    assert len(rows(system, "SELECT claim FROM reversals")) == RECORDS // 2
    assert give_leads(system, 4) == ("acba" if returns else "bcab")
    assert_all_is_well(system)


def test_the_members_may_get_their_turns_back(system: System, send: Tasks) -> None:
    pool(system, 3)
    ids = owned(system, RECORDS)
    run_id = reassigned(system, send, smart_list(system, {}))
    assert give_leads(system, 2) == "bc"

    undo_id = undone(system, send, run_id, returns_turns=True)

    assert run_of(system, undo_id)["returned"] == RECORDS
    assert rows(system, "SELECT DISTINCT turn FROM leads WHERE id <= :last", last=ids[-1]) == [
        {"turn": None}
    ]
    assert len(entries_of(system, f"reassign:{run_id}")) == RECORDS
    assert give_leads(system, 4) == "abca"
    assert [
        lead["turn"] for lead in rows(system, "SELECT turn FROM leads WHERE turn < 5 ORDER BY turn")
    ] == [1, 2, 3, 4]
    assert_all_is_well(system)


def test_what_somebody_has_changed_since_stays_and_is_listed(system: System, send: Tasks) -> None:
    pool(system, 2)
    ids, zoe = owned(system, 6), person(system, "zoe@example.com")
    run_id = reassigned(system, send, smart_list(system, {}))
    edit(system, ids[1], phone="123")
    edit(system, ids[3], owner_id=zoe)
    asking = RequestContext(Actor(zoe, is_admin=True), "request:x", "USD")
    system.transact(RecordEditor(LEAD).delete, asking, ids[4])

    undo_id = undone(system, send, run_id)

    assert skipped(system, undo_id) == [(ids[1], "edited"), (ids[3], "given"), (ids[4], "deleted")]
    assert run_of(system, undo_id)["records"] == 3
    admin = person(system, "admin@example.com")
    assert [lead["owner_id"] for lead in as_given(system)] == [
        admin,
        person(system, email(1)),
        admin,
        zoe,
        admin,
    ]
    assert_all_is_well(system)


def test_what_was_edited_before_does_go_back(system: System, send: Tasks) -> None:
    pool(system, 2)
    ids = owned(system, 2)
    edit(system, ids[0], phone="123")
    before = as_given(system)

    undone(system, send, reassigned(system, send, smart_list(system, {})))

    assert as_given(system) == before


def test_undos_can_be_stacked_newest_first(system: System, send: Tasks) -> None:
    pool(system, 3)
    pool(system, [email(4), email(5)], "Others")
    import_id = imported(system, send, sheet(5))
    told = [as_given(system)]
    done = []
    for owner in ("Others", "Inbound", "a@example.com", "Others"):
        done.append(reassigned(system, send, smart_list(system, {}, "id:desc"), owner))
        told.append(as_given(system))

    while done:
        assert as_given(system) == told.pop()
        undone(system, send, done.pop(), returns_turns=len(done) % 2 == 0)
        assert_all_is_well(system)
    assert as_given(system) == told.pop()

    undone(system, send, import_id)

    assert as_given(system) == []
    assert_all_is_well(system)


def test_undone_twice_does_nothing(system: System, send: Tasks) -> None:
    pool(system, 3)
    owned(system, RECORDS)
    run_id = reassigned(system, send, smart_list(system, {}))
    undo_id = undone(system, send, run_id)
    before = everything(system)

    assert undone(system, send, run_id, returns_turns=True) == undo_id
    assert everything(system) == before


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("returns_turns", [False, True])
def test_tasks_may_come_in_any_order_and_twice(
    system: System, send: Tasks, seed: int, returns_turns: bool
) -> None:
    pool(system, 3)
    owned(system, RECORDS)
    before = as_given(system)
    run_id = reassigned(system, send, smart_list(system, {}))
    system.transact(undo.accept, run_id, None, returns_turns=returns_turns)

    ran = send.drain(system, times=2, order=Random(seed))
    after = everything(system)
    for task in [*ran, *reversed(ran)]:
        run(system, task)

    assert everything(system) == after
    assert as_given(system) == before
    assert_all_is_well(system)


def test_a_reassignment_to_a_person_is_undone_too(system: System, send: Tasks) -> None:
    pool(system, 3)
    imported(system, send, sheet(6))
    person(system, "zoe@example.com")
    before = as_given(system)
    run_id = reassigned(system, send, smart_list(system, {}), "zoe@example.com")

    undone(system, send, run_id)

    assert as_given(system) == before
    assert_all_is_well(system)


def test_captured_leads_that_waited_wait_again(system: System, send: Tasks) -> None:
    pool(system, 0, "Empty")
    pool(system, 2)
    waiting = captured(system, 3, "Empty")
    send.lose()
    run_id = reassigned(system, send, smart_list(system, {"owner": "Empty"}))

    undone(system, send, run_id)

    back = (
        "SELECT captures.lead_id FROM captures JOIN leads ON leads.id = lead_id"
        " WHERE accepted_at = created_at ORDER BY lead_id"
    )
    assert [capture["lead_id"] for capture in rows(system, back)] == waiting
    assert_all_is_well(system)


def test_records_that_the_run_itself_left_alone_are_no_matter_of_the_undo(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    ids, zoe = owned(system, 5), person(system, "zoe@example.com")
    run_id = to_reassign(system, smart_list(system, {}))
    run(system, send.waiting.pop())
    edit(system, ids[2], owner_id=zoe)
    send.drain(system)

    undo_id = undone(system, send, run_id)

    assert (run_of(system, undo_id)["records"], skipped(system, undo_id)) == (4, [])
    assert as_given(system)[2]["owner_id"] == zoe
    assert_all_is_well(system)


# --- of an import ---


def test_an_imports_records_are_gone_unless_they_were_touched(system: System, send: Tasks) -> None:
    pool(system, 3)
    run_id = imported(system, send, sheet(RECORDS, {3}))
    [edited, given] = [
        row["id"]
        for row in rows(system, "SELECT id FROM leads WHERE last_name IN ('L5', 'L6') ORDER BY id")
    ]
    edit(system, edited, phone="123")
    reassigned(system, send, smart_list(system, {"last_name": "L6"}))

    undo_id = undone(system, send, run_id)

    assert [lead["id"] for lead in as_given(system)] == [edited, given]
    assert skipped(system, undo_id) == [(edited, "edited"), (given, "given")]
    assert run_of(system, undo_id)["records"] == RECORDS - 3
    assert len(entries_of(system, f"import:{run_id}")) == RECORDS - 1
    assert_all_is_well(system)


def test_an_imports_turns_may_come_back(system: System, send: Tasks) -> None:
    pool(system, 3)
    run_id = imported(system, send, sheet(RECORDS))
    assert give_leads(system, 1) == "b"

    undone(system, send, run_id, returns_turns=True)

    assert give_leads(system, 4) == "abca"
    assert_all_is_well(system)


def test_an_import_to_a_person_is_undone_too(system: System, send: Tasks) -> None:
    person(system, "ann@example.com")
    run_id = imported(system, send, sheet(6), "ann@example.com")

    undone(system, send, run_id)

    assert as_given(system) == []
    assert_all_is_well(system)


def test_what_a_cancelled_import_has_made_is_undone(system: System, send: Tasks) -> None:
    pool(system, 3)
    run_id = accepted(system, sheet(RECORDS))
    run(system, send.waiting.pop())
    run(system, send.waiting.pop(1))
    system.transact(cancel.cancel, run_id)
    send.drain(system)
    assert len(as_given(system)) == 10

    undone(system, send, run_id, returns_turns=True)

    assert as_given(system) == []
    assert give_leads(system, 3) == "abc"
    assert_all_is_well(system)


# --- what can't be undone, and what is cancelled ---


def test_only_a_run_that_has_ended_is_undone(system: System, send: Tasks) -> None:
    pool(system, 3)
    running = accepted(system, sheet(3))

    with pytest.raises(NotUndoable, match="it is accepted"):
        undone(system, send, running)
    send.drain(system)
    with pytest.raises(NotUndoable, match="an undo itself"):
        undone(system, send, undone(system, send, running))
    with pytest.raises(UnknownRun):
        undone(system, send, 99)


def test_a_run_that_failed_before_it_began_is_not_undone(system: System, send: Tasks) -> None:
    pool(system, 1)
    run_id = accepted(system, sheet(3))
    leave(system, email(0))
    send.drain(system)

    with pytest.raises(NotUndoable, match="before it did anything"):
        undone(system, send, run_id)


def test_undone_out_of_order_what_they_share_stays_with_the_later(
    system: System, send: Tasks
) -> None:
    pool(system, 2)
    pool(system, [email(4)], "Others")
    ids = owned(system, 3)
    first = reassigned(system, send, smart_list(system, {}))
    second = reassigned(system, send, smart_list(system, {}), "Others")

    undo_id = undone(system, send, first)

    assert skipped(system, undo_id) == [(record_id, "given") for record_id in ids]
    undone(system, send, second)
    assert [lead["turn"] for lead in as_given(system)] == [1, 2, 3]
    assert_all_is_well(system)


def test_what_a_later_run_gave_to_the_same_person_stays_with_them(
    system: System, send: Tasks
) -> None:
    for address in ("ann@example.com", "bob@example.com"):
        person(system, address)
    import_id = imported(system, send, sheet(3), "ann@example.com")
    ids = [lead["id"] for lead in as_given(system)]
    first, second, third = (
        reassigned(system, send, RecordIds("lead", ids), f"{name}@example.com")
        for name in ("bob", "ann", "bob")
    )
    before = as_given(system)

    too_early = [undone(system, send, run_id) for run_id in (first, import_id)]

    assert [skipped(system, undo_id) for undo_id in too_early] == [
        [(record_id, "given") for record_id in ids]
    ] * 2
    assert as_given(system) == before
    in_order = [undone(system, send, run_id) for run_id in (third, second)]
    assert [run_of(system, undo_id)["records"] for undo_id in in_order] == [3, 3]
    assert as_given(system) == before
    assert_all_is_well(system)


def test_an_undo_is_told_as_the_reason_only_as_long_as_it_is(system: System, send: Tasks) -> None:
    pool(system, 2)
    for address in ("ann@example.com", "bob@example.com"):
        person(system, address)
    imported(system, send, sheet(2), "ann@example.com")
    wanted = RecordIds("lead", [lead["id"] for lead in as_given(system)])

    def told() -> int | None:
        with system.reading() as session:
            given_back_by: int | None = explain(session, "lead", wanted.ids[0]).given_back_by
        return given_back_by

    undo_id = undone(system, send, reassigned(system, send, wanted))
    assert told() == undo_id
    for name in ("bob", "ann"):  # whose they are again, but for another reason
        later = reassigned(system, send, wanted, f"{name}@example.com")
        assert told() is None
    undone(system, send, later)
    assert told() is None
    assert_all_is_well(system)


def test_what_the_import_gave_may_go_when_all_that_came_after_was_undone(
    system: System, send: Tasks
) -> None:
    person(system, "ann@example.com")
    import_id = imported(system, send, sheet(3), "ann@example.com")
    ids = [lead["id"] for lead in as_given(system)]
    undone(system, send, reassigned(system, send, RecordIds("lead", ids), "ann@example.com"))

    undone(system, send, import_id)

    assert as_given(system) == []
    assert_all_is_well(system)


@pytest.mark.parametrize("returns_turns", [False, True])
def test_an_undo_that_was_cancelled_is_taken_up_by_the_next(
    system: System, send: Tasks, returns_turns: bool
) -> None:
    pool(system, 3)
    owned(system, RECORDS)
    before = as_given(system)
    run_id = reassigned(system, send, smart_list(system, {}))
    first = system.transact(undo.accept, run_id, None, returns_turns=returns_turns)
    run(system, send.waiting.pop())
    run(system, send.waiting.pop(0))
    cancelled = system.transact(cancel.cancel, first)
    send.drain(system)
    assert (cancelled.records, cancelled.returned) == (10, 10 if returns_turns else 0)
    assert (run_of(system, first)["state"], run_of(system, first)["records"]) == ("cancelled", 10)
    assert_all_is_well(system)

    second = undone(system, send, run_id, returns_turns=returns_turns)

    assert (run_of(system, second)["records"], skipped(system, second)) == (RECORDS - 10, [])
    assert as_given(system) == before
    assert_all_is_well(system)


def test_returned_turns_of_members_who_left_are_void(system: System, send: Tasks) -> None:
    pool(system, 3)
    owned(system, 6)
    run_id = reassigned(system, send, smart_list(system, {}))
    leave(system, email(1))

    undone(system, send, run_id, returns_turns=True)

    assert [
        entry["turn"]
        for entry in rows(system, "SELECT turn FROM ledger WHERE cause = 'void' ORDER BY turn")
    ] == [2, 5]
    assert give_leads(system, 4) == "acac"
    assert_all_is_well(system)
