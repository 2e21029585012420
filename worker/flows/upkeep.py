"""Upkeep: finds work that nobody carries on and sends it again. Safe to run anywhere, at any time, and several times at once."""

import logging
from datetime import timedelta
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.flows.system import System
from worker.queue import enqueue
from worker.store import imports, runs
from worker.store.clock import now

logger = logging.getLogger(__name__)

STILL_SECONDS = 15.0
"""A run that shows no progress for so long is taken to have lost its tasks. Each time they are sent again it is given twice as long: they
may only wait behind others, or for a worker, and copies would fill the broker."""

MOST_DOUBLINGS = 8


def sweep(system: System) -> int:
    """Sends again what was lost, and returns how many tasks that was."""
    with system.reading() as session:
        idle = not _still(session) and not imports.expired(session)
    return 0 if idle else system.transact(_send_again)


def _still(session: Session) -> list[Row[Any]]:
    """The runs whose tasks were lost, as far as one can tell."""
    return [run for run in runs.still_since(session, STILL_SECONDS) if now() - run.moved_at > _patience(run)]


def _patience(run: Row[Any]) -> timedelta:
    return timedelta(seconds=STILL_SECONDS * 2 ** min(run.resent, MOST_DOUBLINGS))


def _send_again(session: Session) -> int:
    sent = 0
    for run_id, number in imports.expired(session):
        logger.warning("run %d: the worker of chunk %d vanished; sending it again", run_id, number)
        imports.release(session, run_id, number)
        enqueue(session, "imports.load_chunk", run=run_id, chunk=number)
        sent += 1
    for run in _still(session):
        logger.warning("run %d shows no progress; sending its tasks again", run.id)
        runs.change(session, run.id, resent=run.resent + 1)
        sent += _continue(session, run)
    return sent


def _continue(session: Session, run: Row[Any]) -> int:
    if run.state in ("accepted", "scanning"):
        enqueue(session, "imports.scan", run=run.id)
        return 1
    if run.chunks_left == 0:
        enqueue(session, "imports.close", run=run.id)
        return 1
    waiting = imports.waiting(session, run.id)
    for number in waiting:
        enqueue(session, "imports.load_chunk", run=run.id, chunk=number)
    return len(waiting)
