"""Rings that are mended: turns that were handed out and never entered come back, and nothing is
done where all is well."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import text, update

from tests.support.factories import (
    accepted,
    an_hour_passes,
    captured,
    give_leads,
    imported,
    join,
    leave,
    pool,
    sheet,
    undone,
)
from tests.support.faults import photograph, roll_back
from tests.support.invariants import assert_in_file_order, assert_promise, everything, rows
from tests.support.tasks import Tasks, run
from worker.flows.audit.verify import verify
from worker.flows.intake import capture
from worker.flows.system import System
from worker.flows.upkeep import rings
from worker.ring import keys
from worker.store.sql.clock import now
from worker.store.sql.engine import writing
from worker.store.tables import ledger

RAISED = rings.WORTH_RAISING_TURNS


def lost(system: System, turns: int) -> None:
    """So many turns are handed out, and whoever took them dies."""
    [inbound] = rows(system, "SELECT id FROM pools")
    epoch = rows(system, "SELECT epoch FROM pools")[0]["epoch"]
    system.ring.take_turns(inbound["id"], [(f"lost:{epoch}:{turns}", turns)])


def reasons(system: System) -> list[str]:
    return [row["reason"] for row in rows(system, "SELECT reason FROM seedings ORDER BY at")]


def returned(system: System) -> int:
    return sum(row["returned"] for row in rows(system, "SELECT returned FROM seedings"))


def watermark(system: System) -> int:
    [inbound] = rows(system, "SELECT watermark FROM pools")
    return int(inbound["watermark"])


def a_slow_one_is_on(system: System) -> list[int]:
    """Two leads in line that somebody is on, for whom turns were taken together with one behind
    them."""
    first = captured(system, 2)
    [inbound] = rows(system, "SELECT id FROM pools")
    system.transact(capture._lease, inbound["id"], "a slow one")
    capture.assign_lead(system, captured(system, 1)[0], "a fast one")
    return first


# --- holes ---


@pytest.mark.parametrize(("before", "after"), [(0, 2), (2, 2), (2, 0)])
def test_turns_that_were_lost_come_back_and_are_handed_out_next(
    system: System, before: int, after: int
) -> None:
    pool(system, 3)
    give_leads(system, before or 1)
    lost(system, 2)
    give_leads(system, after)

    [found] = rings.repair(system)

    first = (before or 1) + 1
    assert found.action == "seeded it"
    assert found.problem.endswith(
        f"2 turns, the first of them {first}, were handed out and never entered"
    )
    assert returned(system) == (2 if after else 0)
    assert_promise(system)
    assert give_leads(system, 3) == "".join(
        "abc"[(turn - 1) % 3] for turn in (first, first + 1, first + 2 + after)
    )
    assert rings.repair(system) == []
    assert_promise(system)


def test_a_hole_while_leads_wait_may_be_theirs_for_a_minute(system: System, send: Tasks) -> None:
    pool(system, 3)
    first = a_slow_one_is_on(system)

    assert rings.repair(system) == []
    assert_promise(system)
    entered_two_minutes_ago(system)
    assert len(rings.repair(system)) == 1

    assert_promise(system)
    capture.assign_lead(system, first[-1], "a slow one")
    send.drain(system)
    assert [row["turn"] for row in rows(system, "SELECT turn FROM leads ORDER BY id")] == [1, 2, 3]
    assert rings.repair(system) == []
    assert_promise(system)


def test_a_hole_at_the_end_is_left_alone_while_leads_wait_who_may_have_taken_it(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    give_leads(system, 1)
    an_hour_passes(system)
    captured(system, 1)
    lost(system, 1)

    assert rings.repair(system) == []
    send.drain(system)
    assert len(rings.repair(system)) == 1
    assert give_leads(system, 2) == "ba"
    assert_promise(system)


def entered_two_minutes_ago(system: System) -> None:
    with writing(system.engine) as session:
        session.execute(update(ledger).values(at=now() - 2 * rings.OWED))


def test_an_open_block_and_a_returned_turn_are_no_holes(system: System, send: Tasks) -> None:
    pool(system, 3)
    give_leads(system, 1)
    lost(system, 1)
    give_leads(system, 1)
    rings.repair(system)
    accepted(system, sheet(300))
    run(system, send.waiting.pop())
    before = everything(system)

    assert rings.repair(system) == []
    assert everything(system) == before
    send.drain(system)
    assert_promise(system)


def test_lost_turns_of_members_who_left_are_void(system: System) -> None:
    pool(system, 3)
    give_leads(system, 1)
    lost(system, 2)
    give_leads(system, 1)
    leave(system, "b@example.com")

    rings.repair(system)

    assert rows(system, "SELECT turn FROM ledger WHERE record_id IS NULL") == [{"turn": 2}]
    assert give_leads(system, 1) == "c"
    assert_promise(system)


# --- rings that are not where SQL is ---


def another_epoch(valkey: Redis, pool_id: int) -> None:
    valkey.hset(keys.ring(pool_id), "epoch", "e1e1e1")


def another_version(valkey: Redis, pool_id: int) -> None:
    valkey.hset(keys.ring(pool_id), "version", "7")


def other_members(valkey: Redis, pool_id: int) -> None:
    valkey.lset(keys.members(pool_id), 0, "99")


def another_cursor(valkey: Redis, pool_id: int) -> None:
    valkey.hincrby(keys.ring(pool_id), "cursor", 1)


def behind(valkey: Redis, pool_id: int) -> None:
    valkey.hset(keys.ring(pool_id), mapping={"next": "2", "cursor": "1"})


def ahead(valkey: Redis, pool_id: int) -> None:
    valkey.hset(keys.ring(pool_id), mapping={"next": "8", "cursor": "1"})


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (another_epoch, "another epoch"),
        (another_version, "roster version 7, SQL has 1"),
        (other_members, "has the members"),
        (another_cursor, "its cursor is 2, by the roster it is 1"),
        (behind, "turn 2 next, but turns up to 4 are used"),
        (ahead, "3 turns, the first of them 5,"),
    ],
)
def test_a_ring_that_is_not_where_sql_is_is_seeded(
    system: System, valkey: Redis, wrong: Callable[..., Any], words: str
) -> None:
    inbound = pool(system, 3)
    give_leads(system, 4)
    wrong(valkey, inbound.id)

    [found] = rings.repair(system)

    assert words in found.problem
    assert words in reasons(system)[-1]
    assert_promise(system)
    assert rings.repair(system) == []
    assert give_leads(system, 3) == "bca"
    assert_promise(system)


def test_a_ring_that_went_back_over_a_roster_change_is_seeded(
    system: System, valkey: Redis
) -> None:
    pool(system, 3)
    give_leads(system, 2)
    earlier = photograph(valkey)
    join(system, "d@example.com")
    roll_back(valkey, earlier)

    assert len(rings.repair(system)) == 1

    assert_promise(system)
    assert give_leads(system, 3) == "cda"
    assert_promise(system)


def test_a_ring_that_went_back_to_when_a_turn_was_returned_is_seeded(
    system: System, valkey: Redis
) -> None:
    pool(system, 3)
    give_leads(system, 1)
    lost(system, 1)
    give_leads(system, 1)
    rings.repair(system)
    earlier = photograph(valkey)
    assert give_leads(system, 1) == "b"
    roll_back(valkey, earlier)

    [found] = rings.repair(system)

    assert "it would hand out turn 2 again" in found.problem
    assert_promise(system)
    assert give_leads(system, 1) == "a"
    assert_promise(system)


@pytest.mark.parametrize("is_mended", [False, True])
def test_a_ring_in_many_pieces_that_went_back_gives_no_turn_twice(
    system: System, valkey: Redis, send: Tasks, is_mended: bool
) -> None:
    pool(system, 3)
    run_id, pieces = imported(system, send, sheet(400)), list(range(2, 399, 2))
    scattered = "UPDATE leads SET edited_at = :later WHERE turn % 2 = 1"
    system.transact(lambda session: session.execute(text(scattered), {"later": now()}))
    undone(system, send, run_id, returns_turns=True)
    state = system.ring.state(4)
    assert state is not None
    assert [span.first for span in state.returned] == pieces
    earlier = photograph(valkey)
    assert assert_in_file_order(system, imported(system, send, sheet(100))) == pieces[:100]
    roll_back(valkey, earlier)

    found = rings.repair(system) if is_mended else []
    second = imported(system, send, sheet(99))

    assert len(found) == is_mended
    assert (
        "it would hand out turn 2 again" if is_mended else "a turn is in the ledger already"
    ) in reasons(system)[-1]
    assert assert_in_file_order(system, second) == pieces[100:]
    assert_promise(system)
    assert [report.violations for report in verify(system)] == [[]]


# --- rings that are left alone ---


def test_a_ring_without_state_is_left_alone(system: System, valkey: Redis) -> None:
    pool(system, 3)
    assert rings.repair(system) == []
    give_leads(system, 2)
    lost(system, 1)
    give_leads(system, 1)
    valkey.flushall()
    before = everything(system)

    assert rings.repair(system) == []
    assert (everything(system), valkey.keys()) == (before, [])


@pytest.mark.parametrize("members", [0, 3])
def test_nothing_is_done_on_a_healthy_system(
    system: System, valkey: Redis, send: Tasks, members: int
) -> None:
    pool(system, 3)
    pool(system, 2, "Other")
    give_leads(system, 4)
    accepted(system, sheet(300))
    send.drain(system)
    leave(system, *[f"{letter}@example.com" for letter in "abc"[members:]])
    before = everything(system), photograph(valkey)

    assert rings.repair(system) == []

    assert (everything(system), photograph(valkey)) == before


def test_a_pool_whose_members_all_left_is_in_order(system: System) -> None:
    pool(system, 2)
    give_leads(system, 3)
    leave(system, "a@example.com", "b@example.com")

    assert rings.repair(system) == []
    assert_promise(system)


# --- several at once ---


def test_mending_twice_at_once_seeds_once(system: System) -> None:
    pool(system, 3)
    give_leads(system, 1)
    lost(system, 2)
    give_leads(system, 1)
    seeded = len(reasons(system))
    together = Barrier(3)

    def repair(_: int) -> int:
        together.wait()
        return len(rings.repair(system))

    with ThreadPoolExecutor(3) as threads:
        assert sum(threads.map(repair, range(3))) == 1

    assert len(reasons(system)) == seeded + 1
    assert give_leads(system, 3) == "bcb"
    assert_promise(system)


def test_mending_while_leads_come_in_loses_and_doubles_nothing(system: System, send: Tasks) -> None:
    pool(system, 3)
    leads = [captured(system, 2) for _ in range(10)]
    tasks = send.lose()

    with ThreadPoolExecutor(4) as threads:
        mending = [threads.submit(rings.repair, system) for _ in range(6)]
        working = [threads.submit(run, system, task) for task in tasks]
        for repaired in mending:
            repaired.result()
        for worked in working:
            worked.result()

    given = rows(system, "SELECT turn FROM leads ORDER BY id")
    assert [row["turn"] for row in given] == list(range(1, 2 * len(leads) + 1))
    assert_promise(system)


# --- the watermark ---


def test_the_watermark_is_raised_when_that_saves_much_reading(system: System, send: Tasks) -> None:
    pool(system, 3)
    accepted(system, sheet(RAISED - 1))
    send.drain(system)
    assert rings.repair(system) == []
    assert watermark(system) == 0
    give_leads(system, 1)

    assert rings.repair(system) == []

    assert watermark(system) == RAISED
    give_leads(system, 2)
    rings.repair(system)
    assert watermark(system) == RAISED
    assert_promise(system)


def test_the_watermark_stays_below_an_open_block_and_a_hole(system: System, send: Tasks) -> None:
    pool(system, 3)
    give_leads(system, 2)
    accepted(system, sheet(300))
    run(system, send.waiting.pop())
    held = send.lose()
    accepted(system, sheet(RAISED))
    send.drain(system)

    rings.repair(system)
    assert watermark(system) == 0

    for task in held:
        run(system, task)
    send.drain(system)
    rings.repair(system)
    assert watermark(system) == 302 + RAISED
    assert_promise(system)


def test_turns_that_were_lost_below_what_was_entered_come_back_after_the_watermark_was_raised(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    accepted(system, sheet(RAISED))
    send.drain(system)
    rings.repair(system)
    lost(system, 1)
    give_leads(system, 1)

    assert len(rings.repair(system)) == 1

    assert watermark(system) == RAISED
    assert give_leads(system, 1) == "abc"[RAISED % 3]
    assert_promise(system)
