"""An access token may make so many requests; nobody is refused because Redis is away."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from fastapi import FastAPI
from redis import Redis
from starlette.testclient import TestClient

from api_stub.limits import RateLimit, Standing, get_rate_limit
from tests.api.asking import refusal
from tests.support.servers import short_folder, wait_until
from worker.ring.rate_counters import Counts
from worker.settings import LOOPBACK
from worker.stack.server import EmbeddedServer

HOUR = 3600
HALF_PAST = 500_000 * HOUR + HOUR / 2
LONG = 60.0
HEADERS = ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "retry-after")


class Clock:
    """The time, as a test says."""

    def __init__(self) -> None:
        self.now = HALF_PAST

    def __call__(self) -> float:
        return self.now


@contextmanager
def counts(url: str) -> Iterator[Counts]:
    counting = Counts(url)
    yield counting
    counting.close()


@contextmanager
def limit_at(url: str, text: str = "3/hour", rest_seconds: float = LONG) -> Iterator[RateLimit]:
    """A limit that is counted at the address. It is half past."""
    with counts(url) as counting:
        yield RateLimit(text, counting, rest_seconds, Clock())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counting(valkey_url: str, valkey: Redis) -> Iterator[Counts]:
    """Counts in a Valkey that holds nothing yet."""
    assert not valkey.dbsize()
    with counts(valkey_url) as made:
        yield made


# --- counting ---


def test_each_request_leaves_one_less_and_the_one_too_many_exceeds_the_limit(
    counting: Counts, clock: Clock
) -> None:
    limit = RateLimit("3/hour", counting, now=clock)

    standings = [limit.hit(7) for _ in range(5)]

    assert standings == [Standing(3, remaining, HOUR // 2) for remaining in (2, 1, 0, -1, -2)]
    assert [standing.exceeded for standing in standings if standing] == [
        False,
        False,
        False,
        True,
        True,
    ]


def test_every_token_has_its_own_count(counting: Counts, clock: Clock) -> None:
    limit = RateLimit("3/hour", counting, now=clock)
    limit.hit(7)

    assert limit.hit(8) == Standing(3, 2, HOUR // 2)


def test_a_new_hour_begins_anew(counting: Counts, clock: Clock) -> None:
    limit = RateLimit("3/hour", counting, now=clock)
    limit.hit(7)
    clock.now += HOUR / 2 - 0.5
    last = limit.hit(7)
    clock.now += 0.5

    assert last == Standing(3, 1, 1)
    assert limit.hit(7) == Standing(3, 2, HOUR)


def test_all_processes_count_together(valkey_url: str, counting: Counts, clock: Clock) -> None:
    RateLimit("3/hour", counting, now=clock).hit(7)

    with counts(valkey_url) as elsewhere:
        assert RateLimit("3/hour", elsewhere, now=clock).hit(7) == Standing(3, 1, HOUR // 2)


def test_of_several_limits_the_nearest_is_told(counting: Counts, clock: Clock) -> None:
    limit = RateLimit("2/minute, 3/hour", counting, now=clock)

    first, second, third = (limit.hit(7) for _ in range(3))
    clock.now += 60

    assert [first, second, third] == [Standing(2, 1, 60), Standing(2, 0, 60), Standing(2, -1, 60)]
    assert limit.hit(7) == Standing(3, -1, HOUR // 2 - 60)


def test_a_count_is_forgotten_by_itself_and_bears_its_own_prefix(
    counting: Counts, valkey: Redis, clock: Clock
) -> None:
    limit = RateLimit("2/minute, 3/hour", counting, now=clock)
    for _ in range(4):
        limit.hit(7)

    lives = {str(key): valkey.ttl(key) for key in valkey.scan_iter()}

    assert all(
        0 < life <= period for life, period in zip(sorted(lives.values()), (60, HOUR), strict=True)
    )
    assert all(key.startswith("evenhand:limit:") for key in lives)


def test_a_request_is_counted_by_one_question(
    counting: Counts, valkey: Redis, clock: Clock
) -> None:
    limit = RateLimit("3/hour", counting, now=clock)
    limit.hit(7)
    valkey.config_resetstat()

    for _ in range(5):
        limit.hit(7)

    calls = {name: told["calls"] for name, told in valkey.info("commandstats").items()}
    assert calls.pop("cmdstat_config|resetstat") == 1
    assert calls == {"cmdstat_evalsha": 5, "cmdstat_incrby": 5}


# --- a Redis that is away ---


@contextmanager
def listener(answer: bytes | None) -> Iterator[tuple[str, list[socket.socket]]]:
    """The address of something that is no Redis: it gives the same answer to everybody, or none;
    and the connections to it."""
    connections: list[socket.socket] = []

    def listen() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            connections.append(connection)
            if answer is not None:
                connection.sendall(answer)

    with socket.create_server((LOOPBACK, 0)) as listening:
        thread = Thread(target=listen)
        thread.start()
        try:
            yield f"redis://{LOOPBACK}:{listening.getsockname()[1]}", connections
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()
    for connection in connections:
        connection.close()


@pytest.mark.parametrize(
    "answer",
    [None, b"HTTP/1.1 400 Bad Request\r\n\r\n", b"+\xff\xfe\r\n" * 20, b"*1\r\n$-7\r\n" * 20],
)
def test_requests_pass_when_what_answers_is_silent_or_no_redis(answer: bytes | None) -> None:
    with listener(answer) as (url, _), limit_at(url) as limit:
        assert limit.hit(7) is None


def test_a_redis_that_does_not_answer_is_not_asked_again_for_a_while(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with listener(None) as (url, connections), limit_at(url) as limit:
        began = time.monotonic()
        standings = [limit.hit(7) for _ in range(100)]
        took = time.monotonic() - began

    assert standings == [None] * 100
    assert len(connections) == 1
    assert took < 2
    assert len(caplog.records) == 1
    assert "requests pass uncounted until the rings' Redis is back" in caplog.text


def test_a_redis_that_stays_away_is_worth_one_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with limit_at(f"unix://{tmp_path}/nobody.sock", rest_seconds=0) as limit:
        assert [limit.hit(7) for _ in range(3)] == [None] * 3

    assert len(caplog.records) == 1


def test_a_count_that_somebody_else_has_written_over_stops_nobody(
    counting: Counts, valkey: Redis, clock: Clock
) -> None:
    limit = RateLimit("3/hour", counting, now=clock)
    limit.hit(7)
    valkey.set(next(valkey.scan_iter()), "nonsense")

    assert limit.hit(7) is None


def test_requests_are_counted_again_when_redis_is_back(caplog: pytest.LogCaptureFixture) -> None:
    with short_folder() as folder, limit_at(f"unix://{folder}/v.sock", rest_seconds=0.2) as limit:
        server = EmbeddedServer(folder / "v.sock", folder / "valkey", folder / "log")
        assert limit.hit(7) is None
        server.start()
        try:
            assert wait_until(lambda: limit.hit(7), "a count") == Standing(3, 2, HOUR // 2)
            assert limit.hit(7) == Standing(3, 1, HOUR // 2)
            server.kill()
            assert limit.hit(7) is None
        finally:
            server.stop()

    assert len(caplog.records) == 2


def test_a_redis_that_forgot_everything_counts_on(
    counting: Counts, valkey: Redis, clock: Clock
) -> None:
    limit = RateLimit("3/hour", counting, now=clock)
    limit.hit(7)
    valkey.flushall()
    valkey.script_flush()

    assert limit.hit(7) == Standing(3, 2, HOUR // 2)


# --- what is answered ---


def told(answer: Any) -> tuple[int, list[str]]:
    return answer.status_code, [answer.headers.get(name, "") for name in HEADERS]


def limited_to(app: FastAPI, limit: RateLimit) -> None:
    app.dependency_overrides[get_rate_limit] = lambda: limit


def test_every_answer_tells_how_the_token_stands_and_the_last_one_when_to_come_again(
    app: FastAPI, client: TestClient, counting: Counts, clock: Clock
) -> None:
    limited_to(app, RateLimit("4/hour", counting, now=clock))

    answers = [
        client.get(path)
        for path in (
            "/v2/users/self",
            "/api/users",
            "/v2/leads/99",
            "/v2/leads?colour=red",
            "/v2/users/self",
        )
    ]

    assert [told(answer) for answer in answers] == [
        (200, ["4", "3", "1800", ""]),
        (200, ["4", "2", "1800", ""]),
        (404, ["4", "1", "1800", ""]),
        (400, ["4", "0", "1800", ""]),
        (429, ["4", "0", "1800", "1800"]),
    ]
    assert refusal(answers[-1])[1] == "rate_limit_exceeded"
    assert "its 4 requests. Come again in 1800 s." in refusal(answers[-1])[2]


def test_tokens_are_counted_apart(
    app: FastAPI, client: TestClient, member: TestClient, counting: Counts, clock: Clock
) -> None:
    limited_to(app, RateLimit("1/hour", counting, now=clock))

    assert [api.get("/v2/users/self").status_code for api in (client, member, client)] == [
        200,
        200,
        429,
    ]


def test_a_request_without_a_token_is_not_limited(
    app: FastAPI, stranger: TestClient, counting: Counts, clock: Clock
) -> None:
    limited_to(app, RateLimit("1/hour", counting, now=clock))

    assert [
        told(stranger.get(path)) for path in ("/v2/users/self", "/api/users", "/openapi.json")
    ] == [
        (401, [""] * 4),
        (401, [""] * 4),
        (200, [""] * 4),
    ]


def test_an_answer_says_nothing_of_a_limit_that_nobody_counts(
    app: FastAPI, client: TestClient, tmp_path: Path
) -> None:
    with limit_at(f"unix://{tmp_path}/nobody.sock") as limit:
        limited_to(app, limit)

        assert told(client.get("/v2/users/self")) == (200, [""] * 4)
