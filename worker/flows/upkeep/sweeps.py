"""Upkeep: finds work that nobody carries on and sends it again. Safe to run anywhere, at any time,
and several times at once."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy.orm import Session

from worker.domain.runs.runs import RUN_TASKS, RunState
from worker.flows.intake.capture import find_obstacle
from worker.flows.system import System
from worker.queue import enqueue
from worker.store import leases
from worker.store.intake import captures, enrichment
from worker.store.intake.captures import LongLine
from worker.store.runs import chunks, runs
from worker.store.runs.chunks import UndoneChunk
from worker.store.runs.runs import Run
from worker.store.sql.clock import now

logger = logging.getLogger(__name__)

STILL_SECONDS = 15.0
"""A run that shows no progress for so long is taken to have lost its tasks. Each time they are sent
again it is given twice as long: they may only wait behind others, or for a worker, and copies would
fill the broker."""

MOST_DOUBLINGS = 8

WAITING_SECONDS = 4.0
"""After so long a captured lead, or a lookup that is due, is taken to have lost its task."""

DIED = f"its worker died each of the {leases.MOST_ATTEMPTS} times that it was tried"


class Repair(NamedTuple):
    """Something that wasn't in order, and what was done about it."""

    what: str
    did: str


def sweep(system: System) -> list[Repair]:
    """Carries on what was left lying, and sets aside what was tried too often. Says what it found."""
    with system.reading() as session:
        idle = not any(_signs(session))
    found = [] if idle else system.transact(_carry_on)
    for what, did in found:
        logger.warning("%s: %s", what, did)
    return found


def _signs(session: Session) -> Iterator[object]:
    """What tells, by reading alone, that there may be something to do."""
    for work in (runs.all_work(), chunks.all_work(), captures.all_work(), enrichment.all_work()):
        yield leases.any_over(session, work)
    yield _still(session)
    yield chunks.list_stuck(session)
    yield _in_line(session)
    yield enrichment.due_since(session, WAITING_SECONDS)


def _carry_on(session: Session) -> list[Repair]:
    return [
        *_worn_out(session),
        *_vanished(session),
        *_lost(session),
        *_waiting(session),
        *_due(session),
    ]


def _worn_out(session: Session) -> Iterator[Repair]:
    """What was tried too often is set aside, so that it doesn't loop. A run of which nothing else
    is left has failed."""
    for run in runs.set_aside(session, DIED):
        about = RUN_TASKS[run.kind].about
        runs.end(session, run.id, RunState.FAILED, f"The {about} could not be read: {run.reason}.")
        yield Repair(
            f"the {about} of run {run.id} was tried {leases.MOST_ATTEMPTS} times",
            "set the run aside as failed",
        )
    for chunk in chunks.set_aside(session, DIED):
        yield Repair(
            f"chunk {chunk.number} of run {chunk.run_id} was tried {leases.MOST_ATTEMPTS} times",
            "set it aside",
        )
    for lead_id in captures.set_aside(session, DIED):
        yield Repair(f"lead {lead_id} was tried {leases.MOST_ATTEMPTS} times", "set it aside")
    for lead_id in enrichment.set_aside(session, DIED):
        yield Repair(
            f"what is to be fetched of lead {lead_id} was tried {leases.MOST_ATTEMPTS} times",
            "set it aside",
        )
    for stuck in _stuck(session):
        place = f", which begins at line {stuck.first_line}," if stuck.first_line else ""
        reason = f"Chunk {stuck.number}{place} was set aside: {stuck.reason}."
        runs.end(session, stuck.run_id, RunState.FAILED, reason)
        yield Repair(
            f"of run {stuck.run_id} only chunks that were set aside are left",
            "the run has failed, until somebody retries it",
        )


def _stuck(session: Session) -> list[UndoneChunk]:
    """Who is entering a chunk is waited for: it may be one that was set aside, and bring the run to
    its end after all."""
    held = {
        run.run_id for run in chunks.list_stuck(session) if runs.lock_exclusive(session, run.run_id)
    }
    return [run for run in chunks.list_stuck(session) if run.run_id in held]


def _vanished(session: Session) -> Iterator[Repair]:
    for run in runs.release_expired(session):
        enqueue(session, RUN_TASKS[run.kind].scan, run=run.id)
        yield Repair(
            f"the worker that read the {RUN_TASKS[run.kind].about} of run {run.id} vanished",
            "sent its task again",
        )
    for chunk in chunks.release_expired(session):
        enqueue(session, RUN_TASKS[chunk.kind].chunk, run=chunk.run_id, chunk=chunk.number)
        yield Repair(
            f"the worker of chunk {chunk.number} of run {chunk.run_id} vanished",
            "sent its task again",
        )


def _still(session: Session) -> list[Run]:
    """The runs whose tasks were lost, as far as one can tell."""
    return [
        run
        for run in runs.still_since(session, STILL_SECONDS)
        if now() - run.moved_at > _patience(run)
    ]


def _patience(run: Run) -> timedelta:
    return timedelta(seconds=STILL_SECONDS * 2 ** min(run.resent, MOST_DOUBLINGS))


def _lost(session: Session) -> Iterator[Repair]:
    for run in _still(session):
        if runs.send_again(session, run):
            yield Repair(
                f"run {run.id} shows no progress",
                f"sent {_continue(session, run)} of its tasks again",
            )


def _continue(session: Session, run: Run) -> int:
    tasks = RUN_TASKS[run.kind]
    if run.state in runs.UNSCANNED:
        enqueue(session, tasks.scan, run=run.id)
        return 1
    if run.state == RunState.CANCELLED or run.chunks_left == 0:
        enqueue(session, tasks.close, run=run.id)
        return 1
    waiting = chunks.list_waiting(session, run.id)
    for number in waiting:
        enqueue(session, tasks.chunk, run=run.id, chunk=number)
    return len(waiting)


def _in_line(session: Session) -> list[LongLine]:
    """The lines in which captured leads wait for more than a member, or don't know yet that they
    wait for one."""
    long = captures.waiting_since(session, WAITING_SECONDS)
    return [
        line for line in long if line.unexplained or find_obstacle(session, line.pool_id) is None
    ]


def _waiting(session: Session) -> Iterator[Repair]:
    for line in _in_line(session):
        if reason := find_obstacle(session, line.pool_id):
            captures.explain(session, line.pool_id, reason)
            yield Repair(
                f"{line.leads} captured leads of pool {line.pool_id} can't be given to anybody",
                "noted the reason",
            )
            continue
        enqueue(session, "captures.assign", lead=line.last)
        yield Repair(
            f"{line.leads} captured leads of pool {line.pool_id} wait",
            "sent the task of the last, which serves all",
        )


def _due(session: Session) -> Iterator[Repair]:
    for integration in enrichment.due_since(session, WAITING_SECONDS):
        enqueue(session, "enrichments.fetch", integration=integration.integration_id)
        yield Repair(
            f"of {integration.leads} leads of integration {integration.integration_id} more is to be fetched",
            "sent its task",
        )
