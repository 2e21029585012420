"""Both servers that the scripts are held to."""

from collections.abc import Iterator

import pytest
from fakeredis import FakeRedis
from redis import Redis

from worker.ring import Ring


@pytest.fixture
def fakeredis() -> Iterator[Redis]:
    client = FakeRedis(decode_responses=True)
    client.flushall()
    yield client
    client.close()


@pytest.fixture(params=["valkey", "fakeredis"])
def ring_client(request: pytest.FixtureRequest) -> Redis:
    """A client of a server that holds nothing yet."""
    client: Redis = request.getfixturevalue(request.param)
    return client


@pytest.fixture
def ring(ring_client: Redis) -> Ring:
    return Ring(ring_client)
