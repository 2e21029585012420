"""A client of the whole API over a system of the test's own."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from api_stub.app import create_app
from worker.flows.system import System
from worker.flows.system import system as the_system


@pytest.fixture
def client(system: System) -> Iterator[TestClient]:
    app = create_app()
    app.dependency_overrides[the_system] = lambda: system
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client
