"""The one door: what it gives, what it refuses, and what it does when asked again."""

import pytest

from tests.support.factories import (
    address_of,
    delete_pool,
    email,
    give,
    give_leads,
    lead,
    person,
    pool,
)
from tests.support.invariants import assert_promise, rows
from worker.domain.records.record_type import RecordType
from worker.domain.turns.causes import Cause
from worker.errors.turns import EmptyPool, UnknownPool, WrongPoolType
from worker.flows.system import System
from worker.flows.turns import assign, seed
from worker.flows.unit import Unit
from worker.store.turns import ledger


def reserve(system: System, pool_id: int, claim: str, count: int) -> str:
    return str(system.transact(assign.reserve, pool_id, claim, count))


def test_a_lead_edited_to_the_pool_gets_the_next_member(system: System) -> None:
    pool(system, 3)
    give_leads(system, 1)
    edited = lead(system, "z@example.com")

    assert give(system, edited) == [email(1)]
    [record] = rows(system, "SELECT owner_id, turn FROM leads WHERE id = :id", id=edited)
    assert address_of(system, record["owner_id"]) == email(1)
    assert record["turn"] == 2


def test_the_entry_tells_claim_cause_actor_and_previous_owner(system: System) -> None:
    inbound, actor, record_id = (
        pool(system, 2),
        person(system, "boss@example.com"),
        lead(system, "z@example.com"),
    )
    before = person(system, "z@example.com")
    request = assign.TurnRequest("lead:1:edit:7", record_id, before, actor)

    system.transact(assign.assign, inbound.id, RecordType.LEAD, [request], Cause.EDIT)

    [entry] = rows(system, "SELECT * FROM ledger")
    told = {
        "claim": "lead:1:edit:7",
        "ordinal": 0,
        "cause": "edit",
        "actor_id": actor,
        "previous_owner_id": before,
        "record_id": record_id,
    }
    assert told.items() <= entry.items()


def test_a_claim_asked_again_takes_nothing_and_gets_the_same_owner(system: System) -> None:
    pool(system, 3)
    first, second = lead(system), lead(system)

    assert give(system, first) == [email(0)]
    assert give(system, first, second) == [email(0), email(1)]
    assert give(system, second, first) == [email(1), email(0)]
    assert give_leads(system, 1) == "c"
    assert_promise(system)


def test_another_deed_on_the_same_record_takes_another_turn(system: System) -> None:
    pool(system, 3)
    edited = lead(system)

    assert [give(system, edited, deed=f"edit:{number}")[0][0] for number in range(4)] == [
        "a",
        "b",
        "c",
        "a",
    ]
    assert_promise(system)


def test_a_claim_stays_done_when_the_ring_has_forgotten_it(system: System) -> None:
    inbound = pool(system, 3)
    first = lead(system)
    give(system, first)

    system.ring.drop(inbound.id)

    assert give(system, first) == [email(0)]
    assert give_leads(system, 1) == "b"
    assert_promise(system)


def test_nothing_is_given_when_nothing_is_asked(system: System) -> None:
    inbound = pool(system, 1)

    assert system.transact(assign.assign, inbound.id, RecordType.LEAD, [], Cause.EDIT) == {}
    assert rows(system, "SELECT * FROM ledger") == []


def test_a_block_is_contiguous_and_asked_again_the_same(system: System) -> None:
    inbound = pool(system, 3)
    give_leads(system, 2)

    assert reserve(system, inbound.id, "import:1", 5) == "3:5"
    assert reserve(system, inbound.id, "import:1", 5) == "3:5"
    assert reserve(system, inbound.id, "import:2", 2) == "8:2"
    assert give_leads(system, 2) == "ab"
    assert_promise(system)


def test_a_block_begins_with_turns_that_were_returned(system: System) -> None:
    inbound = pool(system, 3)
    reserve(system, inbound.id, "import:1", 2)
    give_leads(system, 1)

    def cancel(unit: Unit) -> None:
        ledger.close_block(unit, inbound.id, "import:1")
        seed.seed_again(unit, inbound.id, "a test")

    system.transact(cancel)

    assert reserve(system, inbound.id, "import:2", 4) == "1:2 4:2"
    assert give_leads(system, 1) == "c"
    assert_promise(system)


def test_the_door_is_closed_to_other_types_to_empty_and_to_deleted_pools(system: System) -> None:
    inbound, empty = pool(system, 1), pool(system, 0, "Empty")

    with system.reading() as session:
        assign.check_assignable(session, inbound.id, "lead")
        with pytest.raises(
            WrongPoolType, match="The pool Inbound shares leads and can't take a deal"
        ):
            assign.check_assignable(session, inbound.id, "deal")
        with pytest.raises(EmptyPool, match="The pool Empty has no members"):
            assign.check_assignable(session, empty.id, "lead")
    delete_pool(system)
    with system.reading() as session, pytest.raises(UnknownPool):
        assign.check_assignable(session, inbound.id, "lead")


def test_a_deleted_pool_reserves_nothing(system: System) -> None:
    inbound = pool(system, 1)
    delete_pool(system)

    with pytest.raises(UnknownPool):
        reserve(system, inbound.id, "import:1", 5)


@pytest.mark.parametrize("record_type", ["contact", "deal"])
def test_contacts_and_deals_are_given_like_leads(system: System, record_type: str) -> None:
    pool(system, 2, "Others", record_type)
    records = [lead(system, record_type=record_type) for _ in range(3)]

    assert give(system, *records, name="Others", record_type=record_type) == [
        email(0),
        email(1),
        email(0),
    ]
    assert_promise(system)


def test_what_fails_after_taking_turns_enters_nothing_and_skips_nothing(system: System) -> None:
    inbound = pool(system, 3)
    record_id = lead(system)
    request = assign.TurnRequest(f"lead:{record_id}:edit", record_id, None)

    def take_and_die(unit: Unit) -> None:
        assign.assign(unit, inbound.id, RecordType.LEAD, [request], Cause.EDIT)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        system.transact(take_and_die)

    assert rows(system, "SELECT * FROM ledger") == []
    assert give(system, record_id) == [email(0)]
    assert give_leads(system, 1) == "b"
    assert_promise(system)
