"""Sweeps: find work that no task carries on, and send it again. They are safe to run anywhere, at
any time, and several times at once."""

import logging
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy.orm import Session

from worker.domain.runs.runs import RUN_TASKS, RunState
from worker.domain.upkeep import Repair
from worker.flows.intake.capture import find_obstacle
from worker.flows.system import System
from worker.queue import enqueue
from worker.store import leases
from worker.store.intake import captures, enrichment
from worker.store.intake.captures import LongLine
from worker.store.runs import chunks, runs
from worker.store.runs.chunks import UnfinishedChunk
from worker.store.runs.runs import Run
from worker.store.sql.clock import now

logger = logging.getLogger(__name__)

STILL_SECONDS = 15.0
"""A run without progress for this time has probably lost its tasks. Each time they are sent again,
the run gets twice as long: they may only wait behind others, and copies would fill the broker."""

MOST_DOUBLINGS = 8

WAITING_SECONDS = 4.0
"""After this time a captured lead, or an enrichment that is due, has probably lost its task."""

DIED = f"its worker died each of the {leases.MOST_ATTEMPTS} times that it was tried"


def sweep(system: System) -> list[Repair]:
    """Carries on work that was left lying, and sets aside work that was tried too often."""
    with system.reading() as session:
        idle = not any(_read_signs(session))
    found = [] if idle else system.transact(_carry_on)
    for each in found:
        logger.warning("%s: %s", each.problem, each.action)
    return found


def _read_signs(session: Session) -> Iterator[object]:
    """All signs that there may be something to do. It only reads."""
    for work in (runs.all_work(), chunks.all_work(), captures.all_work(), enrichment.all_work()):
        yield leases.has_expired(session, work)
    yield _find_stalled(session)
    yield chunks.list_stuck(session)
    yield _find_long_lines(session)
    yield enrichment.find_due(session, WAITING_SECONDS)


def _carry_on(session: Session) -> list[Repair]:
    return [
        *_set_aside_exhausted(session),
        *_resend_vanished(session),
        *_resend_stalled(session),
        *_assign_waiting(session),
        *_fetch_due(session),
    ]


def _set_aside_exhausted(session: Session) -> Iterator[Repair]:
    """Sets aside work that was tried too often, so that it doesn't loop. A run fails if no other
    work of it is left."""
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
    for stuck in _lock_stuck(session):
        place = f", which begins at line {stuck.first_line}," if stuck.first_line else ""
        reason = f"Chunk {stuck.number}{place} was set aside: {stuck.reason}."
        runs.end(session, stuck.run_id, RunState.FAILED, reason)
        yield Repair(
            f"of run {stuck.run_id} only chunks that were set aside are left",
            "the run has failed, until somebody retries it",
        )


def _lock_stuck(session: Session) -> list[UnfinishedChunk]:
    """The runs that only have chunks that were set aside. Waits for whoever is entering a chunk of
    one: that may end the run after all."""
    held = {
        run.run_id for run in chunks.list_stuck(session) if runs.lock_exclusive(session, run.run_id)
    }
    return [run for run in chunks.list_stuck(session) if run.run_id in held]


def _resend_vanished(session: Session) -> Iterator[Repair]:
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


def _find_stalled(session: Session) -> list[Run]:
    """The runs whose tasks were probably lost."""
    return [
        run
        for run in runs.list_still(session, STILL_SECONDS)
        if now() - run.moved_at > _patience(run)
    ]


def _patience(run: Run) -> timedelta:
    return timedelta(seconds=STILL_SECONDS * 2 ** min(run.resent, MOST_DOUBLINGS))


def _resend_stalled(session: Session) -> Iterator[Repair]:
    for run in _find_stalled(session):
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


def _find_long_lines(session: Session) -> list[LongLine]:
    """The lines in which captured leads wait too long: they could be assigned, or the reason why
    they can't isn't noted yet."""
    long = captures.find_long_lines(session, WAITING_SECONDS)
    return [
        line for line in long if line.unexplained or find_obstacle(session, line.pool_id) is None
    ]


def _assign_waiting(session: Session) -> Iterator[Repair]:
    for line in _find_long_lines(session):
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


def _fetch_due(session: Session) -> Iterator[Repair]:
    for integration in enrichment.find_due(session, WAITING_SECONDS):
        enqueue(session, "enrichments.fetch", integration=integration.integration_id)
        yield Repair(
            f"{integration.leads} leads of integration {integration.integration_id} wait for their "
            "enrichment",
            "sent its task",
        )
