"""What people and programs are shown of runs."""

from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from worker.domain.runs.runs import IMPORT
from worker.store.tables import chunks, imports, reassignments, runs, skips, undos, users
from worker.store.views.facts import Facts, time_text

SCAN = 0.2
"""What part of the work of an import the scan of its file is counted as."""

_PLAIN = (
    "id", "kind", "state", "record_type", "owner", "rows", "records", "errors", "skipped", "turns", "returned", "chunks_set_aside",
    "reason", "ids", "undoes", "undone_by", "returns_turns",
)  # fmt: skip

_LATER = runs.alias("later")
_UNDONE_BY = (
    select(func.max(undos.c.run_id))
    .join(_LATER, _LATER.c.id == undos.c.run_id)
    .where(undos.c.undone_run_id == runs.c.id, _LATER.c.state != "cancelled")
    .correlate(runs)
    .scalar_subquery()
)
_SET_ASIDE = (
    select(func.count()).where(chunks.c.run_id == runs.c.id, chunks.c.set_aside).scalar_subquery()
)

_RUNS = (
    select(
        runs,
        imports.c.file_name,
        imports.c.size_bytes,
        imports.c.scanned_bytes,
        imports.c.first_errors,
        reassignments.c.list,
        reassignments.c.ids_count.label("ids"),
        undos.c.undone_run_id.label("undoes"),
        undos.c.returns_turns,
        users.c.name.label("owner"),
        _SET_ASIDE.label("chunks_set_aside"),
        _UNDONE_BY.label("undone_by"),
    )
    .outerjoin(imports, imports.c.run_id == runs.c.id)
    .outerjoin(reassignments, reassignments.c.run_id == runs.c.id)
    .outerjoin(undos, undos.c.run_id == runs.c.id)
    .join(users, users.c.id == runs.c.owner_id)
)


def run_facts(session: Session, run_id: int) -> Facts | None:
    """A run with its row errors, at most a hundred; the receipt has all."""
    run = session.execute(_RUNS.where(runs.c.id == run_id)).one_or_none()
    return None if run is None else _run(run) | {"first_errors": run.first_errors or []}


def all_runs(session: Session, limit: int = 50) -> list[Facts]:
    """The newest runs, newest first."""
    return [_run(run) for run in session.execute(_RUNS.order_by(runs.c.id.desc()).limit(limit))]


def skipped(session: Session, run_id: int, after: int, limit: int) -> list[Facts]:
    """The records that a run has left as they were, behind an ordinal, in order: each with the
    reason, so many at most."""
    behind = (
        select(skips)
        .where(skips.c.run_id == run_id, skips.c.ordinal > after)
        .order_by(skips.c.ordinal)
        .limit(limit)
    )
    return [
        {name: getattr(skip, name) for name in ("ordinal", "record_id", "reason")}
        for skip in session.execute(behind)
    ]


def _run(run: Row[Any]) -> Facts:
    made = f"{IMPORT}:{run.id}" if run.kind == IMPORT else run.list
    facts = {name: getattr(run, name) for name in _PLAIN} | {
        "file": run.file_name,
        "list": made,
        "progress": round(_progress(run), 3),
    }
    return facts | {
        name: time_text(getattr(run, name)) for name in ("accepted_at", "started_at", "ended_at")
    }


def _progress(run: Row[Any]) -> float:
    """From 0 to 1."""
    if run.ended_at is not None:
        return 1.0
    scan = SCAN if run.kind == IMPORT else 0.0
    if run.chunks_left is None:
        return scan * float((run.scanned_bytes or 0) / max(run.size_bytes or 0, 1))
    good = max(run.rows - run.errors, 1)
    return scan + (1 - scan) * float((run.records + run.skipped) / good)
