"""Captured leads: stored, then assigned in the order of acceptance, whoever is faster."""

from tests.factories import address_of, captured, join, leave, pool
from tests.invariants import assert_promise, rows
from tests.tasks import Tasks
from worker.flows import capture
from worker.flows.system import System


def owners(system: System, lead_ids: list[int]) -> str:
    """The first letters of the leads' owners; a dot for one that waits."""
    found = {row["id"]: row for row in rows(system, "SELECT id, owner_id, turn FROM leads")}
    return "".join(address_of(system, found[each]["owner_id"])[0] if found[each]["turn"] else "." for each in lead_ids)


def turns(system: System, lead_ids: list[int]) -> list[int | None]:
    found = {row["id"]: row["turn"] for row in rows(system, "SELECT id, turn FROM leads")}
    return [found[each] for each in lead_ids]


def test_a_captured_lead_waits_with_the_pool_until_its_task_runs(system: System, send: Tasks) -> None:
    inbound = pool(system, 3)

    [lead_id] = captured(system, 1)

    [lead] = rows(system, "SELECT owner_id, pool_id, turn FROM leads WHERE id = :id", id=lead_id)
    assert lead == {"owner_id": inbound.id, "pool_id": None, "turn": None}
    assert rows(system, "SELECT lead_id, pool_id FROM captures") == [{"lead_id": lead_id, "pool_id": inbound.id}]
    send.drain(system)
    assert owners(system, [lead_id]) == "a"
    assert rows(system, "SELECT * FROM captures") == []
    assert_promise(system)


def test_whoever_is_faster_gives_turns_to_those_before_first(system: System, send: Tasks) -> None:
    pool(system, 3)
    leads = [captured(system, 1)[0] for _ in range(5)]

    capture.assign_lead(system, leads[-1], "the fast one")

    assert turns(system, leads) == [1, 2, 3, 4, 5]
    send.drain(system, times=2)
    assert turns(system, leads) == [1, 2, 3, 4, 5]
    assert_promise(system)


def test_leads_that_another_is_on_keep_their_place_in_line(system: System, send: Tasks) -> None:
    pool(system, 3)
    first = captured(system, 2)
    system.transact(lambda session: capture._lease(session, rows(system, "SELECT id FROM pools")[0]["id"], "a slow one"))
    later = captured(system, 2)

    capture.assign_lead(system, later[-1], "a fast one")

    assert turns(system, [*first, *later]) == [None, None, 3, 4]
    capture.assign_lead(system, first[-1], "a slow one")
    assert turns(system, [*first, *later]) == [1, 2, 3, 4]
    assert_promise(system)


def test_leads_of_a_pool_without_members_wait_and_are_assigned_in_order_when_one_joins(system: System, send: Tasks) -> None:
    pool(system, 1)
    leave(system, "a@example.com")
    leads = captured(system, 3)
    send.drain(system)
    assert owners(system, leads) == "..."
    assert {row["reason"] for row in rows(system, "SELECT reason FROM captures")} == {
        "The pool Inbound has no members. Add one with `evenhand pool add`."
    }

    join(system, "b@example.com")
    send.drain(system)

    assert turns(system, leads) == [1, 2, 3]
    assert owners(system, leads) == "bbb"
    assert_promise(system)
