"""Clients of the whole API over a system of the test's own, each signed in as somebody else."""

from collections.abc import Callable, Iterator
from functools import cache

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api_stub.app import create_app
from tests.support.factories import person, token_of
from tests.support.tasks import SECRET_BOX
from worker.flows.system import System
from worker.flows.system import system as the_system
from worker.secret_box import secret_box

ROOT, MEMBER, REASSIGNER = "root@example.com", "member@example.com", "reassigner@example.com"

ClientOf = Callable[[str | None], TestClient]


whole_app = cache(create_app)
"""One for all tests: its routes are built at the first request, which takes longer than most tests.
"""


@pytest.fixture
def app(system: System) -> Iterator[FastAPI]:
    app = whole_app()
    app.dependency_overrides |= {the_system: lambda: system, secret_box: lambda: SECRET_BOX}
    yield app
    app.dependency_overrides.clear()


@pytest.fixture
def client_of(app: FastAPI) -> ClientOf:
    """A client that sends that token, or none."""

    def client(token: str | None) -> TestClient:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return TestClient(app, raise_server_exceptions=False, headers=headers)

    return client


@pytest.fixture
def client(app: FastAPI, system: System, client_of: ClientOf) -> Iterator[TestClient]:
    """An admin's client. The admin is Root, who has the id 1."""
    person(system, ROOT, is_admin=True)
    with client_of(token_of(system, ROOT)) as client:
        yield client


@pytest.fixture
def member(client: TestClient, system: System, client_of: ClientOf) -> TestClient:
    """The client of somebody who may do nothing in particular."""
    person(system, MEMBER)
    return client_of(token_of(system, MEMBER))


@pytest.fixture
def reassigner(client: TestClient, system: System, client_of: ClientOf) -> TestClient:
    """The client of somebody who may change the owners of records."""
    person(system, REASSIGNER, can_reassign=True)
    return client_of(token_of(system, REASSIGNER))


@pytest.fixture
def stranger(client: TestClient, client_of: ClientOf) -> TestClient:
    """The client of somebody without a token."""
    return client_of(None)
