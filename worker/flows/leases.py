"""Work on lease: whoever is on it says now and then that they still are, and why it waits if it
couldn't be done."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from worker.errors.base import Unavailable
from worker.errors.turns import EmptyPool, UnknownPool
from worker.flows.system import System
from worker.store import leases
from worker.store.leases import LeasedWork

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 3.0

LEASE_SECONDS = 12.0
"""After so long without a sign of life the work is given to another worker. A few heartbeats may be
late or lost."""

LONGEST_REASON_CHARACTERS = 300

PAUSE_SECONDS = 2.0
"""How long work is left alone after something went wrong with it."""


@contextmanager
def on_lease(system: System, work: LeasedWork, holder: str) -> Iterator[None]:
    """Keeps a lease while the block runs, and ends it when the block fails. An attempt that failed
    for lack of a server or of members doesn't count; anything else does, and is noted."""
    try:
        with beating(lambda: system.transact(leases.extend, work, holder, LEASE_SECONDS)):
            yield
    except (Unavailable, EmptyPool, UnknownPool) as obstacle:
        reason = str(obstacle)
        system.transact(leases.release, work, holder, reason)
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".partition("\n")[0][:LONGEST_REASON_CHARACTERS]
        system.transact(leases.fail, work, holder, reason, PAUSE_SECONDS)
        raise


@contextmanager
def beating(beat: Callable[[], object]) -> Iterator[None]:
    """Calls beat every few seconds while the block runs, from a thread of its own that stops when
    the process is stopped or killed.

    The block ends outside of a transaction: on SQLite a beat would have to wait for that, and the
    end of the block for the beat.
    """
    done = Event()

    def run() -> None:
        while not done.wait(HEARTBEAT_SECONDS):
            try:
                beat()
            except Exception as error:
                logger.warning("a heartbeat failed: %s: %s", type(error).__name__, error)

    thread = Thread(target=run, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
