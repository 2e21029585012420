"""The numbers that runs tell of themselves against their chunks and skips; and what was undone against the ledger's history."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.domain.reports import CHECKABLE, NONE_SKIPPED, NOTHING_LOST, Report
from worker.store import counts


def check_counts(session: Session, pool_id: int | None, report: Report) -> None:
    """Checks the runs that give their records to the pool; to people where none is named."""
    for run in counts.without_block(session, pool_id):
        report.violate(CHECKABLE, None, f"run {run.id} has {run.turns:,} turns and returned {run.returned:,}, and there is no block of it")
    for run in counts.miscounted(session, pool_id):
        for what, says, others, have in _numbers(run):
            if says != have:
                report.violate(NOTHING_LOST, None, f"run {run.id} counts {says:,} {what}, {others} {have:,}")


def _numbers(run: Row[Any]) -> Iterator[tuple[str, int, str, int]]:
    yield "records that it has changed or left", run.records + run.skipped, "its chunks that are done have", run.done
    yield "records that it has left", run.skipped, "it has noted", run.noted
    if run.chunks_left is not None:
        yield "chunks that are left", run.chunks_left, "there are", run.undone_chunks
        yield "good rows", run.rows - run.errors, "its chunks have", run.whole


def check_undone(session: Session, pool_id: int, report: Report) -> None:
    """Checks the undos of a pool's runs: each entry that was taken back is in the history, and its turn spent or returned."""
    for undo in counts.undoings(session, pool_id):
        if undo.records != undo.taken_back:
            what = f"run {undo.id} counts {undo.records:,} records that it has undone, the history has {undo.taken_back:,}"
            report.violate(NOTHING_LOST, None, what)
        if undo.spent + undo.returned != undo.taken_back:
            what = f"{undo.taken_back:,} turns, counts {undo.returned:,} as returned, and {undo.spent:,} are spent"
            report.violate(NOTHING_LOST, None, f"run {undo.id} has taken back {what}")
        if undo.spent and undo.returns_turns and undo.ended_at and not report.deleted:
            report.violate(NONE_SKIPPED, None, f"run {undo.id} was to return its turns, and {undo.spent:,} are spent")
    for entry in counts.taken_back_by_nobody(session, pool_id):
        report.violate(CHECKABLE, entry.turn, f"was taken back from {entry.claim} by {entry.reason}, and there is no such undo")
