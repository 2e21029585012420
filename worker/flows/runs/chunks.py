"""Chunks: a worker takes a chunk of a run under a lease, and carries it out in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from sqlalchemy.orm import Session

from worker.domain.runs.chunks import Chunk
from worker.domain.runs.runs import RUN_TASKS, RunState
from worker.flows.leases import LEASE_SECONDS, on_lease
from worker.flows.system import System
from worker.flows.unit import Unit
from worker.queue import enqueue
from worker.store.runs import chunks, runs
from worker.store.runs.runs import Run

Prepared = TypeVar("Prepared")


class ChunkResult(NamedTuple):
    """How many records of a chunk the run has made or changed, and how many it has left as they
    were."""

    records: int
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class ChunkWork(Generic[Prepared]):
    """What one kind of run does with a chunk."""

    prepare: Callable[[System, Run, Chunk], Prepared]
    """Runs before the transaction. It may take long, because it locks nothing."""
    apply: Callable[[Unit, Run, Chunk, Prepared], ChunkResult]
    """Changes the records, in the transaction that marks the chunk as done."""


def prepare_nothing(system: System, run: Run, chunk: Chunk) -> None:
    """Prepares nothing: for runs about records that exist already."""


def carry_out(
    system: System, run_id: int, number: int, holder: str, work: ChunkWork[Prepared]
) -> None:
    """Carries out a chunk under a lease of the holder, unless it is done or another worker is on
    it. The outcome is the same if several workers do it, or one does it again."""
    leased = system.transact(_lease, run_id, number, holder)
    if leased is not None:
        with on_lease(system, chunks.work(run_id, number), holder):
            run, chunk = leased
            prepared = work.prepare(system, run, chunk)
            system.transact(_apply, run_id, chunk, work, prepared)


def _lease(session: Session, run_id: int, number: int, holder: str) -> tuple[Run, Chunk] | None:
    run = runs.get(session, run_id)
    if run.state != RunState.LOADING:
        return None
    chunk = chunks.lease(session, run_id, number, holder, LEASE_SECONDS)
    return None if chunk is None else (run, chunk)


def _apply(
    unit: Unit, run_id: int, chunk: Chunk, work: ChunkWork[Prepared], prepared: Prepared
) -> None:
    """Does nothing for a run that was cancelled meanwhile: others may have its turns by now."""
    run = runs.lock_shared(unit, run_id)
    if run.state != RunState.LOADING or not chunks.finish(unit, run_id, chunk.number):
        return
    result = work.apply(unit, run, chunk, prepared)
    chunks.date(unit, run_id, chunk.number)
    if runs.count_chunk(unit, run_id, result.records, result.skipped) == 0:
        enqueue(unit, RUN_TASKS[run.kind].close, run=run_id)
