"""Whoever sends a body too slowly is told so, and doesn't hold a connection for ever."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import takewhile
from threading import Thread
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from api_stub.app import create_app
from api_stub.middleware import BodyTimeout
from tests.support.servers import wait_until
from worker.stack.api import OPTIONS

REQUEST = (
    b"POST /api/users HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: "
    b"100\r\n"
)
WHOLE = {"type": "http.request", "body": b"{}", "more_body": False}


@pytest.fixture
def request_head(client: TestClient) -> bytes:
    """The head of an admin's request whose body is to come."""
    return REQUEST + f"Authorization: {client.headers['Authorization']}\r\n\r\n".encode()


@contextmanager
def served(app: FastAPI, seconds: float, idle_seconds: int = 60) -> Iterator[socket.socket]:
    """A connection to the API, which waits for so long for the next part of a body, and for a
    request."""
    options = {**OPTIONS, "timeout_keep_alive": idle_seconds}
    server = uvicorn.Server(uvicorn.Config(BodyTimeout(app, seconds), port=0, **options))
    thread = Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started, "the server")
    try:
        with socket.create_connection(
            server.servers[0].sockets[0].getsockname(), timeout=30
        ) as connection:
            yield connection
    finally:
        server.should_exit = True
        thread.join()


def everything(connection: socket.socket) -> str:
    """All that comes until the other side closes."""
    return b"".join(iter(lambda: connection.recv(2**16), b"")).decode()


@pytest.mark.parametrize("beginning", [b"", b'{"name": '])
def test_a_body_that_does_not_come_ends_the_request_and_the_connection(
    app: FastAPI, request_head: bytes, beginning: bytes
) -> None:
    with served(app, seconds=0.2) as connection:
        connection.sendall(request_head + beginning)

        answer = everything(connection)

    assert answer.startswith("HTTP/1.1 408 ")
    assert "request_timeout" in answer
    assert "within 0.2 s" in answer
    assert "connection: close" in answer


@pytest.mark.parametrize("beginning", [b"", REQUEST[:20]])
def test_a_connection_on_which_no_request_comes_is_closed(beginning: bytes) -> None:
    with served(create_app(), seconds=60, idle_seconds=1) as connection:
        connection.sendall(beginning)

        assert everything(connection) == ""


@pytest.mark.parametrize("beginning", [b"", REQUEST[:20]])
def test_a_connection_on_which_no_other_request_follows_is_closed(beginning: bytes) -> None:
    with served(create_app(), seconds=60, idle_seconds=1) as connection:
        connection.sendall(b"GET /nothing HTTP/1.1\r\nHost: here\r\n\r\n")
        answer = ""
        while "incorrect_path" not in answer:
            answer += connection.recv(2**16).decode()
        connection.sendall(beginning)

        assert "HTTP" not in everything(connection)


def test_headers_that_come_one_by_one_are_not_waited_for_longer() -> None:
    with served(create_app(), seconds=60, idle_seconds=1) as connection:
        connection.settimeout(0.1)
        sent = list(
            takewhile(
                lambda byte: still_open(connection, byte),
                (REQUEST[at : at + 1] for at in range(len(REQUEST))),
            )
        )

    assert 0 < len(sent) < len(REQUEST)


def still_open(connection: socket.socket, more: bytes) -> bool:
    """Sends more, and sees in the time that the connection is given whether the other side closes
    it."""
    try:
        connection.sendall(more)
        return connection.recv(1) != b""
    except TimeoutError:
        return True
    except OSError:
        return False


def test_a_request_may_take_longer_than_a_connection_is_kept_without_one(
    app: FastAPI, request_head: bytes
) -> None:
    with served(app, seconds=2, idle_seconds=1) as connection:
        connection.sendall(request_head)

        assert everything(connection).startswith("HTTP/1.1 408 ")


def received(messages: list[tuple[float, dict[str, Any]]], seconds: float) -> list[Any]:
    """What an app is given that asks for as many messages as there are, when each takes so long to
    come."""
    coming, got = iter(messages), []

    async def receive() -> Any:
        pause, message = next(coming)
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await asyncio.Event().wait()
        return message

    async def app(_: Any, receive: Any, __: Any) -> None:
        got.extend([await receive() for _ in messages])

    timed = BodyTimeout(app, seconds)
    asyncio.run(timed({"type": "http"}, receive, receive))  # type: ignore[arg-type]
    return got


def test_a_body_may_take_its_time_as_long_as_its_parts_come() -> None:
    part = {"type": "http.request", "body": b"{", "more_body": True}

    assert received([(1.2, part), (1.2, part), (0, WHOLE)], seconds=2) == [part, part, WHOLE]


def test_an_answer_may_take_longer_than_a_body() -> None:
    gone = {"type": "http.disconnect"}

    assert received([(0, WHOLE), (0.3, gone)], seconds=0.1) == [WHOLE, gone]
