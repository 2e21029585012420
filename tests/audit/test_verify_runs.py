"""Verification of runs: whatever reassignments and undos leave passes, and each way of corrupting
it is named."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from tests.audit.test_verify import execute, found
from tests.support import books
from tests.support.books import Book
from tests.support.factories import (
    accepted,
    captured,
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
    undone,
)
from tests.support.faults import forget
from tests.support.invariants import assert_promise, rows
from tests.support.tasks import Tasks, run
from worker.domain.people.permissions import Actor
from worker.domain.records.types import LEAD
from worker.domain.runs.record_ids import RecordIds
from worker.flows.audit.verify import verify
from worker.flows.records import convert
from worker.flows.records.convert import ConversionOrder
from worker.flows.records.edits import RecordEditor, RequestContext
from worker.flows.runs import cancel, undo
from worker.flows.system import System
from worker.flows.turns import seed

pytestmark = pytest.mark.usefixtures("small_chunks")

ROWS = 28
"""Two chunks of ten and one of eight."""


def assert_sound(system: System) -> None:
    assert_promise(system)
    assert [report.violations for report in verify(system) if not report.holds] == []


def state_of(system: System, run_id: int) -> tuple[str, int, int, int]:
    """A run's state, the records that it has changed and left, and the turns that it gave back."""
    [found] = rows(system, "SELECT * FROM runs WHERE id = :run", run=run_id)
    return found["state"], found["records"], found["skipped"], found["returned"]


def edited(system: System, lead_id: int) -> None:
    """Somebody changes what a lead says."""
    boss = Actor(
        person(system, "boss@example.com", is_admin=True), is_admin=True, can_reassign=True
    )
    asking = RequestContext(boss, "request:an edit", "USD")
    system.transact(RecordEditor(LEAD).update, asking, lead_id, {"phone": "1"})


def frozen(system: System, send: Tasks, wanted: RecordIds, owner: str = "Inbound") -> int:
    """The id of a reassignment whose list is frozen, and whose chunks wait."""
    run_id = to_reassign(system, wanted, owner)
    run(system, send.waiting.pop())
    return run_id


def to_undo(system: System, run_id: int, *, returns_turns: bool) -> int:
    """The id of an undo that is accepted."""
    return system.transact(undo.accept, run_id, None, returns_turns=returns_turns)


def work(system: System, send: Tasks, tasks: int) -> None:
    for _ in range(tasks):
        run(system, send.waiting.pop(0))


# --- what is corrupt ---

ANOTHER_RECORD = """UPDATE ledger SET record_id = CASE turn WHEN 9 THEN 10 ELSE 9 END WHERE turn IN
    (9, 10);
    UPDATE leads SET turn = CASE id WHEN 9 THEN 10 ELSE 9 END, owner_id = CASE id WHEN 9 THEN 1 ELSE
    3 END WHERE id IN (9, 10)"""
A_SKIP = "INSERT INTO skips (run_id, ordinal, record_id, reason) VALUES ({}, {}, {}, 'given')"
NAMES_IT = "UPDATE leads SET pool_id = 4, turn = {}, owner_id = {} WHERE id = {}"

TAKEBACKS = "UPDATE reversals SET"
MOVED = (
    "INSERT INTO ledger_history SELECT pool_id, turn, {} FROM ledger WHERE turn = 3; DELETE FROM "
    "ledger WHERE turn = 3"
).format("claim, ordinal, record_id, user_id, previous_owner_id, cause, actor_id, at")

CORRUPTIONS = {
    "an entry's record is another than the list's": (ANOTHER_RECORD, "in order", 9),
    "a list's record is another than the entry's": (
        "UPDATE selections SET record_id = 99 WHERE run_id = 2 AND ordinal = 2",
        "in order",
        9,
    ),
    "a place of a list is gone": (
        "DELETE FROM selections WHERE run_id = 2 AND ordinal = 2",
        "in order",
        9,
    ),
    "a skip is gone": ("DELETE FROM skips WHERE run_id = 2 AND ordinal = 1", "none skipped", 8),
    "a skip is of another record": (
        "UPDATE skips SET ordinal = 2 WHERE run_id = 2 AND ordinal = 1",
        "once",
        9,
    ),
    "a skip is added": (A_SKIP.format(2, 0, 7), "nothing lost", None),
    "a skip is added to a run without any": (A_SKIP.format(4, 0, 13), "nothing lost", None),
    "a skip of a run to a person is gone": (
        "DELETE FROM skips WHERE run_id = 6",
        "nothing lost",
        None,
    ),
    "a skip of an undo is gone": ("DELETE FROM skips WHERE run_id = 3", "nothing lost", None),
    "a reassignment counts other records": (
        "UPDATE runs SET records = 5 WHERE id = 2",
        "nothing lost",
        7,
    ),
    "a reassignment counts other skips": (
        "UPDATE runs SET skipped = 1 WHERE id = 2",
        "nothing lost",
        None,
    ),
    "a reassignment counts no skips": (
        "UPDATE runs SET skipped = 0 WHERE id = 2",
        "nothing lost",
        None,
    ),
    "a reassignment counts other turns": (
        "UPDATE runs SET turns = 7 WHERE id = 2",
        "nothing lost",
        7,
    ),
    "a reassignment counts other rows": (
        "UPDATE runs SET rows = 7 WHERE id = 2",
        "nothing lost",
        None,
    ),
    "a reassignment has returned other turns": (
        "UPDATE runs SET returned = 1 WHERE id = 2",
        "nothing lost",
        7,
    ),
    "a reassignment to a person counts other records": (
        "UPDATE runs SET records = 3 WHERE id = 6",
        "nothing lost",
        None,
    ),
    "a reassignment to a person has turns": (
        "UPDATE runs SET turns = 3 WHERE id = 6",
        "checkable",
        None,
    ),
    "a run that is done has chunks left": (
        "UPDATE runs SET chunks_left = 1 WHERE id = 2",
        "nothing lost",
        None,
    ),
    "an undo counts other records": (
        "UPDATE runs SET records = 6 WHERE id = 3",
        "nothing lost",
        None,
    ),
    "an undo counts other skips": (
        "UPDATE runs SET skipped = 0 WHERE id = 3",
        "nothing lost",
        None,
    ),
    "an undo that spends turns has returned some": (
        "UPDATE runs SET returned = 5 WHERE id = 3",
        "nothing lost",
        None,
    ),
    "an undo has returned fewer turns": (
        "UPDATE runs SET returned = 2 WHERE id = 5",
        "nothing lost",
        None,
    ),
    "an undo of a run to a person counts other records": (
        "UPDATE runs SET records = 1 WHERE id = 7",
        "nothing lost",
        None,
    ),
    "an undo of a run to a person has returned turns": (
        "UPDATE runs SET returned = 1 WHERE id = 7",
        "checkable",
        None,
    ),
    "a chunk of an undo isn't done": (
        "UPDATE chunks SET done_at = NULL WHERE run_id = 3",
        "nothing lost",
        None,
    ),
    "a takeback is gone": (
        "DELETE FROM reversals WHERE run_id = 3 AND first_ordinal = 2",
        "nothing lost",
        None,
    ),
    "a takeback is shorter": (
        "UPDATE reversals SET last_ordinal = 4 WHERE run_id = 3 AND first_ordinal = 2",
        "nothing lost",
        None,
    ),
    "a takeback has what the undo has left alone": (
        f"{TAKEBACKS} first_ordinal = 1 WHERE first_ordinal = 2",
        "nothing lost",
        None,
    ),
    "a takeback has what another has": (
        f"{TAKEBACKS} last_ordinal = 2 WHERE first_ordinal = 0",
        "once",
        None,
    ),
    "a takeback has what the undo never got to": (
        f"{TAKEBACKS} last_ordinal = 6 WHERE first_ordinal = 2",
        "checkable",
        None,
    ),
    "a takeback is of another claim": (
        f"{TAKEBACKS} claim = 'import:9' WHERE first_ordinal = 2",
        "checkable",
        None,
    ),
    "a takeback is of another pool": (
        f"{TAKEBACKS} pool_id = 1 WHERE first_ordinal = 2",
        "nothing lost",
        None,
    ),
    "a takeback is of another undo": (
        f"{TAKEBACKS} run_id = 7 WHERE first_ordinal = 2",
        "checkable",
        None,
    ),
    "a takeback is of a run that undoes nothing": (
        f"{TAKEBACKS} run_id = 2 WHERE first_ordinal = 2",
        "checkable",
        None,
    ),
    "a spent turn is in the history": (MOVED, "none skipped", 3),
    "the history of a returned turn is gone": (
        "DELETE FROM ledger_history WHERE turn = 11",
        "none skipped",
        11,
    ),
    "the history has another claim": (
        "UPDATE ledger_history SET claim = 'import:9' WHERE turn = 11",
        "checkable",
        11,
    ),
    "the history has another ordinal": (
        "UPDATE ledger_history SET ordinal = 9 WHERE turn = 11",
        "once",
        11,
    ),
    "the history has another turn": (
        "UPDATE ledger_history SET turn = 99 WHERE turn = 11",
        "in order",
        99,
    ),
    "the history has another record of a list": (
        "UPDATE ledger_history SET record_id = 99 WHERE turn = 11",
        "in order",
        11,
    ),
    "the history has a member who isn't there": (
        "UPDATE ledger_history SET user_id = 99 WHERE turn = 11",
        "checkable",
        11,
    ),
    "the history has no record": (
        "UPDATE ledger_history SET record_id = NULL WHERE turn = 11",
        "checkable",
        11,
    ),
    "the history has another cause": (
        "UPDATE ledger_history SET cause = 'import' WHERE turn = 11",
        "checkable",
        11,
    ),
    "the history has another pool": (
        "UPDATE ledger_history SET pool_id = 1 WHERE turn = 11",
        "nothing lost",
        None,
    ),
    "an undone entry has another record": (
        "UPDATE ledger SET record_id = 99 WHERE turn = 3",
        "in order",
        3,
    ),
    "an undone entry has another member": (
        "UPDATE ledger SET user_id = 1 WHERE turn = 3",
        "in turn",
        3,
    ),
    "an undone entry has no record": (
        "UPDATE ledger SET record_id = NULL WHERE turn = 3",
        "nothing lost",
        3,
    ),
    "an undone entry has another claim": (
        "UPDATE ledger SET claim = 'undo:3' WHERE turn = 3",
        "none skipped",
        3,
    ),
    "an undo undoes another run": (
        "UPDATE undos SET undone_run_id = 6 WHERE run_id = 3",
        "checkable",
        None,
    ),
    "an undo is gone": ("DELETE FROM undos WHERE run_id = 3", "checkable", None),
    "an undo was to return its turns": (
        "UPDATE undos SET returns_turns = true WHERE run_id = 3",
        "none skipped",
        None,
    ),
    "a record of an import that was undone names its turn": (
        NAMES_IT.format(3, 3, 3),
        "checkable",
        3,
    ),
    "a record that was given back names its turn": (NAMES_IT.format(11, 2, 14), "checkable", 11),
    "a record names a returned turn that another has now": (
        NAMES_IT.format(8, 2, 13),
        "checkable",
        8,
    ),
}
"""What is done to the book, and the point and the turn that it must be named with."""


def write(system: System, send: Tasks) -> None:
    """Pool 4 of users 1, 2 and 3; user 5 is zoe. Run 1 imported leads 1 to 6, with their turns. Run
    2 gave 7 to 12 turns 7 to 12, but for 8, which zoe got, and 11, which was deleted. Run 3 has
    undone run 1 but for lead 2, which somebody had edited. Run 4 gave 13 to 15 turns 8, 11 and 13,
    and run 5 has undone that and returned them. Run 6 gave 13 to 15 to zoe, but for 14, and run 7
    has undone it. Turn 8 is an edit's, 11 and 13 wait in the ring."""
    pool(system, 3)
    zoe = person(system, "zoe@example.com")
    imported(system, send, sheet(6))
    ids = owned(system, 6)
    frozen(system, send, RecordIds("lead", ids))
    execute(
        system,
        f"UPDATE leads SET owner_id = {zoe} WHERE id = 8; UPDATE leads SET deleted_at = created_at "
        "WHERE id = 11",
    )
    send.drain(system)
    edited(system, 2)
    undone(system, send, 1)
    undone(
        system,
        send,
        reassigned(system, send, RecordIds("lead", owned(system, 3))),
        returns_turns=True,
    )
    frozen(system, send, RecordIds("lead", [13, 14, 15]), "zoe@example.com")
    execute(system, "UPDATE leads SET owner_id = 1 WHERE id = 14")
    send.drain(system)
    undone(system, send, 6)
    give_leads(system, 1)


@pytest.fixture(scope="module")
def written(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, valkey_url: str
) -> Book:
    return books.on_sqlite(sqlite_template, valkey_url, tmp_path_factory.mktemp("book"), write)


@pytest.fixture
def book(written: Book, valkey: Redis, send: Tasks, tmp_path: Path) -> Iterator[System]:
    """A copy of it."""
    with written.copy(valkey, send, tmp_path) as system:
        yield system


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_verify_names_what_is_corrupt_of_runs(book: System, corruption: str) -> None:
    statements, point, turn = CORRUPTIONS[corruption]

    execute(book, statements)

    assert (point, turn) in found(book, offline=True)


# --- what is sound ---


def test_a_copy_of_the_book_is_sound(book: System) -> None:
    assert found(book) == found(book, offline=True) == []


def test_a_book_of_all_of_them_is_sound(system: System, send: Tasks) -> None:
    write(system, send)

    assert [state_of(system, run_id) for run_id in range(1, 8)] == [
        ("done", 6, 0, 0),
        ("done", 4, 2, 2),
        ("done", 5, 1, 0),
        ("done", 3, 0, 0),
        ("done", 3, 0, 3),
        ("done", 2, 1, 0),
        ("done", 2, 0, 0),
    ]
    assert [report.undone for report in verify(system)] == [5]
    assert_sound(system)


@pytest.mark.parametrize("returns", [False, True])
def test_a_reassignment_that_was_undone_is_sound_and_is_not_undone_again(
    system: System, send: Tasks, returns: bool
) -> None:
    pool(system, 3)
    imported(system, send, sheet(ROWS))
    run_id = reassigned(system, send, smart_list(system, {}, "last_name:desc"))

    first = undone(system, send, run_id, returns_turns=returns)
    assert_sound(system)
    assert undone(system, send, run_id, returns_turns=not returns) == first

    assert state_of(system, first) == ("done", ROWS, 0, ROWS * returns)
    assert give_leads(system, 1) == ("b" if returns else "abc"[2 * ROWS % 3])
    assert_sound(system)


@pytest.mark.parametrize("returns", [False, True])
@pytest.mark.parametrize("chunks", [0, 1, 3])
def test_a_cancelled_reassignment_may_be_undone(
    system: System, send: Tasks, chunks: int, returns: bool
) -> None:
    pool(system, 3)
    run_id = frozen(system, send, RecordIds("lead", owned(system, ROWS)))
    work(system, send, chunks)
    system.transact(cancel.cancel, run_id)
    send.drain(system)
    assert_sound(system)

    undo_id = undone(system, send, run_id, returns_turns=returns)

    records = min(10 * chunks, ROWS)
    assert state_of(system, undo_id) == ("done", records, 0, records * returns)
    assert give_leads(system, 1) == ("a" if returns else "abc"[records % 3])
    assert_sound(system)


@pytest.mark.parametrize(
    ("first", "second"), [(False, False), (True, True), (True, False), (False, True)]
)
def test_a_cancelled_undo_may_be_followed_by_another(
    system: System, send: Tasks, first: bool, second: bool
) -> None:
    pool(system, 3)
    run_id = reassigned(system, send, RecordIds("lead", ids := owned(system, ROWS)))
    cancelled = to_undo(system, run_id, returns_turns=first)
    run(system, send.waiting.pop())
    run(system, send.waiting.pop(1))
    system.transact(cancel.cancel, cancelled)
    send.drain(system, times=2)
    assert state_of(system, cancelled) == ("cancelled", 10, 0, 10 * first)
    assert_sound(system)
    give_leads(system, 1)

    rest = undone(system, send, run_id, returns_turns=second)

    assert state_of(system, rest) == ("done", ROWS - 10, 0, (ROWS - 10) * second)
    assert rows(system, f"SELECT DISTINCT turn FROM leads WHERE id <= {ids[-1]}") == [
        {"turn": None}
    ]
    assert_sound(system)


@pytest.mark.parametrize("returns", [False, True])
def test_a_cancelled_import_may_be_undone(system: System, send: Tasks, returns: bool) -> None:
    pool(system, 3)
    run_id = accepted(system, sheet(ROWS, {3}))
    run(system, send.waiting.pop())
    run(system, send.waiting.pop(1))
    system.transact(cancel.cancel, run_id)
    send.drain(system)

    undo_id = undone(system, send, run_id, returns_turns=returns)

    assert state_of(system, undo_id) == ("done", 10, 0, 10 * returns)
    assert give_leads(system, 1) == "a"
    assert_sound(system)


@pytest.mark.parametrize("returns", [False, True])
def test_a_reassignment_that_returned_turns_of_its_own_may_be_undone(
    system: System, send: Tasks, returns: bool
) -> None:
    pool(system, 3)
    run_id = frozen(system, send, RecordIds("lead", ids := owned(system, 7)))
    execute(system, f"UPDATE leads SET deleted_at = created_at WHERE id IN ({ids[1]}, {ids[4]})")
    send.drain(system)
    give_leads(system, 1)

    undo_id = undone(system, send, run_id, returns_turns=returns)

    assert state_of(system, undo_id) == ("done", 5, 0, 5 * returns)
    assert rows(system, "SELECT rows FROM runs WHERE id = :run", run=undo_id) == [{"rows": 5}]
    assert give_leads(system, 2) == ("ac" if returns else "bb")
    assert_sound(system)


@pytest.mark.parametrize("returns", [False, True])
def test_stacked_reassignments_may_be_undone_newest_first(
    system: System, send: Tasks, returns: bool
) -> None:
    pool(system, 3)
    pool(system, [email(4), email(5)], "Others")
    imported(system, send, sheet(6))
    before = rows(system, facts := "SELECT id, owner_id, pool_id, turn FROM leads ORDER BY id")
    person(system, "zoe@example.com")
    owners = ("Others", "zoe@example.com", "Inbound")
    stacked = [
        reassigned(system, send, smart_list(system, {}, "id:desc"), owner) for owner in owners
    ]

    for run_id in reversed(stacked):
        undo_id = undone(system, send, run_id, returns_turns=returns)
        assert state_of(system, undo_id)[:3] == ("done", 6, 0)
        assert_sound(system)

    assert rows(system, facts) == before
    undone(system, send, 1, returns_turns=returns)
    assert give_leads(system, 1) == "a"
    assert_sound(system)


@pytest.mark.parametrize(
    "leavers", [["b@example.com"], ["a@example.com", "b@example.com", "c@example.com"]]
)
def test_turns_of_members_who_left_do_not_come_back(
    system: System, send: Tasks, leavers: list[str]
) -> None:
    pool(system, 3)
    run_id = imported(system, send, sheet(9))
    leave(system, *leavers)

    undo_id = undone(system, send, run_id, returns_turns=True)

    assert state_of(system, undo_id) == ("done", 9, 0, 9)
    assert len(rows(system, "SELECT turn FROM ledger WHERE cause = 'void'")) == 3 * len(leavers)
    assert_sound(system)
    join(system, *leavers)
    assert give_leads(system, 2) == ("ac" if len(leavers) == 1 else "ab")
    assert_sound(system)


def test_turns_that_came_back_go_when_their_member_does(system: System, send: Tasks) -> None:
    pool(system, 3)
    undone(system, send, imported(system, send, sheet(9)), returns_turns=True)
    give_leads(system, 2)

    leave(system, "a@example.com")

    assert give_leads(system, 3) == "cbc"
    assert_sound(system)


def test_a_run_of_a_pool_that_is_deleted_since_may_be_undone(system: System, send: Tasks) -> None:
    pool(system, 3)
    pool(system, 3, "Others")
    run_id = imported(system, send, sheet(9))
    reassign_id = reassigned(system, send, smart_list(system, {}), "Others")
    for name in ("Inbound", "Others"):
        delete_pool(system, name)

    undos = [undone(system, send, each, returns_turns=True) for each in (reassign_id, run_id)]

    assert [state_of(system, undo_id) for undo_id in undos] == [("done", 9, 0, 0)] * 2
    assert rows(system, "SELECT * FROM ledger_history") == []
    assert_sound(system)


@pytest.mark.parametrize("returns", [False, True])
def test_records_that_were_reassigned_since_are_kept_and_listed(
    system: System, send: Tasks, returns: bool
) -> None:
    pool(system, 3)
    run_id = imported(system, send, sheet(6))
    reassigned(system, send, RecordIds("lead", [5, 2]))

    undo_id = undone(system, send, run_id, returns_turns=returns)

    assert state_of(system, undo_id) == ("done", 4, 2, 4 * returns)
    assert rows(system, "SELECT id FROM leads WHERE deleted_at IS NULL ORDER BY id") == [
        {"id": 2},
        {"id": 5},
    ]
    kept = rows(
        system,
        "SELECT record_id, reason FROM skips WHERE run_id = :run ORDER BY ordinal",
        run=undo_id,
    )
    assert [(skip["record_id"], skip["reason"]) for skip in kept] == [(2, "given"), (5, "given")]
    assert_sound(system)


def test_an_import_to_a_person_may_be_undone(system: System, send: Tasks) -> None:
    person(system, "ann@example.com")
    run_id = imported(system, send, sheet(ROWS), "ann@example.com")
    edited(system, 3)

    undo_id = undone(system, send, run_id, returns_turns=True)

    assert state_of(system, undo_id) == ("done", ROWS - 1, 1, 0)
    assert rows(system, "SELECT id FROM leads WHERE deleted_at IS NULL") == [{"id": 3}]
    assert_sound(system)


@pytest.mark.parametrize("returns", [False, True])
def test_leads_that_were_converted_since_are_kept(
    system: System, send: Tasks, returns: bool
) -> None:
    pool(system, 3)
    run_id = imported(system, send, sheet(5))
    boss = Actor(person(system, "boss@example.com"), is_admin=True)
    asking = RequestContext(boss, "request:a conversion", "USD")
    system.transact(convert.convert, asking, ConversionOrder(2, boss.id))

    undo_id = undone(system, send, run_id, returns_turns=returns)

    assert state_of(system, undo_id) == ("done", 4, 1, 4 * returns)
    assert rows(system, "SELECT turn FROM leads WHERE id = 2") == [{"turn": 2}]
    assert_sound(system)


@pytest.mark.parametrize("returns", [False, True])
def test_captured_leads_that_waited_wait_again_and_are_assigned_afterwards(
    system: System, send: Tasks, returns: bool
) -> None:
    pool(system, 0, "Empty")
    pool(system, 2)
    waiting = captured(system, 3, "Empty")
    send.drain(system)
    run_id = reassigned(system, send, smart_list(system, {"owner": "Empty"}))

    undone(system, send, run_id, returns_turns=returns)
    assert [
        lead["lead_id"] for lead in rows(system, "SELECT lead_id FROM captures ORDER BY lead_id")
    ] == waiting
    assert_sound(system)
    join(system, email(7), name="Empty")
    send.drain(system)

    assert [lead["turn"] for lead in rows(system, "SELECT turn FROM leads ORDER BY id")] == [
        1,
        2,
        3,
    ]
    assert rows(system, "SELECT lead_id FROM captures") == []
    assert_sound(system)


def test_turns_below_the_watermark_come_back(system: System, send: Tasks) -> None:
    inbound = pool(system, 3)
    run_id = imported(system, send, sheet(5))
    give_leads(system, 4)
    system.transact(seed.seed_again, inbound.id, "a test")
    assert rows(system, "SELECT watermark FROM pools") == [{"watermark": 9}]

    undone(system, send, run_id, returns_turns=True)
    assert_sound(system)

    assert give_leads(system, 6) == "abcaba"
    assert_sound(system)
    system.transact(seed.seed_again, inbound.id, "a test")
    assert rows(system, "SELECT watermark FROM pools") == [{"watermark": 10}]
    assert_sound(system)


def test_a_turn_may_be_given_undone_and_returned_again_and_again(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    ids = owned(system, 4)

    for _ in range(3):
        run_id = reassigned(system, send, RecordIds("lead", ids))
        assert [lead["turn"] for lead in rows(system, "SELECT turn FROM leads ORDER BY id")] == [
            1,
            2,
            3,
            4,
        ]
        undone(system, send, run_id, returns_turns=True)

    assert len(rows(system, "SELECT turn FROM ledger_history")) == 12
    assert give_leads(system, 1) == "a"
    assert_sound(system)


def test_an_undo_that_was_cancelled_and_is_not_closed_yet_is_sound(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    undo_id = to_undo(
        system, reassigned(system, send, RecordIds("lead", owned(system, ROWS))), returns_turns=True
    )
    run(system, send.waiting.pop())
    run(system, send.waiting.pop(1))

    cancelled = system.transact(cancel.cancel, undo_id)

    numbers = (cancelled.records, cancelled.returned)
    assert numbers == (10, 10)
    assert all(type(number) is int for number in numbers)
    assert state_of(system, undo_id) == ("cancelled", 10, 0, 0)
    assert_sound(system)
    send.drain(system)
    assert state_of(system, undo_id) == ("cancelled", 10, 0, 10)
    assert_sound(system)


def test_an_undo_under_way_is_sound_after_each_of_its_tasks(
    system: System, send: Tasks, valkey: Redis
) -> None:
    pool(system, 3)
    run_id = reassigned(system, send, RecordIds("lead", owned(system, ROWS)))
    to_undo(system, run_id, returns_turns=True)

    while send.waiting:
        run(system, send.waiting.pop())
        forget(valkey)
        give_leads(system, 1)
        assert_sound(system)
