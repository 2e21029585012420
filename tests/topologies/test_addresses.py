"""Whoever can't reach the rings is told where they were looked for, and never a password."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from tests.servers import short_folder
from tests.topologies.proxy import proxy
from tests.topologies.servers import MASTER, Node, free_port, sentinel
from worker.domain.rosters import Roster
from worker.domain.turns import Turns
from worker.errors import RingUnreachable
from worker.ring import Ring, connect
from worker.settings import LOOPBACK

PASSWORD = "rhododendron"
TLS_HANDSHAKE = b"\x16"
SECRETS = (PASSWORD, "hydrangea", "gardener")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://gardener:rhododendron@127.0.0.1:1/2", "at 127.0.0.1:1 ("),
        ("unix://:rhododendron@/nowhere/socket", "at /nowhere/socket ("),
        ("redis+cluster://gardener:rhododendron@127.0.0.1:1,127.0.0.1:2", "at 127.0.0.1:1, 127.0.0.1:2 (Redis Cluster) ("),
        ("rediss+cluster://:rhododendron@127.0.0.1:1", "at 127.0.0.1:1 (Redis Cluster) ("),
        (
            "redis+sentinel://gardener:rhododendron@127.0.0.1:1,127.0.0.1:2/rings?sentinel_password=hydrangea",
            "at 127.0.0.1:1, 127.0.0.1:2 (Sentinel of rings) (No master found for 'rings')",
        ),
    ],
)
def test_the_address_that_does_not_answer_is_named_without_its_password(url: str, address: str) -> None:
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
        ring = Ring(connect(f"redis+sentinel://:{PASSWORD}@{LOOPBACK}:{watching.port}/{MASTER}/1?sentinel_password=hydrangea"))
        ring.seed(7, None, "9f3c", Roster(1, 1, 0, (11,)), 1, Turns())
        ring.close()

    with Redis(LOOPBACK, locked.port, db=1, password=PASSWORD) as client:
        assert client.exists("{pool:7}:ring")


def test_a_cluster_is_spoken_to_over_tls_when_its_address_says_so() -> None:
    with socket.create_server((LOOPBACK, 0)) as listener, ThreadPoolExecutor(1) as thread:
        first_byte = thread.submit(first_byte_heard, listener)
        ring = Ring(connect(f"rediss+cluster://{LOOPBACK}:{listener.getsockname()[1]}"))

        with pytest.raises(RingUnreachable):
            ring.ping()

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
