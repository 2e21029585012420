"""A request's id goes with it: into the log of the API, into its tasks, and into the log of the
worker that runs them."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from redis import Redis

from tests.api.asking import LEADS
from tests.api.test_server import api
from tests.crash.rig import sender
from tests.support.factories import pool, token_of
from tests.support.servers import program, wait_until
from worker.flows.system import open_system
from worker.queue import Task
from worker.settings import LOOPBACK, Settings

DONE = re.compile(r"\] (\[.+?\] )?Task (\S+)\[\S+\] succeeded")


@pytest.fixture
def addresses(sqlite_url: str, valkey_url: str, valkey: Redis, tmp_path: Path) -> dict[str, str]:
    """Where an API and a worker find their servers: an empty Valkey, and a database with a pool in
    it."""
    assert not valkey.dbsize()
    broker = valkey_url.replace("unix://", "redis+socket://")
    system = open_system(Settings(home=tmp_path, database_url=sqlite_url, redis_url=valkey_url))
    pool(system)
    system.close()
    return {
        "EVENHAND_DATABASE_URL": sqlite_url,
        "EVENHAND_REDIS_URL": valkey_url,
        "EVENHAND_BROKER_URL": broker,
    }


@pytest.fixture
def token(addresses: dict[str, str], tmp_path: Path) -> str:
    system = open_system(Settings(home=tmp_path, database_url=addresses["EVENHAND_DATABASE_URL"]))
    issued = token_of(system, "a@example.com")
    system.close()
    return issued


@contextmanager
def worker(folder: Path, **addresses: str) -> Iterator[Path]:
    """The log of a worker that is a process of its own within the block."""
    log, environment = (
        folder / "worker.log",
        {**os.environ, "EVENHAND_HOME": str(folder), **addresses},
    )
    with program(
        [sys.executable, "-m", "worker", "worker", "--processes", "1"],
        log,
        lambda: " ready." in log.read_text(),
        env=environment,
    ):
        yield log


def done(log: Path) -> list[tuple[str, str]]:
    """The request's mark and the name of each task that went well, in order."""
    return DONE.findall(log.read_text())


def test_a_request_s_id_shows_in_the_log_of_the_api_and_in_those_of_its_tasks(
    addresses: dict[str, str], token: str, tmp_path: Path
) -> None:
    send = sender(addresses["EVENHAND_BROKER_URL"])

    with api(tmp_path, **addresses) as port, worker(tmp_path, **addresses) as log:
        files, headers = (
            {"file": ("leads.csv", LEADS)},
            {"X-Request-Id": "abc", "Authorization": f"Bearer {token}"},
        )
        answer = httpx2.post(
            f"http://{LOOPBACK}:{port}/api/imports",
            files=files,
            data={"owner": "Inbound"},
            headers=headers,
        )
        wait_until(lambda: len(done(log)) == 3, "the import's tasks")
        send([Task("upkeep.sweep", {})])
        wait_until(lambda: len(done(log)) == 4, "a task that no request has asked for")

    assert answer.headers["x-request-id"] == "abc"
    assert re.search(
        r'\[abc\] \S+ - "POST /api/imports HTTP/1.1" 202', (tmp_path / "api.log").read_text()
    )
    imported = [("[abc] ", f"imports.{step}") for step in ("scan", "load_chunk", "close")]
    assert done(log) == [*imported, ("", "upkeep.sweep")]
