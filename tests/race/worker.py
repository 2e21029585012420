"""A worker as a process of its own: takes tasks from a list in Redis and runs them, until it is
told to stop.

Its arguments are the addresses of the database, of Redis and of the uploads.
"""

import json
import sys
from collections.abc import Iterable

from redis import Redis

from tests.support.tasks import run
from worker.flows.system import System
from worker.queue import Task
from worker.ring import Ring
from worker.ring.client import connect
from worker.store.sql.engine import open_engine
from worker.uploads import Uploads

TASKS = "tests:tasks"
STOP = "stop"
PATIENCE_SECONDS = 60


class RedisTasks:
    """A way to send: each task is delivered twice."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    def __call__(self, tasks: Iterable[Task]) -> None:
        for task in tasks:
            text = json.dumps(task)
            self._client.rpush(TASKS, text, text)


def work(database_url: str, redis_url: str, uploads_url: str) -> None:
    client = Redis.from_url(redis_url, decode_responses=True)
    system = System(
        open_engine(database_url),
        Ring(connect(redis_url)),
        Uploads(uploads_url),
        RedisTasks(client),
    )
    while (text := client.blpop([TASKS], PATIENCE_SECONDS)[1]) != STOP:  # type: ignore[index]
        run(system, Task(*json.loads(text)))


if __name__ == "__main__":
    work(*sys.argv[1:])
