"""Upkeep: finds work that nobody carries on and sends it again. Safe to run anywhere, at any time, and several times at once."""

import logging
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.flows.system import System
from worker.queue import enqueue
from worker.store import imports, runs

logger = logging.getLogger(__name__)

STILL_SECONDS = 15.0
"""A run that shows no progress for so long has lost its tasks."""


def sweep(system: System) -> int:
    """Sends again what was lost, and returns how many tasks that was."""
    with system.reading() as session:
        idle = not runs.still_since(session, STILL_SECONDS) and not imports.expired(session)
    return 0 if idle else system.transact(_send_again)


def _send_again(session: Session) -> int:
    sent = 0
    for run_id, number in imports.expired(session):
        logger.warning("run %d: the worker of chunk %d vanished; sending it again", run_id, number)
        imports.release(session, run_id, number)
        enqueue(session, "imports.load_chunk", run=run_id, chunk=number)
        sent += 1
    for run in runs.still_since(session, STILL_SECONDS):
        logger.warning("run %d shows no progress; sending its tasks again", run.id)
        runs.change(session, run.id)
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
