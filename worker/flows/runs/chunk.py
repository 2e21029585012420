"""Chunks of runs that are about records which are there already: each is carried out as one set, in
one transaction."""

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.domain.runs.runs import STORIES
from worker.flows.leases import LEASE_SECONDS, on_lease
from worker.flows.system import System
from worker.queue import enqueue
from worker.store.runs import chunks, runs


class ChunkResult(NamedTuple):
    """Of the records of a chunk, how many the run has changed, and how many it has left as they
    were."""

    records: int
    skipped: int


Work = Callable[[Session, Row[Any], Row[Any]], ChunkResult]
"""What is done to a chunk, given its run and itself."""


def carry_out(system: System, run_id: int, number: int, holder: str, work: Work) -> None:
    """Carries out a chunk, unless that is done or somebody else is on it. The holder is whose lease
    it is: the same task, delivered again, goes on at once."""
    chunk = system.transact(_lease, run_id, number, holder)
    if chunk is not None:
        with on_lease(system, chunks.work(run_id, number), holder):
            system.transact(_do, run_id, chunk, work)


def _lease(session: Session, run_id: int, number: int, holder: str) -> Row[Any] | None:
    loading = runs.with_id(session, run_id).state == "loading"
    return chunks.lease(session, run_id, number, holder, LEASE_SECONDS) if loading else None


def _do(session: Session, run_id: int, chunk: Row[Any], work: Work) -> None:
    """A run that was cancelled meanwhile is left as it is: its turns may be others' by now."""
    if runs.lock_shared(session, run_id) != "loading" or not chunks.finish(
        session, run_id, chunk.number
    ):
        return
    run = runs.with_id(session, run_id)
    outcome = work(session, run, chunk)
    chunks.date(session, run_id, chunk.number)
    if runs.count_chunk(session, run_id, *outcome) == 0:
        enqueue(session, STORIES[run.kind].close, run=run_id)
