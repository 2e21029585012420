"""People join, and leave all rosters at once."""

import pytest
from redis import Redis

from tests.support.factories import address_of, deactivate, email, give_leads, leave, person, pool
from tests.support.invariants import assert_promise, rows
from worker.errors.people import (
    AmbiguousUser,
    BadEmail,
    BlankName,
    LastAdmin,
    UnknownUser,
    UserExists,
)
from worker.flows.names import find_pool_by_name, find_user_by_name
from worker.flows.people import people
from worker.flows.system import System


def test_a_user_is_told_apart_by_their_email(system: System) -> None:
    user = system.transact(people.add, " Ann Lee ", " Ann@Example.com ", is_admin=True)

    assert (user.name, user.email, user.is_admin, user.is_active, user.is_pool) == (
        "Ann Lee",
        "ann@example.com",
        True,
        True,
        False,
    )


def test_an_email_is_taken_once_in_whatever_capitals(system: System) -> None:
    person(system, "ann@example.com")

    with pytest.raises(UserExists, match=r"already a user with the email ann@example\.com"):
        system.transact(people.add, "Another", "ANN@example.com")


@pytest.mark.parametrize("address", ["", "ann", "ann@", "@example.com", "a b@example.com", "a@b@c"])
def test_what_is_no_email_is_refused(system: System, address: str) -> None:
    with pytest.raises(BadEmail):
        system.transact(people.add, "Ann", address)


def test_a_user_needs_a_name(system: System) -> None:
    with pytest.raises(BlankName, match="A user needs a name"):
        system.transact(people.add, "  ", "ann@example.com")


def test_a_user_is_found_by_email_or_name(system: System) -> None:
    ann = system.transact(people.add, "Ann Lee", "ann@example.com").id

    with system.reading() as session:
        assert {
            find_user_by_name(session, name).id
            for name in ("ann@example.com", "ANN@example.com ", "Ann Lee", "ann lee")
        } == {ann}
        with pytest.raises(UnknownUser, match="no active user 'bob'"):
            find_user_by_name(session, "bob")


def test_a_name_that_two_users_bear_is_ambiguous(system: System) -> None:
    system.transact(
        lambda session: [
            people.add(session, "Ann", address)
            for address in ("ann@example.com", "ann@example.org")
        ]
    )

    with system.reading() as session:
        with pytest.raises(AmbiguousUser):
            find_user_by_name(session, "Ann")
        assert find_user_by_name(session, "ann@example.org").email == "ann@example.org"


def test_whoever_is_deactivated_leaves_all_rosters_and_keeps_what_they_own(system: System) -> None:
    pool(system, 3, "Inbound")
    pool(system, 2, "Partners")
    pool(system, ["c@example.com"], "Others")
    assert give_leads(system, 4) == "abca"

    left = deactivate(system, email(0))

    assert left == ["Inbound", "Partners"]
    assert give_leads(system, 3) == "bcb"
    assert give_leads(system, 2, "Partners") == "bb"
    owned = (
        "SELECT leads.id FROM leads JOIN users ON users.id = owner_id WHERE users.email = :email"
    )
    assert len(rows(system, owned, email=email(0))) == 2
    with system.reading() as session, pytest.raises(UnknownUser):
        find_user_by_name(session, email(0))
    assert_promise(system)


def test_the_last_active_admin_stays(system: System) -> None:
    person(system, "root@example.com", is_admin=True)
    person(system, "other@example.com", is_admin=True)
    deactivate(system, "other@example.com")

    with pytest.raises(LastAdmin, match="Root is the only active admin"):
        deactivate(system, "root@example.com")


def test_whoever_is_deactivated_cannot_be_deactivated_again(system: System) -> None:
    ann = person(system, "ann@example.com")
    deactivate(system, "ann@example.com")

    with pytest.raises(UnknownUser):
        deactivate(system, "ann@example.com")
    assert address_of(system, ann) == "ann@example.com"


def test_whoever_left_a_pool_before_leaves_none_when_deactivated(system: System) -> None:
    pool(system, 2)
    leave(system, email(0))

    assert deactivate(system, email(0)) == []


@pytest.mark.parametrize("flushed", [False, True], ids=["new pools", "Redis flushed"])
def test_whoever_is_deactivated_leaves_any_number_of_pools_at_once(
    system: System, valkey: Redis, flushed: bool
) -> None:
    names = [f"Pool {number}" for number in range(8)]
    for name in names:
        pool(system, 3, name)
        if flushed:
            give_leads(system, 4, name)
    if flushed:
        valkey.flushall()

    assert deactivate(system, email(1)) == names
    assert [give_leads(system, 2, name) for name in names] == (["ca"] if flushed else ["ac"]) * len(
        names
    )
    assert_promise(system)


def test_a_name_in_other_letters_than_english_is_found(system: System) -> None:
    system.transact(people.add, "Élodie Ärger", "elodie@example.com")
    pool(system, 1, "Équipe")

    with system.reading() as session:
        assert find_user_by_name(session, "Élodie Ärger").email == "elodie@example.com"
        assert find_pool_by_name(session, "Équipe").name == "Équipe"
