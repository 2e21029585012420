"""Pools: made, renamed, deleted, and their members changed."""

import pytest

from tests.support.factories import (
    delete_pool,
    email,
    emails,
    give,
    give_leads,
    join,
    lead,
    leave,
    person,
    pool,
    pool_id_of,
)
from tests.support.invariants import assert_promise, rows
from worker.errors.people import BlankName, UnknownRecordType, UnknownUser
from worker.errors.turns import AlreadyMember, NotAMember, PoolExists, UnknownPool
from worker.flows.system import System
from worker.flows.turns import pools


def test_a_pool_has_a_phantom_user_and_its_first_roster(system: System) -> None:
    made = pool(system, 2)

    [user] = rows(system, "SELECT * FROM users WHERE id = :id", id=made.id)
    [roster] = rows(
        system,
        "SELECT version, first_turn, first_slot FROM rosters WHERE pool_id = :id",
        id=made.id,
    )
    assert (user["name"], user["email"], bool(user["is_pool"])) == ("Inbound", None, True)
    assert roster == {"version": 1, "first_turn": 1, "first_slot": 0}
    assert_promise(system)


@pytest.mark.parametrize("name", ["Inbound", "inbound", " INBOUND "])
def test_a_pool_s_name_is_taken_once(system: System, name: str) -> None:
    pool(system, 1)

    with pytest.raises(PoolExists):
        pool(system, 1, name)


def test_a_pool_needs_a_name_and_a_known_record_type(system: System) -> None:
    with pytest.raises(BlankName, match="A pool needs a name"):
        pool(system, 1, " ")
    with pytest.raises(UnknownRecordType, match="'ticket' is not a record type"):
        pool(system, 1, record_type="ticket")


def test_a_pool_of_unknown_people_is_not_made(system: System) -> None:
    with pytest.raises(UnknownUser):
        system.transact(pools.create, "Inbound", "lead", [999], None)

    assert rows(system, "SELECT * FROM pools") == []


def test_nobody_is_a_member_twice(system: System) -> None:
    pool(system, 2)

    with pytest.raises(AlreadyMember, match="B is already a member of Inbound"):
        join(system, email(2), email(1))
    with pytest.raises(AlreadyMember):
        join(system, email(3), email(3))
    with pytest.raises(AlreadyMember):
        pool(system, [email(0), email(0)], "Twice")


def test_only_members_can_be_removed(system: System) -> None:
    pool(system, 2)
    person(system, email(2))

    with pytest.raises(NotAMember, match="C is not a member of Inbound"):
        leave(system, email(2))
    with pytest.raises(UnknownUser):
        leave(system, "nobody@example.com")


def test_what_is_asked_of_an_unknown_pool_is_refused(system: System) -> None:
    for ask in (
        lambda: join(system, email(0)),
        lambda: leave(system, email(0)),
        lambda: delete_pool(system),
        lambda: rename(system, "New"),
    ):
        with pytest.raises(UnknownPool, match="no pool 'Inbound'"):
            ask()


def test_a_refused_change_changes_nothing(system: System) -> None:
    pool(system, 2)
    give_leads(system, 1)

    with pytest.raises(AlreadyMember):
        join(system, email(2), email(0))

    assert give_leads(system, 3) == "bab"
    assert_promise(system)


def rename(system: System, name: str) -> str:
    pool_id = pool_id_of(system)
    system.transact(pools.rename, pool_id, name)
    return system.transact(pools.find, pool_id).name


def test_a_pool_keeps_its_turns_under_a_new_name(system: System) -> None:
    pool(system, 3)
    give_leads(system, 1)

    assert rename(system, "Outbound") == "Outbound"

    assert give_leads(system, 2, "Outbound") == "bc"
    with pytest.raises(UnknownPool):
        give_leads(system, 1)


def test_a_pool_may_be_renamed_to_other_capitals_but_not_to_another_pool(system: System) -> None:
    pool(system, 1)
    pool(system, 1, "Partners")

    assert rename(system, "INBOUND") == "INBOUND"
    with pytest.raises(PoolExists):
        rename(system, "partners")
    with pytest.raises(BlankName):
        rename(system, " ")


def test_records_keep_their_owners_when_their_pool_is_deleted(system: System) -> None:
    pool(system, 2)
    give_leads(system, 3)
    before = rows(system, "SELECT id, owner_id, pool_id, turn FROM leads ORDER BY id")

    delete_pool(system)

    assert rows(system, "SELECT id, owner_id, pool_id, turn FROM leads ORDER BY id") == before
    with pytest.raises(UnknownPool):
        give(system, lead(system))
    assert_promise(system)


def test_a_deleted_pool_s_name_is_free_again_and_its_turns_start_anew(system: System) -> None:
    pool(system, 2)
    give_leads(system, 1)
    delete_pool(system)

    pool(system, 2)

    assert give_leads(system, 2) == "ab"
    assert_promise(system)


def test_two_pools_take_turns_apart(system: System) -> None:
    pool(system, 3)
    pool(system, 2, "Partners")

    assert give_leads(system, 2) == "ab"
    assert give_leads(system, 3, "Partners") == "aba"
    assert give_leads(system, 2) == "ca"
    assert_promise(system)


def test_many_members_may_join_and_leave_at_once(system: System) -> None:
    pool(system, 3)
    give_leads(system, 1)

    join(system, *emails(6)[3:])
    leave(system, email(1), email(2))

    assert give_leads(system, 5) == "defad"
    assert_promise(system)
