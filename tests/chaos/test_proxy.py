"""The proxy in front of a real server, in each of its modes."""

from collections.abc import Iterator
from contextlib import closing
from urllib.parse import unquote

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Lost
from redis.exceptions import TimeoutError as Silent
from redis.retry import Retry

from tests.support.servers import wait_until
from worker.chaos.proxy import Mode, Proxy
from worker.settings import LOOPBACK

PATIENCE_SECONDS = 0.3
PATIENT_SECONDS = 10.0


@pytest.fixture(params=["unix socket", "TCP"])
def proxy(request: pytest.FixtureRequest, valkey_url: str, valkey: Redis) -> Iterator[Proxy]:
    """In front of a server that holds nothing yet, which it reaches over either kind of address."""
    direct = Proxy(unquote(valkey_url.removeprefix("unix://")))
    made = direct if request.param == "unix socket" else Proxy((LOOPBACK, direct.port))
    with closing(direct), closing(made):
        yield made


@pytest.fixture
def client(proxy: Proxy) -> Iterator[Redis]:
    """Impatient, over one connection that is open already."""
    with client_of(proxy, PATIENCE_SECONDS) as made:
        assert made.ping()
        yield made


def client_of(proxy: Proxy, seconds: float) -> Redis:
    return Redis(
        LOOPBACK,
        proxy.port,
        socket_timeout=seconds,
        retry=Retry(NoBackoff(), 0),
        single_connection_client=True,
        protocol=2,
    )


def test_what_passes_is_not_changed(client: Redis) -> None:
    large = bytes(range(256)) * 4096

    client.set("large", large)

    assert client.get("large") == large


def test_a_dropped_reply_ends_the_connection_of_a_command_that_was_carried_out(
    proxy: Proxy, client: Redis, valkey: Redis
) -> None:
    proxy.switch(Mode.DROP_REPLIES)

    with pytest.raises(Lost):
        client.incr("turn")

    assert valkey.get("turn") == "1"


def test_a_swallowed_reply_leaves_the_caller_of_a_command_that_was_carried_out_waiting(
    proxy: Proxy, client: Redis, valkey: Redis
) -> None:
    proxy.switch(Mode.SWALLOW_REPLIES)

    with pytest.raises(Silent):
        client.incr("turn")

    assert valkey.get("turn") == "1"


def test_a_connection_that_lost_an_answer_is_ended_lest_the_next_be_taken_for_it(
    proxy: Proxy, valkey: Redis
) -> None:
    with client_of(proxy, PATIENT_SECONDS) as patient:
        patient.connection.send_command("INCR", "turn")
        proxy.switch(Mode.PASS)
        assert patient.connection.read_response() == 1
        proxy.switch(Mode.SWALLOW_REPLIES)
        patient.connection.send_command("INCR", "turn")
        wait_until(lambda: valkey.get("turn") == "2", "the command to arrive")
        wait_until(
            lambda: any(pair.lost_an_answer for pair in proxy._open), "the answer to be swallowed"
        )

        proxy.switch(Mode.PASS)

        with pytest.raises(Lost):
            patient.connection.read_response()
        assert patient.incr("turn") == 3


def test_nothing_moves_in_a_black_hole_and_what_was_sent_arrives_late(
    proxy: Proxy, client: Redis, valkey: Redis
) -> None:
    proxy.switch(Mode.BLACK_HOLE)

    with pytest.raises(Silent):
        client.incr("turn")
    assert valkey.get("turn") is None

    proxy.switch(Mode.PASS)
    wait_until(lambda: valkey.get("turn") == "1", "the command to arrive")


def test_a_connection_made_into_a_black_hole_is_served_when_it_is_gone(proxy: Proxy) -> None:
    proxy.switch(Mode.BLACK_HOLE)
    with pytest.raises(Silent):
        client_of(proxy, PATIENCE_SECONDS)  # which connects at once

    proxy.switch(Mode.PASS)

    with client_of(proxy, PATIENT_SECONDS) as patient:
        assert patient.ping()


def test_a_cut_wire_ends_connections_and_takes_no_new_ones(proxy: Proxy, client: Redis) -> None:
    proxy.switch(Mode.CUT)

    for _ in ("the one that was open", "a new one"):
        with pytest.raises(Lost):
            client.ping()

    proxy.switch(Mode.PASS)
    assert client.ping()
