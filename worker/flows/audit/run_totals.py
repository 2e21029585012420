"""The numbers that runs tell of themselves against their chunks and skips; and what was undone
against the ledger's history."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.domain.audit.reports import CHECKABLE, NONE_SKIPPED, NOTHING_LOST, ONCE, Report
from worker.store.audit import run_totals


def check_counts(session: Session, pool_id: int | None, report: Report) -> None:
    """Checks the runs that give their records to the pool; to people where none is named."""
    for run in run_totals.without_block(session, pool_id):
        report.violate(
            CHECKABLE,
            None,
            f"run {run.id} has {run.turns:,} turns and returned {run.returned:,}, and there is no block of it",
        )
    for run in run_totals.miscounted(session, pool_id):
        for what, says, others, have in _numbers(run):
            if says != have:
                report.violate(
                    NOTHING_LOST, None, f"run {run.id} counts {says:,} {what}, {others} {have:,}"
                )


def _numbers(run: Row[Any]) -> Iterator[tuple[str, int, str, int]]:
    yield (
        "records that it has changed or left",
        run.records + run.skipped,
        "its chunks that are done have",
        run.done,
    )
    yield "records that it has left", run.skipped, "it has noted", run.noted
    if run.chunks_left is not None:
        yield "chunks that are left", run.chunks_left, "there are", run.undone_chunks
        yield "good rows", run.rows - run.errors, "its chunks have", run.whole


def check_undone(session: Session, pool_id: int, report: Report) -> None:
    """Checks the undos of a pool's runs: each entry that was taken back is in the ledger, its turn
    spent, or in the history, its turn returned."""
    for undo in run_totals.undoings(session, pool_id):
        report.undone += undo.spent
        for what in _undone_numbers(undo):
            report.violate(NOTHING_LOST, None, f"run {undo.id} {what}")
        if undo.spent and undo.returns_turns and undo.ended_at and not report.deleted:
            report.violate(
                NONE_SKIPPED,
                None,
                f"run {undo.id} was to return its turns, and {undo.spent:,} are spent",
            )
    for takeback in run_totals.invalid_reversals(session, pool_id):
        for point, what in _report_invalid(takeback):
            entries = f"records {takeback.first_ordinal + 1:,} to {takeback.last_ordinal + 1:,} of {takeback.claim}"
            report.violate(
                point, None, f"{entries} were taken back by run {takeback.run_id}, {what}"
            )
    for entry in run_totals.invalid_history(session, pool_id):
        for what in _strange_history(entry):
            report.violate(CHECKABLE, entry.turn, f"is in the history of {entry.claim}, and {what}")


def _undone_numbers(undo: Row[Any]) -> Iterator[str]:
    if undo.records != undo.taken_back:
        yield f"counts {undo.records:,} records that it has undone, and has taken back {undo.taken_back:,} entries"
    if undo.spent + undo.moved != undo.taken_back:
        yield f"has taken back {undo.taken_back:,} entries, of which {undo.spent:,} are in the ledger and {undo.moved:,} in its history"
    if undo.returned != undo.moved:
        yield f"counts {undo.returned:,} turns returned, and the history has {undo.moved:,}"


def _report_invalid(takeback: Row[Any]) -> Iterator[tuple[str, str]]:
    if takeback.unknown:
        yield CHECKABLE, "which is no undo that has got to them"
    if takeback.again:
        yield ONCE, "and some of them by another takeback, too"
    if takeback.skipped:
        yield NOTHING_LOST, "which has left some of them alone"


def _strange_history(entry: Row[Any]) -> Iterator[str]:
    if entry.unmoved:
        yield "no undo has taken it back"
    if entry.nobody:
        yield "names somebody who isn't there"
    if entry.another:
        yield "names no record, or another cause"
