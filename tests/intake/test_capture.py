"""Captured leads are stored, then assigned in the order of acceptance, even if another task is
faster or a server fails."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import text

from tests.support.factories import (
    address_of,
    an_hour_passes,
    captured,
    delete_pool,
    give_leads,
    join,
    lead,
    leases_run_out,
    leave,
    person,
    poison,
    pool,
)
from tests.support.faults import photograph, roll_back
from tests.support.invariants import assert_promise, rows
from tests.support.tasks import Tasks, run
from worker.domain.intake.leads import parse_lead
from worker.errors.servers import RingUnreachable
from worker.errors.turns import UnknownPool, WrongPoolType
from worker.flows.audit.why import explain
from worker.flows.intake import capture
from worker.flows.system import System
from worker.flows.upkeep import rings, sweeps
from worker.ring import Ring
from worker.ring.client import connect

NO_MEMBERS = "The pool Inbound has no members. Add one with `evenhand pool add`."


def owners(system: System, lead_ids: list[int]) -> str:
    """The first letters of the leads' owners; a dot for one that waits."""
    found = {row["id"]: row for row in rows(system, "SELECT id, owner_id, turn FROM leads")}
    return "".join(
        address_of(system, found[each]["owner_id"])[0] if found[each]["turn"] else "."
        for each in lead_ids
    )


def turns(system: System, lead_ids: list[int]) -> list[int | None]:
    found = {row["id"]: row["turn"] for row in rows(system, "SELECT id, turn FROM leads")}
    return [found[each] for each in lead_ids]


def waiting(system: System) -> dict[int, str | None]:
    """The leads in line, with the reason why they wait."""
    return {
        row["lead_id"]: row["reason"]
        for row in rows(system, "SELECT * FROM captures ORDER BY lead_id")
    }


def attempts(system: System) -> set[int]:
    return {row["attempts"] for row in rows(system, "SELECT attempts FROM captures")}


def leased_to(system: System, holder: str) -> list[int]:
    """Leases the leads in line that nobody works on, and doesn't enter them."""
    [inbound] = rows(system, "SELECT id FROM pools")
    return [lead.lead_id for lead in system.transact(capture._lease, inbound["id"], holder)]


def changed(system: System, statement: str, **values: Any) -> None:
    system.transact(lambda session: session.execute(text(statement), values))


def mended(system: System) -> int:
    """How many rings had to be mended."""
    an_hour_passes(system)
    return len(rings.repair(system))


# --- waiting, and being given an owner ---


def test_a_captured_lead_waits_with_the_pool_until_its_task_runs(
    system: System, send: Tasks
) -> None:
    inbound = pool(system, 3)

    [lead_id] = captured(system, 1)

    [lead] = rows(system, "SELECT owner_id, pool_id, turn FROM leads WHERE id = :id", id=lead_id)
    assert lead == {"owner_id": inbound.id, "pool_id": None, "turn": None}
    assert rows(system, "SELECT lead_id, pool_id FROM captures") == [
        {"lead_id": lead_id, "pool_id": inbound.id}
    ]
    assert_promise(system)
    send.drain(system)
    assert owners(system, [lead_id]) == "a"
    assert waiting(system) == {}
    assert_promise(system)


def test_a_lead_is_stored_with_its_fields_and_entered_with_its_claim_and_actor(
    system: System, send: Tasks
) -> None:
    inbound = pool(system, 1)
    admin = person(system, "admin@example.com")
    facts = {"First Name": "Ann", "last_name": "Lee", "Budget": 12, "tags": ["hot"]}

    [lead_id] = system.transact(capture.accept, inbound.id, [parse_lead(facts)], admin)
    send.drain(system)

    [stored] = rows(system, "SELECT first_name, last_name, email, creator_id FROM leads")
    [entry] = rows(
        system, "SELECT claim, ordinal, record_id, cause, actor_id, previous_owner_id FROM ledger"
    )
    assert stored == {"first_name": "Ann", "last_name": "Lee", "email": None, "creator_id": admin}
    assert entry == {
        "claim": f"lead:{lead_id}:capture", "ordinal": 0, "record_id": lead_id, "cause": "capture",
        "actor_id": admin, "previous_owner_id": None,
    }  # fmt: skip


@pytest.mark.parametrize(("name", "error"), [("Nowhere", UnknownPool), ("Deals", WrongPoolType)])
def test_a_lead_for_no_pool_of_leads_is_refused_and_not_stored(
    system: System, send: Tasks, name: str, error: type[Exception]
) -> None:
    pool(system, 1, "Deals", "deal")

    with pytest.raises(error):
        captured(system, 1, name)

    assert (rows(system, "SELECT id FROM leads"), waiting(system), send.waiting) == ([], {}, [])


def test_one_task_serves_all_that_were_accepted_together(system: System, send: Tasks) -> None:
    pool(system, 3)

    leads = captured(system, max(capture.MOST_AT_ONCE) + 2)

    assert [task.arguments for task in send.waiting] == [{"lead": leads[-1]}]
    send.drain(system)
    assert turns(system, leads) == list(range(1, len(leads) + 1))
    assert_promise(system)


def test_leads_of_several_pools_do_not_wait_for_each_other(system: System, send: Tasks) -> None:
    pool(system, 0)
    pool(system, ["x@example.com", "y@example.com"], "Other")
    stuck, others = captured(system, 1), captured(system, 2, "Other")
    more = [*captured(system, 1), *captured(system, 1, "Other")]

    send.drain(system)

    assert owners(system, [*stuck, *others, *more]) == ".xy.x"
    assert_promise(system)


# --- in order ---


def test_whoever_is_faster_gives_turns_to_those_before_first(system: System, send: Tasks) -> None:
    pool(system, 3)
    leads = [captured(system, 1)[0] for _ in range(5)]

    capture.assign_lead(system, leads[-1], "the fast one")

    assert turns(system, leads) == [1, 2, 3, 4, 5]
    send.drain(system, times=2)
    assert turns(system, leads) == [1, 2, 3, 4, 5]
    assert_promise(system)


@pytest.mark.parametrize("seed", range(3))
def test_tasks_in_any_order_and_twice_give_turns_in_the_order_of_acceptance(
    system: System, send: Tasks, seed: int
) -> None:
    pool(system, 3)
    leads = [lead_id for count in (1, 3, 1, 1, 2, 1) for lead_id in captured(system, count)]

    send.drain(system, times=2, order=Random(seed))

    assert turns(system, leads) == list(range(1, 10))
    assert owners(system, leads) == "abcabcabc"
    assert_promise(system)


def test_a_task_that_comes_again_when_all_is_done_changes_nothing(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    captured(system, 3)
    [task] = send.drain(system)
    before = (
        rows(system, "SELECT * FROM ledger ORDER BY turn"),
        rows(system, "SELECT * FROM leads ORDER BY id"),
    )

    run(system, task)

    assert (
        rows(system, "SELECT * FROM ledger ORDER BY turn"),
        rows(system, "SELECT * FROM leads ORDER BY id"),
    ) == before


def test_leads_that_another_is_on_keep_their_place_in_line(system: System, send: Tasks) -> None:
    pool(system, 3)
    first = captured(system, 2)
    leased_to(system, "a slow one")
    later = captured(system, 2)

    capture.assign_lead(system, later[-1], "a fast one")

    assert turns(system, [*first, *later]) == [None, None, 3, 4]
    assert_promise(system)
    capture.assign_lead(system, first[-1], "a slow one")
    assert turns(system, [*first, *later]) == [1, 2, 3, 4]
    assert_promise(system)


def test_a_redelivered_task_goes_on_with_its_own_lease_at_once(system: System, send: Tasks) -> None:
    pool(system, 3)
    leads = captured(system, 3)
    leased_to(system, "a worker that died")

    capture.assign_lead(system, leads[-1], "somebody else")
    assert turns(system, leads) == [None, None, None]
    capture.assign_lead(system, leads[-1], "a worker that died")

    assert turns(system, leads) == [1, 2, 3]
    assert_promise(system)


def test_who_comes_back_after_the_lease_ran_out_enters_nothing_twice(
    system: System, send: Tasks
) -> None:
    inbound = pool(system, 3)
    leads = captured(system, 3)
    batch = system.transact(capture._lease, inbound.id, "a slow one")
    leases_run_out(system)
    capture.assign_lead(system, leads[-1], "a fast one")
    before = rows(system, "SELECT * FROM ledger ORDER BY turn")

    system.transact(capture._enter, inbound.id, batch)

    assert rows(system, "SELECT * FROM ledger ORDER BY turn") == before
    assert turns(system, leads) == [1, 2, 3]
    assert_promise(system)


def test_leads_whose_workers_died_twice_are_tried_one_by_one_and_in_their_order(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    leads = captured(system, 4)
    for _ in range(2):
        leased_to(system, "a worker that died")
        leases_run_out(system)
    poison(system, leads[2])

    with pytest.raises(Exception, match="poison"):
        capture.assign_lead(system, leads[-1], "another")

    tried = {
        row["lead_id"]: row["attempts"]
        for row in rows(system, "SELECT lead_id, attempts FROM captures")
    }
    assert (turns(system, leads), tried) == ([1, 2, None, None], {leads[2]: 3, leads[3]: 2})
    assert_promise(system)


# --- what may happen to a lead while it waits ---


def taken_by_a_slow_one(system: System) -> tuple[list[int], list[int]]:
    """Two leads that a slow worker is on, and one behind them that has got its turn, for which
    turns were taken for all three."""
    first = captured(system, 2)
    leased_to(system, "a slow one")
    later = captured(system, 1)
    capture.assign_lead(system, later[0], "a fast one")
    assert turns(system, [*first, *later]) == [None, None, 3]
    return first, later


def test_the_turn_of_a_lead_that_is_deleted_while_it_waits_comes_back(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    first, later = taken_by_a_slow_one(system)
    changed(system, "DELETE FROM leads WHERE id = :id", id=first[0])
    assert waiting(system) == {first[1]: None}

    capture.assign_lead(system, first[-1], "a slow one")

    assert turns(system, [first[1], *later]) == [2, 3]
    assert mended(system) == 1
    assert_promise(system)
    assert give_leads(system, 2) == "aa"
    assert_promise(system)


def test_a_lead_whose_owner_was_changed_by_hand_while_it_waited_takes_no_turn(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    ann = person(system, "ann@example.com")
    leads = captured(system, 3)
    changed(system, "UPDATE leads SET owner_id = :ann WHERE id = :id", ann=ann, id=leads[1])

    send.drain(system)

    assert turns(system, leads) == [1, None, 3]
    assert rows(system, "SELECT owner_id FROM leads WHERE id = :id", id=leads[1]) == [
        {"owner_id": ann}
    ]
    assert waiting(system) == {}
    assert mended(system) == 1
    assert give_leads(system, 2) == "ba"
    assert_promise(system)


@pytest.mark.parametrize("deleted", [0, 1, 2])
def test_a_lead_that_is_deleted_before_anybody_is_on_it_takes_no_turn(
    system: System, send: Tasks, deleted: int
) -> None:
    pool(system, 3)
    leads = captured(system, 3)
    changed(system, "DELETE FROM leads WHERE id = :id", id=leads[deleted])

    send.drain(system)
    an_hour_passes(system)
    sweeps.sweep(system)
    send.drain(system)

    assert turns(system, [lead_id for lead_id in leads if lead_id != leads[deleted]]) == [1, 2]
    assert_promise(system)


# --- pools that empty, and pools that go ---


def test_leads_of_a_pool_without_members_wait_and_are_assigned_in_order_when_one_joins(
    system: System, send: Tasks
) -> None:
    pool(system, 1)
    leave(system, "a@example.com")
    leads = captured(system, 3)
    send.drain(system)
    assert owners(system, leads) == "..."
    assert waiting(system) == dict.fromkeys(leads, NO_MEMBERS)
    assert attempts(system) == {0}
    assert_promise(system)

    join(system, "b@example.com")
    send.drain(system)

    assert turns(system, leads) == [1, 2, 3]
    assert owners(system, leads) == "bbb"
    assert_promise(system)


def test_a_pool_that_empties_while_leads_wait_keeps_their_order(
    system: System, send: Tasks
) -> None:
    pool(system, 2)
    first, later = taken_by_a_slow_one(system)
    leave(system, "a@example.com", "b@example.com")
    last = captured(system, 2)
    send.drain(system)
    assert attempts(system) == {0, 1}

    join(system, "c@example.com")
    capture.assign_lead(system, first[-1], "a slow one")
    send.drain(system)

    assert turns(system, [*first, *later, *last]) == [1, 2, 3, 4, 5]
    assert owners(system, [*later, *last]) == "acc"
    assert_promise(system)


def test_every_lead_of_a_pool_without_members_tells_the_reason_why_it_waits(
    system: System, send: Tasks
) -> None:
    pool(system, 0)

    captured(system, max(capture.MOST_AT_ONCE) + 1)
    send.drain(system)

    assert set(waiting(system).values()) == {NO_MEMBERS}


def test_leads_of_a_pool_that_is_deleted_wait_visibly_with_the_reason(
    system: System, send: Tasks
) -> None:
    pool(system, 2)
    leads = captured(system, 3)
    delete_pool(system)

    send.drain(system)
    an_hour_passes(system)

    assert turns(system, leads) == [None, None, None]
    assert all("no pool" in str(reason) for reason in waiting(system).values())
    assert sweeps.sweep(system) == []


# --- Redis forgets, goes back, or is away ---


def forgets(valkey: Redis, _: Any) -> None:
    valkey.flushall()


@pytest.mark.parametrize("fault", [forgets, roll_back])
@pytest.mark.parametrize("before_the_fast_one", [True, False])
def test_redis_may_go_back_between_taking_and_entering(
    system: System,
    send: Tasks,
    valkey: Redis,
    fault: Callable[..., None],
    before_the_fast_one: bool,
) -> None:
    pool(system, 3)
    assert give_leads(system, 2) == "ab"
    earlier = photograph(valkey)
    first = captured(system, 2)
    leased_to(system, "a slow one")
    if before_the_fast_one:
        earlier = photograph(valkey)
    later = captured(system, 2)
    capture.assign_lead(system, later[-1], "a fast one")
    fault(valkey, earlier)

    capture.assign_lead(system, first[-1], "a slow one")
    send.drain(system)

    assert turns(system, [*first, *later]) == [3, 4, 5, 6]
    assert_promise(system, quiet=False)
    assert give_leads(system, 1) == "a"
    assert_promise(system)


def test_leads_wait_with_the_reason_while_redis_is_away_and_no_attempt_is_counted(
    system: System, send: Tasks, tmp_path: Path
) -> None:
    pool(system, 3)
    leads = captured(system, 2)
    away = replace(system, ring=Ring(connect(f"unix://{tmp_path}/none")))

    for _ in range(4):
        with pytest.raises(RingUnreachable):
            capture.assign_lead(away, leads[-1], "a task")

    assert attempts(system) == {0}
    assert all("doesn't answer" in str(reason) for reason in waiting(system).values())
    assert_promise(system)
    send.drain(system)
    assert turns(system, leads) == [1, 2]
    assert_promise(system)


def test_a_lead_whose_task_the_broker_lost_is_found_waiting(system: System, send: Tasks) -> None:
    pool(system, 3)
    leads = captured(system, 2)
    send.lose()
    sweeps.sweep(system)
    assert send.waiting == []  # it may only wait behind others
    an_hour_passes(system)

    sweeps.sweep(system)

    assert [task.arguments for task in send.waiting] == [{"lead": leads[-1]}]
    send.drain(system)
    assert turns(system, leads) == [1, 2]
    assert_promise(system)


def test_a_lead_in_line_does_not_hold_up_other_doors(system: System, send: Tasks) -> None:
    pool(system, 3)
    leads = captured(system, 2)

    assert give_leads(system, 1) == "a"
    send.drain(system)

    assert turns(system, leads) == [2, 3]
    assert lead(system) > leads[-1]
    assert_promise(system)


# --- why ---


def test_a_waiting_lead_tells_since_when_it_waits_and_for_what(system: System, send: Tasks) -> None:
    pool(system, 0)
    [lead_id] = captured(system, 1)
    send.drain(system)

    with system.reading() as session:
        shown = explain(session, "lead", lead_id)

    assert (shown.turn, shown.owner.name) == (None, "Inbound")
    assert shown.waits is not None
    assert shown.waits.reason == NO_MEMBERS
