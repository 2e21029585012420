"""The numbers that runs keep of themselves against their chunks and skips; and the undone entries
against the ledger's history."""

from collections.abc import Iterator

from sqlalchemy.orm import Session

from worker.domain.audit.reports import CHECKABLE, NONE_SKIPPED, NOTHING_LOST, ONCE, Report
from worker.store.audit import run_totals, undos
from worker.store.audit.run_totals import MiscountedRun
from worker.store.audit.undos import InvalidHistory, InvalidReversal, Undoing


def check_counts(session: Session, pool_id: int | None, report: Report) -> None:
    """Checks the runs that give their records to the pool, or to people if no pool is given."""
    for run in run_totals.find_without_block(session, pool_id):
        numbers = f"has {run.turns:,} turns and returned {run.returned:,}"
        what = f"run {run.id} {numbers}, and there is no block of it"
        report.violate(CHECKABLE, None, what)
    for miscounted in run_totals.find_miscounted(session, pool_id):
        for what, own, others, have in _compare_numbers(miscounted):
            if own != have:
                counts = f"run {miscounted.id} counts {own:,} {what}, {others} {have:,}"
                report.violate(NOTHING_LOST, None, counts)


def _compare_numbers(run: MiscountedRun) -> Iterator[tuple[str, int, str, int]]:
    """The name of a count, the run's own number, the other place that counts it, and the number
    there."""
    changed_or_left = run.records + run.skipped
    its_chunks = "its chunks that are done have"
    yield "records that it has changed or left", changed_or_left, its_chunks, run.done
    yield "records that it has left", run.skipped, "it has noted", run.noted
    if run.chunks_left is not None:
        yield "chunks that are left", run.chunks_left, "there are", run.unfinished_chunks
        yield "good rows", run.rows - run.errors, "its chunks have", run.whole


def check_undone(session: Session, pool_id: int, report: Report) -> None:
    """Checks the undos of a pool's runs: each entry that was taken back is in the ledger, its turn
    spent, or in the history, its turn returned."""
    for undo in undos.list_undoings(session, pool_id):
        report.undone += undo.spent
        for what in _find_wrong_numbers(undo):
            report.violate(NOTHING_LOST, None, f"run {undo.id} {what}")
        if undo.spent and undo.returns_turns and undo.ended_at and not report.deleted:
            what = f"run {undo.id} was to return its turns, and {undo.spent:,} are spent"
            report.violate(NONE_SKIPPED, None, what)
    for reversal in undos.find_invalid_reversals(session, pool_id):
        records = f"records {reversal.first_ordinal + 1:,} to {reversal.last_ordinal + 1:,}"
        entries = f"{records} of {reversal.claim} were taken back by run {reversal.run_id}"
        for point, what in _say_why_invalid(reversal):
            report.violate(point, None, f"{entries}, {what}")
    for entry in undos.find_invalid_history(session, pool_id):
        for what in _say_why_strange(entry):
            report.violate(CHECKABLE, entry.turn, f"is in the history of {entry.claim}, and {what}")


def _find_wrong_numbers(undo: Undoing) -> Iterator[str]:
    taken_back = f"has taken back {undo.taken_back:,} entries"
    if undo.records != undo.taken_back:
        yield f"counts {undo.records:,} records that it has undone, and {taken_back}"
    if undo.spent + undo.moved != undo.taken_back:
        books = f"{undo.spent:,} are in the ledger and {undo.moved:,} in its history"
        yield f"{taken_back}, of which {books}"
    if undo.returned != undo.moved:
        yield f"counts {undo.returned:,} turns returned, and the history has {undo.moved:,}"


def _say_why_invalid(reversal: InvalidReversal) -> Iterator[tuple[str, str]]:
    if reversal.unknown:
        yield CHECKABLE, "which is no undo that has got to them"
    if reversal.again:
        yield ONCE, "and some of them a second time"
    if reversal.skipped:
        yield NOTHING_LOST, "which has left some of them alone"


def _say_why_strange(entry: InvalidHistory) -> Iterator[str]:
    if entry.unmoved:
        yield "no undo has taken it back"
    if entry.nobody:
        yield "names somebody who isn't there"
    if entry.another:
        yield "names no record, or another cause"
