"""The API as a process of its own, over real servers."""

import http.client
import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from tests.support.servers import program
from worker.flows.people import access, people
from worker.store.sql.engine import open_engine, writing
from worker.store.sql.migrate import migrate

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def get(port: int, path: str, token: str = "0" * 64) -> tuple[int, Any]:
    """The status and the JSON of an answer."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=30)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def new_token(engine: Engine) -> str:
    with writing(engine) as session:
        return access.issue(
            session, people.add(session, "Ann", "ann@example.com").id, "tests"
        ).token


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


@contextmanager
def api(folder: Path, **settings: str) -> Iterator[int]:
    """The port of an API that is a process of its own within the block."""
    port = free_port()
    environment = {**os.environ, "EVENHAND_HOME": str(folder), **settings}
    with program(
        [sys.executable, "-m", "worker", "api", "--port", str(port)],
        folder / "api.log",
        lambda: listens(port),
        env=environment,
    ):
        yield port
    assert "Traceback" not in (folder / "api.log").read_text()


def test_health_tells_of_missing_tables_until_they_are_there(
    valkey_url: str, tmp_path: Path
) -> None:
    database, broker = (
        f"sqlite:///{tmp_path / 'evenhand.db'}",
        valkey_url.replace("unix://", "redis+socket://"),
    )
    engine = open_engine(database)

    with api(
        tmp_path,
        EVENHAND_DATABASE_URL=database,
        EVENHAND_REDIS_URL=valkey_url,
        EVENHAND_BROKER_URL=broker,
    ) as port:
        unmigrated, refused = get(port, "/healthz"), get(port, "/api/users")
        migrate(engine)
        well, served = get(port, "/healthz"), get(port, "/api/pools", new_token(engine))
    engine.dispose()

    assert unmigrated == (
        503,
        {
            "status": "unavailable",
            "database": "database_not_migrated",
            "ring": "ok",
            "broker": "ok",
        },
    )
    assert (refused[0], refused[1]["errors"][0]["error"]["code"]) == (503, "database_not_migrated")
    assert well == (200, {"status": "ok", "database": "ok", "ring": "ok", "broker": "ok"})
    assert served == (200, [])


def test_health_tells_that_no_redis_runs(sqlite_url: str, tmp_path: Path) -> None:
    with api(tmp_path, EVENHAND_DATABASE_URL=sqlite_url) as port:
        answer = get(port, "/healthz")

    expected = {
        "status": "unavailable",
        "database": "ok",
        "ring": "ring_unreachable",
        "broker": "broker_unreachable",
    }
    assert answer == (503, expected)
