"""The system that every story works on, and the one place that commits."""

import atexit
import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cache
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Engine
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from worker import queue
from worker.errors.turns import Refused, RingError, Stale, StillRefused, Unseeded
from worker.flows.turns import seed
from worker.flows.unit import Unit
from worker.ring import Ring
from worker.settings import Settings, settings
from worker.store.people import users
from worker.store.sql import engine as engines
from worker.store.turns import seedings
from worker.uploads import Uploads

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")

ATTEMPTS = 12
LONGEST_PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class System:
    """One database, one ring server, one folder of uploads, and the way to Celery's queues."""

    engine: Engine
    ring: Ring
    uploads: Uploads
    send: Callable[[Iterable[queue.Task]], None] = field(default=queue.send)

    def close(self) -> None:
        """Gives back all connections."""
        self.engine.dispose()
        self.ring.close()

    def ping_database(self) -> None:
        """Reads a table. Raises DatabaseUnreachable, and DatabaseNotMigrated if it is missing."""
        with self.reading() as unit:
            users.find(unit, 0)

    def reading(self) -> AbstractContextManager[Unit]:
        """A unit that only reads."""
        return engines.begin(Unit(engines.snapshot_of(self.engine), self.ring))

    def transact(
        self,
        work: Callable[Concatenate[Unit, Arguments], Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """Calls `work(unit, ...)` in one transaction, commits it, and sends the tasks that it
        noted.

        If the fence refuses the ring's answer, or the ring has no state, this seeds the ring from
        the ledger and calls `work` again. It also retries after a deadlock. `work` may run several
        times before it commits, so it must touch nothing but the unit.

        Raises StillRefused after the last attempt.
        """
        attempts = Retrying(
            retry=retry_if_exception(_worth_another),
            before_sleep=self._repair,
            wait=wait_random_exponential(multiplier=0.01, max=LONGEST_PAUSE_SECONDS),
            stop=stop_after_attempt(ATTEMPTS),
            reraise=True,
        )
        try:
            result, tasks = attempts(self._once, work, *args, **kwargs)
        except (Refused, Unseeded, Stale) as error:
            raise StillRefused(
                pool_id=error.facts["pool_id"], attempts=ATTEMPTS, reason=error
            ) from error
        self.send(tasks)
        return result

    def _once(
        self,
        work: Callable[Concatenate[Unit, Arguments], Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> tuple[Result, list[queue.Task]]:
        with engines.begin(Unit(self.engine, self.ring)) as unit:
            result = work(unit, *args, **kwargs)
        return result, queue.list_noted(unit)

    def _repair(self, attempt: RetryCallState) -> None:
        error = attempt.outcome.exception() if attempt.outcome else None
        if not isinstance(error, RingError):
            return
        pool_id = error.facts["pool_id"]
        try:
            with engines.begin(Unit(self.engine, self.ring)) as unit:
                seed.seed(unit, pool_id, error.facts.get("epoch"), str(error))
                if isinstance(error, Refused):
                    seedings.count_refusal(unit, pool_id)
        except Stale as faster:
            logger.info("%s: somebody was faster", faster)


def _worth_another(error: BaseException) -> bool:
    return isinstance(error, Refused | Unseeded | Stale) or engines.is_transient(error)


def open_system(given: Settings) -> System:
    """The system that the settings describe. Nothing is connected yet."""
    given.home.mkdir(parents=True, exist_ok=True)
    return System(
        engines.open_engine(given.database_url),
        Ring(given.redis_url),
        Uploads(given.uploads_url),
    )


@cache
def system() -> System:
    """The system of this process, closed at its end."""
    opened = open_system(settings())
    atexit.register(opened.close)
    return opened
