"""An id in a path means one pool or one user, whatever name or email they have when the request is
carried out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy.orm import Session

from tests.api.asking import create_pool, posted
from tests.support.factories import give_leads, person
from worker.flows.system import System
from worker.flows.system import system as system_of_app
from worker.store.people import users

TRANSACTIONS = 5
"""More than any of the requests begins."""


@dataclass(frozen=True)
class Interrupted(System):
    """A system on which something else is done just before its nth transaction begins."""

    nth: int = 0
    interruption: Callable[[], None] = print
    begun: list[str] = field(default_factory=list)

    def reading(self) -> Any:
        self._begin("reading")
        return super().reading()

    def transact(self, work: Any, *args: Any, **kwargs: Any) -> Any:
        self._begin("writing")
        return super().transact(work, *args, **kwargs)

    def _begin(self, what: str) -> None:
        if len(self.begun) == self.nth:
            self.interruption()
        self.begun.append(what)


@dataclass(frozen=True)
class Case:
    """Two pools that swap their names just before the nth transaction of a request."""

    client: Any
    inbound: int
    partners: int
    first_member: int

    def names(self) -> dict[int, str]:
        return {pool["id"]: pool["name"] for pool in self.client.get("/api/pools").json()}

    def members(self, pool_id: int) -> list[str]:
        return [
            each["email"] for each in self.client.get(f"/api/pools/{pool_id}").json()["members"]
        ]


@pytest.fixture(params=range(TRANSACTIONS))
def case(request: Any, app: FastAPI, client: Any, system: System) -> Case:
    """Inbound has two turns and two members, Partners has one of them and no turns."""
    inbound = create_pool(client, members=2)["id"]
    give_leads(system, 2)
    partners = posted(client, "/api/pools", name="Partners", members=["a@example.com"])["id"]
    posted(client, "/api/users", name="Z", email="z@example.com")

    def swap(session: Session) -> None:
        if users.get(session, inbound).name != "Inbound":
            return
        for pool_id, name in ((inbound, "Between"), (partners, "Inbound"), (inbound, "Partners")):
            users.change(session, pool_id, name=name)

    interrupted = Interrupted(
        system.engine,
        system.ring,
        system.uploads,
        system.send,
        request.param,
        lambda: system.transact(swap),
    )
    app.dependency_overrides[system_of_app] = lambda: interrupted
    return Case(client, inbound, partners, person(system, "a@example.com"))


def test_the_pool_with_the_id_is_deleted(case: Case) -> None:
    answer = case.client.delete(f"/api/pools/{case.inbound}")

    assert answer.status_code == 204
    assert list(case.names()) == [case.partners]


def test_the_pool_with_the_id_is_renamed(case: Case) -> None:
    answer = case.client.patch(f"/api/pools/{case.inbound}", json={"name": "Renamed"})

    assert (answer.status_code, answer.json()["id"]) == (200, case.inbound)
    assert case.names()[case.inbound] == "Renamed"
    assert case.names()[case.partners] in ("Partners", "Inbound")


def test_the_pool_with_the_id_gets_the_member(case: Case) -> None:
    answer = case.client.post(
        f"/api/pools/{case.inbound}/members", json={"members": ["z@example.com"]}
    )

    assert (answer.status_code, answer.json()["id"]) == (200, case.inbound)
    assert case.members(case.inbound) == ["a@example.com", "b@example.com", "z@example.com"]
    assert case.members(case.partners) == ["a@example.com"]


def test_the_pool_with_the_id_loses_the_member(case: Case) -> None:
    answer = case.client.delete(f"/api/pools/{case.inbound}/members/{case.first_member}")

    assert (answer.status_code, answer.json()["id"]) == (200, case.inbound)
    assert case.members(case.inbound) == ["b@example.com"]
    assert case.members(case.partners) == ["a@example.com"]


def test_the_pool_with_the_id_is_shown(case: Case) -> None:
    shown = case.client.get(f"/api/pools/{case.inbound}").json()

    assert (shown["id"], shown["turns"]) == (case.inbound, 2)


def test_the_pool_with_the_id_is_verified(case: Case) -> None:
    report = case.client.get(f"/api/pools/{case.inbound}/verify").json()

    assert (report["entered"], report["holds"]) == (2, True)


@dataclass(frozen=True)
class PeopleCase:
    """Two users who swap their email addresses just before the nth transaction of a request."""

    client: Any
    ann: int
    zoe: int

    def find(self, user_id: int) -> dict[str, Any]:
        everybody = self.client.get("/api/users").json()
        return next(user for user in everybody if user["id"] == user_id)


@pytest.fixture(params=range(TRANSACTIONS))
def people_case(request: Any, app: FastAPI, client: Any, system: System) -> PeopleCase:
    addresses = ("ann@example.com", "zoe@example.com")
    ann, zoe = (person(system, address) for address in addresses)

    def swap(session: Session) -> None:
        if users.get(session, ann).email != addresses[0]:
            return
        for user_id, email in (
            (ann, "between@example.com"),
            (zoe, addresses[0]),
            (ann, addresses[1]),
        ):
            users.change(session, user_id, email=email)

    interrupted = Interrupted(
        system.engine,
        system.ring,
        system.uploads,
        system.send,
        request.param,
        lambda: system.transact(swap),
    )
    app.dependency_overrides[system_of_app] = lambda: interrupted
    return PeopleCase(client, ann, zoe)


def test_the_user_with_the_id_is_changed(people_case: PeopleCase) -> None:
    answer = people_case.client.patch(
        f"/api/users/{people_case.ann}", json={"name": "Renamed", "can_reassign": True}
    )

    assert (answer.status_code, answer.json()["id"]) == (200, people_case.ann)
    changed, other = people_case.find(people_case.ann), people_case.find(people_case.zoe)
    assert (changed["name"], changed["can_reassign"]) == ("Renamed", True)
    assert (other["name"], other["can_reassign"]) == ("Zoe", False)


def test_the_user_with_the_id_is_deactivated(people_case: PeopleCase) -> None:
    answer = people_case.client.post(f"/api/users/{people_case.ann}/deactivate")

    assert (answer.status_code, answer.json()["id"]) == (200, people_case.ann)
    assert not people_case.find(people_case.ann)["is_active"]
    assert people_case.find(people_case.zoe)["is_active"]
