"""What the tests of intake are given: clients, a form, and a stand-in of HubSpot."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from tests.api.asking import create_pool
from tests.intake.asking import define
from tests.intake.hubspot import HubSpot
from tests.support.clients import app, client, client_of, member, reassigner, stranger
from tests.support.tasks import Tasks

__all__ = ["app", "client", "client_of", "member", "reassigner", "stranger"]


@pytest.fixture
def form(client: TestClient) -> dict[str, object]:
    """A form of a pool with the members a and b."""
    create_pool(client, members=2)
    return define(client, source="Website", tags=["web"])


@pytest.fixture
def tasks(send: Tasks) -> Tasks:
    """The tasks that were sent; tests of forms send forms."""
    return send


@pytest.fixture
def hubspot() -> Iterator[HubSpot]:
    with HubSpot.listening() as server:
        yield server
