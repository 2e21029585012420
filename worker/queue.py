"""Tasks by name. A session notes them, and they are sent after its commit, or never.

Functions import Celery, because most commands never send a task and it is slow to import.
"""

import logging
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from worker.errors.servers import BrokerUnreachable

logger = logging.getLogger(__name__)

_NOTED = "tasks"


class Task(NamedTuple):
    """A task's name, such as imports.load_chunk, and its arguments: ids, never objects."""

    name: str
    arguments: dict[str, Any]


def enqueue(session: Session, name: str, /, **arguments: Any) -> None:
    """Notes a task, which `send` sends after the session has committed."""
    session.info.setdefault(_NOTED, []).append(Task(name, arguments))


def list_noted(session: Session) -> list[Task]:
    """Returns the tasks that a session has noted, in order."""
    return list(session.info.get(_NOTED, ()))


def send(tasks: Iterable[Task]) -> None:
    """Sends tasks. If the broker is away, this logs a warning and raises nothing: the work stands
    in SQL, and upkeep sends its tasks again."""
    waiting = list(tasks)
    if not waiting:
        return
    from kombu.exceptions import OperationalError

    from worker.app import app, producers

    try:
        with producers().acquire(block=True) as producer:
            for task in waiting:
                app.send_task(task.name, kwargs=task.arguments, producer=producer, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("the broker doesn't answer (%s); upkeep will send what waits", error)


def ping() -> None:
    """Raises BrokerUnreachable when the broker doesn't answer."""
    from kombu.exceptions import OperationalError

    from worker.app import app

    try:
        with app.connection(connect_timeout=2) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=2)
    except (OperationalError, OSError) as error:
        raise BrokerUnreachable(address=app.connection().as_uri(), reason=error) from error
