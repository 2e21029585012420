"""Work on lease: a worker says every few seconds that it is still at it, and notes the reason if it
fails."""

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
"""After this time without a heartbeat another worker may take the work over. A few heartbeats may
be late or lost."""

LONGEST_REASON_CHARACTERS = 300

PAUSE_SECONDS = 2.0
"""How long work is left alone after something went wrong with it."""


@contextmanager
def on_lease(system: System, work: LeasedWork, holder: str) -> Iterator[None]:
    """Keeps a lease while the block runs, and ends it if the block fails. Notes the reason. An
    attempt doesn't count if it failed for want of a server or of members."""
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
    """Calls beat every few seconds while the block runs, in a thread of its own that ends with the
    process.

    The block must not end inside a transaction: on SQLite the beat would wait for the transaction,
    and the end of the block for the beat.
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
