"""The views of runs."""

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from worker.domain.files.rows import RowError
from worker.domain.records.record_type import RecordType
from worker.domain.runs.runs import RunKind, RunState, SkipReason
from worker.errors.runs import UnknownRun
from worker.store.tables import chunks, imports, reassignments, runs, skips, undos, users
from worker.store.views.who import Who

SCAN = 0.2
"""The share of an import's work that the scan of its file counts as."""

DOCUMENTED = {"use_attribute_docstrings": True}
"""The API describes the fields of a view by their docstrings."""


def describe(description: str) -> dict[str, str]:
    """Describes a field of a view that others extend: only metadata is inherited."""
    return {"description": description}


@dataclass(frozen=True, slots=True)
class RunSummary:
    """An import, a reassignment or an undo at a glance."""

    id: int
    kind: RunKind
    state: RunState
    record_type: RecordType
    owner: str = field(
        metadata=describe(
            "The pool or the user who gets the records; of an undo, who got them from the run that"
            " it undoes."
        )
    )
    file: str | None = field(metadata=describe("The name of the file that is imported."))
    list: str | None = field(
        metadata=describe(
            "The list that is reassigned, as it was called then; of an import, the one of what it"
            " makes."
        )
    )
    ids: int | None = field(
        metadata=describe("How many records were named by their ids, if no list was.")
    )
    undoes: int | None = field(metadata=describe("The run that this one undoes."))
    undone_by: int | None = field(metadata=describe("The run that undoes this one."))
    returns_turns: bool | None = field(
        metadata=describe(
            "Whether the turns of what is undone come back. Null for what is no undo."
        )
    )
    progress: float = field(metadata=describe("From 0 to 1."))
    rows: int = field(metadata=describe("Of the file; or the records that the run is about."))
    records: int = field(metadata=describe("Made, given away or given back so far."))
    errors: int
    skipped: int = field(
        metadata=describe(
            "Records that it has left as they were, because somebody has touched them meanwhile."
        )
    )
    turns: int = field(metadata=describe("Reserved for this run."))
    returned: int = field(
        metadata=describe(
            "How many turns it gave back: unused ones, or of an undo those of what it has undone."
        )
    )
    chunks_set_aside: int = field(
        metadata=describe("Parts that were tried too often; retry the run to go on with them.")
    )
    reason: str | None = field(metadata=describe("Why it failed."))
    accepted_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class RunView(RunSummary):
    """A run with its first row errors, at most a hundred; an import's receipt has all."""

    first_errors: tuple[RowError, ...]


@dataclass(frozen=True, slots=True)
class Skip:
    """A record that a run has left as it was."""

    __pydantic_config__: ClassVar = DOCUMENTED

    ordinal: int
    """Its place in the list, from 0."""
    record_id: int
    reason: SkipReason
    """The change since then: deleted, given (it has another owner) or edited."""


@dataclass(frozen=True, slots=True)
class SkipPage:
    """A page of the records that a run has left as they were."""

    __pydantic_config__: ClassVar = DOCUMENTED

    skipped: list[Skip]
    """In the order of the list."""
    next: int | None
    """The ordinal to ask after for the next page; null at the end."""


@dataclass(frozen=True, slots=True)
class Retried:
    """The answer to a retry."""

    __pydantic_config__: ClassVar = DOCUMENTED

    retried: int
    """How many leads, or tasks of a run."""


@dataclass(frozen=True, slots=True)
class DryRunShare:
    """How many records a member would get."""

    __pydantic_config__: ClassVar = DOCUMENTED

    id: int
    name: str
    email: str | None
    records: int
    stay: int
    """How many of those they have already."""


@dataclass(frozen=True, slots=True)
class DryRun:
    """The effects that a reassignment or an import would have now. It has taken no turn, and
    changed nothing."""

    __pydantic_config__: ClassVar = DOCUMENTED

    kind: RunKind
    """reassign or import."""
    record_type: RecordType
    owner: str
    """The pool or the user who would get the records."""
    list: str | None
    file: str | None
    rows: int | None
    """Of the file."""
    records: int
    """How many would be given."""
    stay: int
    """How many of those would stay with their present owner."""
    errors: int
    """How many rows would become no record."""
    first_errors: tuple[RowError, ...]
    """The first hundred."""
    members: tuple[DryRunShare, ...]
    """Of a pool, each member in order; else the user."""
    next_before: Who | None
    """Who is next in the pool. Null for a user."""
    next_after: Who | None
    """Who would be next afterwards."""


_LATER = runs.alias("later")
_UNDONE_BY = (
    select(func.max(undos.c.run_id))
    .join(_LATER, _LATER.c.id == undos.c.run_id)
    .where(undos.c.undone_run_id == runs.c.id, _LATER.c.state != RunState.CANCELLED)
    .correlate(runs)
    .scalar_subquery()
)
_SET_ASIDE = (
    select(func.count()).where(chunks.c.run_id == runs.c.id, chunks.c.set_aside).scalar_subquery()
)

_RUNS = (
    select(
        runs,
        imports.c.file_name.label("file"),
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


def show_run(session: Session, run_id: int) -> RunView:
    """Raises UnknownRun."""
    row = session.execute(_RUNS.where(runs.c.id == run_id)).one_or_none()
    if row is None:
        raise UnknownRun(run_id=run_id)
    errors = tuple(RowError(**error) for error in row.first_errors or ())
    return RunView(**_make_summary(row), first_errors=errors)


def list_runs(session: Session, limit: int = 50) -> list[RunSummary]:
    """The newest runs, newest first."""
    newest = session.execute(_RUNS.order_by(runs.c.id.desc()).limit(limit))
    return [RunSummary(**_make_summary(row)) for row in newest]


def list_skipped(session: Session, run_id: int, after: int, limit: int) -> list[Skip]:
    """At most so many of the records that a run has left as they were, behind an ordinal, in
    order."""
    behind = (
        select(skips.c.ordinal, skips.c.record_id, skips.c.reason)
        .where(skips.c.run_id == run_id, skips.c.ordinal > after)
        .order_by(skips.c.ordinal)
        .limit(limit)
    )
    return [Skip(*row) for row in session.execute(behind)]


def _make_summary(row: Row[Any]) -> dict[str, Any]:
    """The fields of a summary."""
    computed = {"list": _list_name(row), "progress": round(_compute_progress(row), 3)}
    names = [each.name for each in fields(RunSummary) if each.name not in computed]
    return computed | {name: getattr(row, name) for name in names}


def _list_name(row: Row[Any]) -> str | None:
    return f"{RunKind.IMPORT}:{row.id}" if row.kind == RunKind.IMPORT else row.list


def _compute_progress(row: Row[Any]) -> float:
    """From 0 to 1."""
    if row.ended_at is not None:
        return 1.0
    scan = SCAN if row.kind == RunKind.IMPORT else 0.0
    if row.chunks_left is None:
        return scan * float((row.scanned_bytes or 0) / max(row.size_bytes or 0, 1))
    good = max(row.rows - row.errors, 1)
    return scan + (1 - scan) * float((row.records + row.skipped) / good)
