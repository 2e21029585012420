"""Tokens: issued, shown once, revoked, and what they tell of who asks."""

import hashlib
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from tests.support.factories import deactivate, person, pool, token_of
from tests.support.invariants import everything, rows
from worker.domain.people.permissions import Actor
from worker.errors.people import BlankName, LastAdmin, UnknownToken, UnknownUser
from worker.flows.people import access, people
from worker.flows.system import System
from worker.store.people import users
from worker.store.sql.engine import open_engine
from worker.store.tables import tokens


def signed_in(system: System, token: str) -> access.SignedIn | None:
    with system.reading() as session:
        return access.authenticate(session, token)


def revoke(system: System, token_id: int, of_user: int | None = None) -> None:
    system.transact(access.revoke, token_id, of_user)


def test_a_token_tells_who_asks_and_what_they_may_do(system: System) -> None:
    people = {address: person(system, address, **allowed) for address, allowed in MAY.items()}

    for address, allowed in MAY.items():
        who = signed_in(system, token_of(system, address))
        assert who is not None
        assert who.actor == Actor(people[address], **allowed)


MAY = {
    "ann@example.com": {"is_admin": False, "can_reassign": False},
    "bob@example.com": {"is_admin": False, "can_reassign": True},
    "cy@example.com": {"is_admin": True, "can_reassign": False},
}


def test_of_a_token_only_its_digest_is_kept(system: System) -> None:
    token = token_of(system, "ann@example.com")

    assert rows(system, "SELECT digest FROM tokens") == [
        {"digest": hashlib.sha256(token.encode()).hexdigest()}
    ]
    assert token not in repr(everything(system))


def test_no_two_tokens_are_the_same(system: System) -> None:
    issued = {token_of(system, "ann@example.com") for _ in range(3)}

    assert len(issued) == 3
    assert {len(token) for token in issued} == {64}


@pytest.mark.parametrize("wrong", ["", "x" * 64, "0" * 64, "é" * 64, "0" * 63, "0" * 65])
def test_what_is_no_token_lets_nobody_in(system: System, wrong: str) -> None:
    token_of(system, "ann@example.com")

    assert signed_in(system, wrong) is None


def test_the_digest_of_a_token_lets_nobody_in(system: System) -> None:
    token_of(system, "ann@example.com")
    [kept] = rows(system, "SELECT digest FROM tokens")

    assert signed_in(system, kept["digest"]) is None


def test_a_token_that_was_revoked_lets_nobody_in_and_stays_revoked_since_then(
    system: System,
) -> None:
    token, other = token_of(system, "ann@example.com"), token_of(system, "ann@example.com")

    revoke(system, 1)
    first = rows(system, "SELECT revoked_at FROM tokens WHERE id = 1")
    revoke(system, 1)

    assert signed_in(system, token) is None
    assert signed_in(system, other) is not None
    assert (
        rows(system, "SELECT revoked_at FROM tokens WHERE id = 1")
        == first
        != [{"revoked_at": None}]
    )


def test_a_person_revokes_their_own_tokens_and_no_others(system: System) -> None:
    ann, bob = person(system, "ann@example.com"), person(system, "bob@example.com")
    token = token_of(system, "ann@example.com")

    with pytest.raises(UnknownToken, match="no token 1"):
        revoke(system, 1, of_user=bob)
    assert signed_in(system, token) is not None
    revoke(system, 1, of_user=ann)
    assert signed_in(system, token) is None
    with pytest.raises(UnknownToken, match="no token 2"):
        revoke(system, 2)


def test_the_tokens_of_whoever_is_deactivated_let_nobody_in(system: System) -> None:
    token = token_of(system, "ann@example.com")

    deactivate(system, "ann@example.com")

    assert signed_in(system, token) is None
    with pytest.raises(UnknownUser):
        system.transact(access.issue, 1, "late")


def test_a_token_needs_a_name_and_a_person(system: System) -> None:
    phantom, ann = pool(system, 0).id, person(system, "ann@example.com")

    for user_id, name, wrong in (
        (ann, " ", BlankName),
        (phantom, "tests", UnknownUser),
        (99, "tests", UnknownUser),
    ):
        with pytest.raises(wrong):
            system.transact(access.issue, user_id, name)
    assert rows(system, "SELECT id FROM tokens") == []


# --- the last use ---


def last_use(system: System, token: str) -> datetime | None:
    who = signed_in(system, token)
    assert who is not None
    return who.last_used_at


def note(system: System, token: str) -> None:
    who = signed_in(system, token)
    assert who is not None
    access.note_use(system, who)


@pytest.mark.parametrize(("seconds", "noted"), [(0, False), (50, False), (70, True)])
def test_a_use_is_noted_once_a_minute(system: System, seconds: float, noted: bool) -> None:
    token, before = (
        token_of(system, "ann@example.com"),
        datetime.now(UTC) - timedelta(seconds=seconds),
    )
    system.transact(lambda session: session.execute(update(tokens).values(last_used_at=before)))

    note(system, token)

    assert (last_use(system, token) != before) is noted


def test_the_first_use_is_noted(system: System) -> None:
    token, begun = token_of(system, "ann@example.com"), datetime.now(UTC)
    assert last_use(system, token) is None

    note(system, token)

    first = last_use(system, token)
    assert first is not None
    assert begun <= first <= datetime.now(UTC)


def test_two_who_note_a_use_at_once_write_it_once(system: System) -> None:
    token = token_of(system, "ann@example.com")
    before = signed_in(system, token)
    assert before is not None

    access.note_use(system, before)
    first = last_use(system, token)
    access.note_use(system, before)

    assert first is not None
    assert last_use(system, token) == first


def test_a_use_that_cannot_be_noted_is_a_line_in_the_log(
    system: System, caplog: pytest.LogCaptureFixture
) -> None:
    who = signed_in(system, token_of(system, "ann@example.com"))
    assert who is not None
    away = replace(
        system, engine=open_engine("postgresql+psycopg://nobody:secret@127.0.0.1:1/none")
    )

    with caplog.at_level(logging.WARNING):
        access.note_use(away, who)

    assert caplog.messages == ["the use of token 1 could not be noted: DatabaseUnreachable"]


# --- what people may do ---


def test_what_a_person_may_do_is_changed(system: System) -> None:
    person(system, "root@example.com", is_admin=True)
    ann = person(system, "ann@example.com")

    user = system.transact(people.change, ann, is_admin=True, can_reassign=None)
    renamed = system.transact(people.change, ann, name="Ann Lee", can_reassign=True)

    assert (user.is_admin, user.can_reassign, user.name) == (True, False, "Ann")
    assert (renamed.is_admin, renamed.can_reassign, renamed.name) == (True, True, "Ann Lee")
    with pytest.raises(BlankName):
        system.transact(people.change, ann, name=" ")


def test_the_last_active_admin_stays_an_admin(system: System) -> None:
    root = person(system, "root@example.com", is_admin=True)
    other = person(system, "other@example.com", is_admin=True)
    system.transact(people.change, other, is_admin=False)

    with pytest.raises(LastAdmin, match="Root is the only active admin"):
        system.transact(people.change, root, is_admin=False)
    assert system.transact(users.lock_admins) == [1]


def test_whoever_is_no_admin_is_demoted_without_ado(system: System) -> None:
    person(system, "root@example.com", is_admin=True)
    ann = person(system, "ann@example.com")

    user = system.transact(people.change, ann, is_admin=False)

    assert not user.is_admin
