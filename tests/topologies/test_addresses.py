"""Whoever can't reach the rings is told where they were looked for, and never a password."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from tests.support.servers import short_folder
from tests.topologies.proxy import proxy
from tests.topologies.servers import MASTER, Node, free_port, sentinel
from worker.domain.turns.rosters import Roster
from worker.domain.turns.turns import Turns
from worker.errors.servers import RingUnreachable
from worker.ring import Ring
from worker.ring.client import connect
from worker.ring.rate_counters import Counts
from worker.settings import LOOPBACK

PASSWORD = "rhododendron"
TLS_HANDSHAKE = b"\x16"
SECRETS = (PASSWORD, "hydrangea", "gardener")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://gardener:rhododendron@127.0.0.1:1/2", "at 127.0.0.1:1 ("),
        ("unix://:rhododendron@/nowhere/socket", "at /nowhere/socket ("),
        (
            "redis+cluster://gardener:rhododendron@127.0.0.1:1,127.0.0.1:2",
            "at 127.0.0.1:1, 127.0.0.1:2 (Redis Cluster) (",
        ),
        ("rediss+cluster://:rhododendron@127.0.0.1:1", "at 127.0.0.1:1 (Redis Cluster) ("),
        (
            "redis+sentinel://gardener:rhododendron@127.0.0.1:1,127.0.0.1:2/rings"
            "?sentinel_password=hydrangea",
            "at 127.0.0.1:1, 127.0.0.1:2 (Sentinel of rings) (No master found for 'rings')",
        ),
    ],
)
def test_the_address_that_does_not_answer_is_named_without_its_password(
    url: str, address: str
) -> None:
    ring = Ring(connect(url))

    with pytest.raises(RingUnreachable) as raised:
        ring.ping()

    ring.close()
    assert address in str(raised.value)
    assert not [secret for secret in SECRETS if secret in str(raised.value)]


def test_a_server_that_is_no_cluster_is_said_to_be_none(locked: Node) -> None:
    ring = Ring(connect(f"redis+cluster://:{PASSWORD}@{LOOPBACK}:{locked.port}"))

    with pytest.raises(RingUnreachable, match="Cluster mode is not enabled"):
        ring.ping()


def test_a_wrong_password_is_said_and_not_shown(locked: Node) -> None:
    ring = Ring(connect(f"redis://:hydrangea@{LOOPBACK}:{locked.port}"))

    with pytest.raises(RingUnreachable, match="invalid username-password pair") as raised:
        ring.ping()

    assert "hydrangea" not in str(raised.value)


def test_master_and_sentinel_may_have_passwords_of_their_own(locked: Node) -> None:
    wants = f"requirepass hydrangea\nsentinel auth-pass {MASTER} {PASSWORD}"

    with sentinel(locked.port, wants, password="hydrangea") as watching:
        address = f"{LOOPBACK}:{watching.port}/{MASTER}/1?sentinel_password=hydrangea"
        url = f"redis+sentinel://:{PASSWORD}@{address}"
        ring, counts = Ring(connect(url)), Counts(url)
        ring.seed(7, None, "9f3c", Roster(1, 1, 0, (11,)), 1, Turns())
        counts.add("requests", 60)
        ring.close()
        counts.close()

    with Redis(LOOPBACK, locked.port, db=1, password=PASSWORD) as client:
        assert client.exists("{pool:7}:ring", "evenhand:limit:requests") == 2


def test_requests_are_counted_on_a_server_that_wants_a_password(locked: Node) -> None:
    counts = Counts(f"redis://:{PASSWORD}@{LOOPBACK}:{locked.port}/3")

    assert [counts.add("requests", 60) for _ in range(3)] == [1, 2, 3]

    counts.close()
    with Redis(LOOPBACK, locked.port, db=3, password=PASSWORD) as client:
        assert 0 < client.ttl("evenhand:limit:requests") <= 60


def test_whoever_can_not_count_is_told_where_and_no_password() -> None:
    counts = Counts("redis+cluster://gardener:rhododendron@127.0.0.1:1")

    with pytest.raises(RingUnreachable, match=r"127\.0\.0\.1:1") as raised:
        counts.add("requests", 60)

    assert not [secret for secret in SECRETS if secret in str(raised.value)]


@pytest.mark.parametrize(
    "ask", [lambda url: Ring(connect(url)).ping(), lambda url: Counts(url).add("requests", 60)]
)
@pytest.mark.parametrize("scheme", ["rediss", "rediss+cluster"])
def test_a_server_or_cluster_is_spoken_to_over_tls_when_its_address_says_so(
    scheme: str, ask: Callable[[str], object]
) -> None:
    with socket.create_server((LOOPBACK, 0)) as listener, ThreadPoolExecutor(1) as thread:
        first_byte = thread.submit(first_byte_heard, listener)

        with pytest.raises(RingUnreachable):
            ask(f"{scheme}://{LOOPBACK}:{listener.getsockname()[1]}")

        assert first_byte.result() == TLS_HANDSHAKE


def first_byte_heard(listener: socket.socket) -> bytes:
    connection, _ = listener.accept()
    with connection:
        return connection.recv(1)


@pytest.fixture
def locked() -> Iterator[Node]:
    """A server that wants a password."""
    with short_folder() as folder, proxy(free_port()) as front:
        made = Node(folder / "locked", front, ("--requirepass", PASSWORD), PASSWORD)
        made.start()
        try:
            yield made
        finally:
            made.stop()
