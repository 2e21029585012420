"""Verification: a sound book passes, and each way of corrupting one is named, with its point and
its turn."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis

from tests.support import books, factories
from tests.support.books import Book
from tests.support.factories import (
    accepted,
    captured,
    delete_pool,
    give,
    give_leads,
    imported,
    join,
    lead,
    leave,
    pool,
    pool_id_of,
    sheet,
)
from tests.support.servers import Databases
from tests.support.tasks import Tasks, run
from worker.cli.audit import print_reports
from worker.domain.audit.reports import Report
from worker.errors.servers import RingUnreachable
from worker.errors.turns import UnknownPool
from worker.flows.audit.verify import verify
from worker.flows.runs import cancel
from worker.flows.system import System
from worker.flows.turns import seed
from worker.flows.upkeep import rings
from worker.ring import Ring
from worker.ring.client import connect
from worker.store.views.reports import show_report

SWAPPED_ORDINALS = """UPDATE ledger SET ordinal = 99 WHERE turn = 9; UPDATE ledger SET ordinal = 1
    WHERE turn = 10;
    UPDATE ledger SET ordinal = 2 WHERE turn = 9"""
SWAPPED_RECORDS = (
    "UPDATE ledger SET record_id = CASE turn WHEN 8 THEN 11 ELSE 8 END WHERE turn IN (8, 11)"
)
FORGOTTEN = "UPDATE leads SET owner_id = 4, pool_id = NULL, turn = NULL WHERE id = 2"
A_VOID_TURN = (
    "UPDATE ledger SET record_id = NULL, cause = 'void', claim = 'void:x', ordinal = turn WHERE "
    "turn = 2"
)
NO_RUN = "DELETE FROM chunks; DELETE FROM imports; DELETE FROM runs"
A_CAPTURE = "INSERT INTO captures (lead_id, pool_id, accepted_at) VALUES (2, 4, CURRENT_TIMESTAMP)"
OVERLAPPING = (
    "INSERT INTO blocks (pool_id, claim, turns, open, at) SELECT 4, 'import:9', '18:2', open, at "
    "FROM blocks WHERE open"
)
STOLEN = """INSERT INTO ledger (pool_id, turn, claim, ordinal, record_id, user_id, cause, at)
    SELECT 4, 19, 'lead:1:again', 0, 1, 3, 'edit', at FROM ledger WHERE turn = 1"""

CORRUPTIONS = {
    "a turn is given to another member": (
        "UPDATE ledger SET user_id = 1 WHERE turn = 2",
        "in turn",
        2,
    ),
    "a turn falls under a roster without members": (
        "UPDATE rosters SET members = '[]' WHERE version = 2",
        "in turn",
        15,
    ),
    "a turn falls under no roster": ("DELETE FROM rosters WHERE version = 1", "in turn", 1),
    "a turn lies before the first": ("UPDATE ledger SET turn = -5 WHERE turn = 1", "in turn", -5),
    "all rosters are gone": ("DELETE FROM rosters", "checkable", None),
    "the members of a roster are no list": (
        "UPDATE rosters SET members = '\"x\"' WHERE version = 2",
        "checkable",
        15,
    ),
    "a member isn't there": (
        "UPDATE rosters SET members = '[1, 2, 3, 99]' WHERE version = 2",
        "checkable",
        None,
    ),
    "the member after next is next": (
        "UPDATE rosters SET first_slot = 0 WHERE version = 2",
        "next stays next",
        15,
    ),
    "a newcomer isn't at the end": (
        "UPDATE rosters SET members = '[2, 1, 3, 6]' WHERE version = 2",
        "next stays next",
        15,
    ),
    "a member is in a roster twice": (
        "UPDATE rosters SET members = '[1, 2, 3, 1]' WHERE version = 2",
        "next stays next",
        15,
    ),
    "a roster between two is gone": (
        "UPDATE rosters SET version = 3 WHERE version = 2",
        "next stays next",
        15,
    ),
    "a roster begins before the one before": (
        "UPDATE rosters SET first_turn = 0 WHERE version = 2",
        "next stays next",
        0,
    ),
    "the first roster begins in the middle": (
        "UPDATE rosters SET first_slot = 1 WHERE version = 1",
        "next stays next",
        1,
    ),
    "a record is captured twice": (
        "UPDATE ledger SET record_id = 5, claim = 'lead:5:capture', ordinal = 1 WHERE turn = 6",
        "once",
        6,
    ),
    "a record is imported twice": ("UPDATE ledger SET record_id = 9 WHERE turn = 10", "once", 10),
    "a claim takes a second turn": (
        "UPDATE ledger SET claim = 'lead:1:edit', ordinal = 1 WHERE turn = 2",
        "once",
        2,
    ),
    "a claim takes more than its block": (
        "UPDATE ledger SET claim = 'import:1', ordinal = 6 WHERE turn = 14",
        "once",
        14,
    ),
    "a turn is skipped": ("DELETE FROM ledger WHERE turn = 3", "none skipped", 3),
    "a turn of a run that is done is skipped": (
        "DELETE FROM ledger WHERE turn = 9",
        "none skipped",
        9,
    ),
    "a turn below the watermark is skipped": (
        "DELETE FROM ledger WHERE turn = 3; UPDATE pools SET watermark = 14",
        "none skipped",
        3,
    ),
    "a turn is void and its member stayed": (A_VOID_TURN, "none skipped", 2),
    "a block of a run that is done is open": (
        "UPDATE blocks SET open = (1 = 1) WHERE turns = '8:6'",
        "none skipped",
        8,
    ),
    "rows have turns out of order": (SWAPPED_ORDINALS, "in order", 9),
    "records are entered out of file order": (SWAPPED_RECORDS, "in order", 8),
    "the turns of a block are others": (
        "UPDATE blocks SET turns = '9:6' WHERE turns = '8:6'",
        "in order",
        8,
    ),
    "the turns of a block can't be read": (
        "UPDATE blocks SET turns = 'x' WHERE turns = '8:6'",
        "checkable",
        None,
    ),
    "a block is gone": ("DELETE FROM blocks WHERE turns = '8:6'", "checkable", 8),
    "a run is gone": (NO_RUN, "checkable", 8),
    "a run counts other records": ("UPDATE runs SET records = 5 WHERE id = 1", "nothing lost", 8),
    "a run counts other turns": ("UPDATE runs SET turns = 7 WHERE id = 1", "nothing lost", 8),
    "a record is gone": ("DELETE FROM leads WHERE id = 2", "nothing lost", 2),
    "an entry has lost its record": (
        "UPDATE ledger SET record_id = NULL WHERE turn = 2",
        "nothing lost",
        2,
    ),
    "a record went back to its pool": (FORGOTTEN, "nothing lost", 2),
    "a lead waits that has its owner": (A_CAPTURE, "nothing lost", 2),
    "a record has another owner": ("UPDATE leads SET owner_id = 1 WHERE id = 2", "checkable", 2),
    "a record names another's turn": ("UPDATE leads SET turn = 3 WHERE id = 2", "checkable", 3),
    "a record names a turn that isn't entered": (
        "UPDATE leads SET turn = 99 WHERE id = 2",
        "checkable",
        99,
    ),
    "a record of another type names a turn": (
        "UPDATE contacts SET pool_id = 4, turn = 2",
        "checkable",
        2,
    ),
    "a claim names another record": (
        "UPDATE ledger SET claim = 'lead:99:capture' WHERE turn = 5",
        "checkable",
        5,
    ),
    "an actor isn't there": ("UPDATE ledger SET actor_id = 99 WHERE turn = 2", "checkable", 2),
    "a previous owner isn't there": (
        "UPDATE ledger SET previous_owner_id = 99 WHERE turn = 2",
        "checkable",
        2,
    ),
    "an open block is closed": (
        "UPDATE blocks SET open = (1 = 0) WHERE turns = '17:300'",
        "once",
        17,
    ),
    "two open blocks overlap": (OVERLAPPING, "once", 18),
    "an open block is of no run": (
        "UPDATE blocks SET claim = 'import:9' WHERE open",
        "none skipped",
        17,
    ),
    "a reserved turn is entered by another": (STOLEN, "once", 19),
    "a run has failed for good and its block is open": (
        "UPDATE runs SET state = 'done' WHERE id = 2",
        "none skipped",
        17,
    ),
}
"""What is done to the book, and the point and the turn that it must be named with."""


def write(system: System, send: Tasks) -> None:
    """A pool (4) of three (1, 2, 3) whose leads have the numbers of their turns: 1 to 4 were
    edited, 5 to 7 captured, 8 to 13 imported, 14 edited; from 15 on there are four members. Turns
    17 to 316 are reserved by an import that is scanned, and a contact is there, too."""
    pool(system, 3)
    give_leads(system, 4)
    captured(system, 3)
    send.drain(system)
    imported(system, send, sheet(6))
    give_leads(system, 1)
    join(system, "d@example.com")
    give_leads(system, 2)
    lead(system, record_type="contact")
    accepted(system, sheet(300))
    run(system, send.waiting.pop())


@pytest.fixture(scope="module")
def sqlite_book(
    sqlite_template: Path, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Book:
    return books.on_sqlite(sqlite_template, valkey_url, tmp_path_factory.mktemp("book"), write)


@pytest.fixture(scope="module")
def postgresql_book(
    postgres_databases: Databases, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Book]:
    with books.on_postgresql(
        postgres_databases, valkey_url, tmp_path_factory.mktemp("book"), write
    ) as book:
        yield book


@pytest.fixture(params=["sqlite", "postgresql"])
def inbound(
    request: pytest.FixtureRequest, valkey: Redis, send: Tasks, tmp_path: Path
) -> Iterator[System]:
    """A copy of what `write` writes, once of each kind."""
    book: Book = request.getfixturevalue(f"{request.param}_book")
    with book.copy(valkey, send, tmp_path) as system:
        yield system


def execute(system: System, statements: str) -> None:
    for statement in statements.split(";"):
        assert factories.execute(system, statement) != 0


def found(system: System, *, offline: bool = False) -> list[tuple[str, int | None]]:
    return [
        (violation.point, violation.turn)
        for report in verify(system, offline=offline)
        for violation in report.violations
    ]


def only(system: System, name: str = "Inbound", *, offline: bool = False) -> Report:
    """The report of the pool, on which the promise must hold."""
    [report] = verify(system, pool_id_of(system, name), offline=offline)
    assert report.violations == []
    assert report.holds
    return report


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_verify_names_what_is_corrupt(inbound: System, corruption: str) -> None:
    statements, point, turn = CORRUPTIONS[corruption]

    execute(inbound, statements)

    assert (point, turn) in found(inbound)
    found(inbound, offline=True)


# --- the ring ---

RING, MEMBERS, RETURNED = "{pool:4}:ring", "{pool:4}:members", "{pool:4}:returned"

WRONG_RINGS: dict[str, tuple[Callable[[Redis], object], str, int | None]] = {
    "it hands out a turn that is used": (
        lambda redis: redis.hset(RING, "next", 16),
        "one ring",
        16,
    ),
    "it has skipped turns": (lambda redis: redis.hset(RING, "next", 320), "none skipped", 317),
    "its cursor is elsewhere": (lambda redis: redis.hincrby(RING, "cursor", 1), "one ring", 317),
    "it has another roster": (lambda redis: redis.hset(RING, "version", 1), "one ring", 317),
    "it has another member": (lambda redis: redis.rpush(MEMBERS, 99), "one ring", 317),
    "it returns a turn that is entered": (lambda redis: redis.rpush(RETURNED, "3:1"), "once", 3),
    "it returns turns that are reserved": (lambda redis: redis.rpush(RETURNED, "20:2"), "once", 20),
    "it returns a turn that was never handed out": (
        lambda redis: redis.rpush(RETURNED, "400:1"),
        "one ring",
        400,
    ),
    "it returns turns out of order": (
        lambda redis: redis.rpush(RETURNED, "5:1", "4:1"),
        "one ring",
        4,
    ),
    "it returns a turn twice": (lambda redis: redis.rpush(RETURNED, "5:2", "6:1"), "one ring", 6),
    "what it returns can't be read": (lambda redis: redis.rpush(RETURNED, "x"), "one ring", None),
    "a part of it is missing": (lambda redis: redis.hdel(RING, "next"), "one ring", None),
}


@pytest.mark.parametrize("wrong", WRONG_RINGS)
def test_verify_names_what_is_wrong_with_a_ring(inbound: System, valkey: Redis, wrong: str) -> None:
    corrupt, point, turn = WRONG_RINGS[wrong]

    corrupt(valkey)

    [report] = verify(inbound, pool_id_of(inbound))
    assert (point, turn) in [(violation.point, violation.turn) for violation in report.violations]
    assert found(inbound, offline=True) == []


def test_a_returned_turn_of_a_member_who_left_is_named(system: System, valkey: Redis) -> None:
    pool(system, 3)
    give_leads(system, 1)
    lose_turns(system, 2)
    seed_again(system)
    leave(system, "c@example.com")
    assert (only(system).returned, only(system).voided) == (1, 1)

    execute(system, "DELETE FROM ledger WHERE turn = 3")
    valkey.rpush(RETURNED, "3:1")

    assert found(system) == [("one ring", 3)]


def lose_turns(system: System, count: int) -> None:
    """Takes turns that nobody enters, and one after them that is entered."""
    system.ring.take_turns(4, [(f"lost:{count}", count)])
    give_leads(system, 1)


def seed_again(system: System) -> None:
    system.transact(seed.seed_again, 4, "a test")


# --- what can't be done by one statement ---


def test_a_record_that_names_an_earlier_turn_of_its_own_is_named(system: System) -> None:
    pool(system, 3)
    first = lead(system)
    give(system, first)
    give(system, first, deed="again")
    assert only(system).records == 1

    execute(system, "UPDATE leads SET turn = 1, owner_id = 1")

    assert found(system) == [("checkable", 2)]


def test_a_lead_that_nobody_will_ever_give_is_named(system: System, send: Tasks) -> None:
    pool(system, 3)
    captured(system, 2)
    execute(system, "DELETE FROM captures WHERE lead_id = 1")

    [violation] = verify(system)[0].violations

    assert (violation.point, violation.turn) == ("nothing lost", None)
    assert "lead 1 " in violation.what


def test_a_turn_of_a_cancelled_run_that_is_neither_entered_nor_returned_is_named(
    system: System, send: Tasks, valkey: Redis
) -> None:
    cancelled(system, send)

    valkey.delete(RETURNED)

    assert found(system) == [("none skipped", 251)]


def test_what_a_cancelled_run_says_of_its_turns_is_checked(system: System, send: Tasks) -> None:
    cancelled(system, send)

    execute(system, "UPDATE runs SET returned = 449")

    assert found(system) == [("nothing lost", 1)]


def test_entries_of_a_chunk_that_is_not_loaded_are_named(system: System, send: Tasks) -> None:
    cancelled(system, send)

    execute(system, "UPDATE chunks SET done_at = NULL WHERE number = 0")

    assert found(system)[0] == ("once", 1)


def test_what_belongs_to_no_pool_is_told_apart(inbound: System) -> None:
    execute(
        inbound,
        "UPDATE ledger SET pool_id = 99 WHERE turn = 16; UPDATE leads SET owner_id = 99 WHERE id = "
        "3",
    )

    *_, strays = verify(inbound)

    assert (
        strays.pool,
        {(violation.point, violation.turn) for violation in strays.violations},
    ) == (
        "(no pool)",
        {("checkable", 16), ("checkable", 3)},
    )


def test_many_violations_are_counted_and_the_first_of_each_point_are_told(
    system: System, send: Tasks, capsys: pytest.CaptureFixture[str]
) -> None:
    pool(system, 3)
    imported(system, send, sheet(300))
    execute(system, "UPDATE leads SET owner_id = 2; UPDATE ledger SET actor_id = 99 WHERE turn = 7")

    [report] = verify(system)
    print_reports([report])

    assert report.violated == {"checkable": 201}
    assert len(report.violations) == 100
    assert (show_report(report).violated, show_report(report).holds) == ({"checkable": 201}, False)
    told = capsys.readouterr()
    assert "Inbound, turn 1, checkable: gave lead 1 to user 1, but user 2 has it" in told.err
    assert "Inbound, checkable: and 101 more" in told.err
    assert "broken" in told.out


def test_a_gap_of_any_size_is_one_violation(inbound: System) -> None:
    execute(
        inbound,
        "UPDATE pools SET watermark = 900; UPDATE ledger SET turn = turn + 100000000000000 WHERE "
        "turn = 16",
    )

    told = [
        violation
        for violation in verify(inbound, pool_id_of(inbound))[0].violations
        if violation.point == "none skipped"
    ]

    assert [(violation.turn, violation.what) for violation in told] == [
        (16, "was never entered, and no seeding looks below 900"),
        (317, "and each to 900 was never entered, and no seeding looks below 900"),
        (901, "and each to 100,000,000,000,015 was handed out and never entered"),
    ]


def test_a_gap_that_no_seeding_would_find_is_named_without_a_ring_too(system: System) -> None:
    pool(system, 3)
    give_leads(system, 4)
    execute(system, "DELETE FROM ledger WHERE turn = 3; DELETE FROM leads WHERE turn = 3")
    assert found(system, offline=True) == []

    execute(system, "UPDATE pools SET watermark = 4")

    assert found(system, offline=True) == [("none skipped", 3)]


# --- sound books ---


def test_a_sound_book_is_told_with_numbers(inbound: System) -> None:
    assert found(inbound) == found(inbound, offline=True) == []

    report = only(inbound)

    assert (
        report.turns,
        report.entered,
        report.records,
        report.open,
        report.blocks,
        report.rosters,
    ) == (316, 16, 16, 300, 2, 2)
    assert (report.ring, report.gaps, report.owed, report.returned, report.waiting) == (
        "agrees",
        0,
        0,
        0,
        0,
    )


def test_leads_that_wait_are_counted_and_turns_taken_for_them_are_owed(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    give_leads(system, 1)
    leads = captured(system, 2)
    system.ring.take_turns(4, [(f"lead:{each}:capture", 1) for each in leads])
    give_leads(system, 1)

    report = only(system)
    assert (report.waiting, report.owed) == (2, 2)
    lose_turns(system, 1)
    assert found(system) == [("none skipped", 2)]
    send.drain(system)
    assert found(system) == [("none skipped", 5)]


def test_a_ring_without_state_is_in_order_and_the_gaps_are_counted(
    system: System, valkey: Redis
) -> None:
    pool(system, 3)
    give_leads(system, 1)
    lose_turns(system, 2)
    assert found(system) == [("none skipped", 2)]

    valkey.flushall()

    report = only(system)
    assert (report.ring, report.gaps, report.turns) == ("not seeded", 2, 4)
    seed_again(system)
    assert (only(system).returned, only(system).ring) == (2, "agrees")


def cancelled(system: System, send: Tasks) -> None:
    """A run of 700 rows that is cancelled after the first of its chunks, which has 250, when turn
    701 is taken."""
    pool(system, 3)
    run_id = accepted(system, sheet(700))
    run(system, send.waiting.pop())
    run(system, send.waiting[0])
    send.lose()
    give_leads(system, 1)
    assert only(system).open == 450
    cancelled = system.transact(cancel.cancel, run_id)
    assert (cancelled.records, cancelled.returned) == (250, 450)
    send.drain(system)


def test_the_turns_of_a_cancelled_run_wait_in_the_ring_and_are_then_others(
    system: System, send: Tasks
) -> None:
    cancelled(system, send)
    assert (only(system).entered, only(system).returned) == (251, 450)

    give_leads(system, 2)
    imported(system, send, sheet(500))

    assert (only(system).entered, only(system).returned) == (753, 0)


def test_a_run_that_failed_keeps_its_block_until_it_is_retried(system: System, send: Tasks) -> None:
    pool(system, 3)
    accepted(system, sheet(300))
    run(system, send.waiting.pop())
    execute(
        system,
        "UPDATE runs SET state = 'failed', ended_at = CURRENT_TIMESTAMP; UPDATE chunks SET "
        "set_aside = (1 = 1)",
    )

    assert only(system).open == 300


def test_members_who_left_leave_void_turns(system: System) -> None:
    pool(system, 3)
    give_leads(system, 1)
    lose_turns(system, 2)
    leave(system, "b@example.com")
    seed_again(system)
    join(system, "b@example.com")

    report = only(system)

    assert (report.voided, report.returned) == (1, 1)


def test_a_pool_that_everybody_left_is_in_order(system: System, send: Tasks) -> None:
    pool(system, 2)
    give_leads(system, 3)
    leave(system, "a@example.com", "b@example.com")
    captured(system, 2)
    send.drain(system)

    assert only(system).waiting == 2


def test_pools_of_other_types_are_checked_by_their_own_records(system: System, send: Tasks) -> None:
    pool(system, 3)
    pool(system, 2, name="Closers", record_type="deal")
    give_leads(system, 2)
    give(
        system,
        lead(system, record_type="deal"),
        lead(system, record_type="deal"),
        name="Closers",
        record_type="deal",
    )
    execute(system, "UPDATE deals SET owner_id = 3 WHERE id = 2")

    inbound, closers = verify(system)

    assert (inbound.holds, inbound.records) == (True, 2)
    assert [(violation.point, violation.turn) for violation in closers.violations] == [
        ("checkable", 2)
    ]


def test_a_deleted_pool_is_checked_by_its_ledger_and_only_among_all(system: System) -> None:
    deleted_id = pool(system, 3).id
    give_leads(system, 4)
    delete_pool(system)
    live_id = pool(system, 2).id

    deleted, live = verify(system)

    assert (deleted.pool, deleted.deleted, deleted.entered, deleted.ring, deleted.holds) == (
        "Inbound",
        True,
        4,
        "not asked",
        True,
    )
    assert (live.pool, live.deleted, live.entered) == ("Inbound", False, 0)
    assert len(verify(system, live_id)) == 1
    with pytest.raises(UnknownPool):
        verify(system, deleted_id)


def test_offline_redis_is_not_asked(inbound: System) -> None:
    without = replace(inbound, ring=Ring(connect("unix:///nowhere/valkey.sock")))

    with pytest.raises(RingUnreachable):
        verify(without)
    report = only(without, offline=True)

    assert (report.ring, report.entered, report.open) == ("not asked", 16, 300)


def test_what_verify_finds_lost_is_what_upkeep_mends(system: System) -> None:
    pool(system, 3)
    give_leads(system, 1)
    lose_turns(system, 2)
    assert found(system) == [("none skipped", 2)]

    rings.repair(system)

    assert only(system).returned == 2
