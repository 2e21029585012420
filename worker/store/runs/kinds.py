"""What imports, reassignments and undos know beside their runs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, insert, select, update
from sqlalchemy.orm import Session

from worker.domain.files.rows import Columns, RowError
from worker.domain.runs.runs import RunState
from worker.store.runs.runs import Run
from worker.store.tables import imports, reassignments, runs, undos

FilterJson = Mapping[str, Any]
"""A filter as the database keeps it."""


def _columns(row_class: type[Run], table: Table) -> list[ColumnElement[Any]]:
    """The columns of a kind of run, in the order of the fields."""
    names = [field.name for field in fields(row_class)]
    return [runs.c[name] if name in Run.__match_args__ else table.c[name] for name in names]


# --- imports ---


@dataclass(frozen=True, slots=True)
class Import(Run):
    """A run that makes records of a file."""

    folder: str
    """Where its upload and its receipt lie."""
    file_name: str
    size_bytes: int
    mapping: dict[str, str]
    """The fields that the user named, by header."""
    first_record_id: int | None
    """Its records have consecutive ids in file order. None until they are reserved, and where the
    file has no good row."""
    tidied: bool


@dataclass(frozen=True, slots=True)
class FileLayout:
    """How the rows of a scanned file are read, and the id of the first record."""

    delimiter: str
    columns: Columns
    first_record_id: int | None


_IMPORTS = select(*_columns(Import, imports)).join(imports, imports.c.run_id == runs.c.id)


def add_import(
    session: Session,
    run_id: int,
    *,
    folder: str,
    file_name: str,
    size_bytes: int,
    mapping: Mapping[str, str],
    first_record_id: int | None = None,
) -> None:
    new = insert(imports).values(
        run_id=run_id,
        folder=folder,
        file_name=file_name,
        size_bytes=size_bytes,
        mapping=dict(mapping),
        first_record_id=first_record_id,
    )
    session.execute(new)


def find_import(session: Session, run_id: int) -> Import | None:
    row = session.execute(_IMPORTS.where(runs.c.id == run_id)).one_or_none()
    return None if row is None else Import(*row)


def get_import(session: Session, run_id: int) -> Import:
    """An import that is known to exist."""
    return Import(*session.execute(_IMPORTS.where(runs.c.id == run_id)).one())


def get_layout(session: Session, run_id: int) -> FileLayout:
    """How to read the file of an import whose scan is done."""
    found = select(imports.c.delimiter, imports.c.columns, imports.c.first_record_id)
    row = session.execute(found.where(imports.c.run_id == run_id)).one()
    return FileLayout(row.delimiter, Columns(**row.columns), row.first_record_id)


def keep_layout(
    session: Session, run_id: int, layout: FileLayout, first_errors: Sequence[RowError]
) -> None:
    """Keeps how the file of an import is read, and its first row errors."""
    errors = [asdict(error) for error in first_errors]
    _change_import(session, run_id, **asdict(layout), first_errors=errors)


def note_scanned(session: Session, run_id: int, scanned_bytes: int) -> None:
    """Notes how much of its file an import has scanned."""
    _change_import(session, run_id, scanned_bytes=scanned_bytes)


def note_tidied(session: Session, run_id: int) -> None:
    """Notes that the folder of an import holds only what is still of use."""
    _change_import(session, run_id, tidied=True)


def _change_import(session: Session, run_id: int, **values: object) -> None:
    session.execute(update(imports).where(imports.c.run_id == run_id).values(**values))


def list_untidy_imports(session: Session, ended_before: datetime) -> list[Import]:
    """The imports that ended before that moment, and whose folders hold more than is still of
    use."""
    ended = _IMPORTS.where(~imports.c.tidied, runs.c.ended_at < ended_before)
    return [Import(*row) for row in session.execute(ended)]


def find_known_folders(session: Session, folders: Collection[str]) -> set[str]:
    """Of those folders, the ones that belong to an import."""
    return set(session.scalars(select(imports.c.folder).where(imports.c.folder.in_(folders))))


# --- reassignments ---


@dataclass(frozen=True, slots=True)
class Reassignment(Run):
    """A run that gives the records of a list, or those with some ids, to new owners."""

    list: str | None
    """The name of the list, as it was then. None where ids are named."""
    filter: FilterJson | None
    """Of the list, as it was then."""
    order: str | None
    ids: Sequence[int] | None
    """None where a list is named."""


def add_reassignment_of_list(
    session: Session, run_id: int, name: str, filter: FilterJson, order: str
) -> None:
    session.execute(
        insert(reassignments).values(run_id=run_id, list=name, filter=filter, order=order)
    )


def add_reassignment_of_ids(session: Session, run_id: int, ids: Sequence[int]) -> None:
    session.execute(insert(reassignments).values(run_id=run_id, ids=list(ids), ids_count=len(ids)))


def get_reassignment(session: Session, run_id: int) -> Reassignment:
    """A reassignment that is known to exist."""
    found = select(*_columns(Reassignment, reassignments)).join(
        reassignments, reassignments.c.run_id == runs.c.id
    )
    return Reassignment(*session.execute(found.where(runs.c.id == run_id)).one())


# --- undos ---


@dataclass(frozen=True, slots=True)
class Undo(Run):
    """A run that takes back what another has done."""

    undone_run_id: int
    returns_turns: bool
    """Whether the turns come back in the end; else they stay spent."""


def add_undo(session: Session, run_id: int, undone_run_id: int, *, returns_turns: bool) -> None:
    session.execute(
        insert(undos).values(
            run_id=run_id, undone_run_id=undone_run_id, returns_turns=returns_turns
        )
    )


def get_undo(session: Session, run_id: int) -> Undo:
    """An undo that is known to exist."""
    found = select(*_columns(Undo, undos)).join(undos, undos.c.run_id == runs.c.id)
    return Undo(*session.execute(found.where(runs.c.id == run_id)).one())


def find_undo_of(session: Session, undone_run_id: int) -> int | None:
    """The id of the undo of a run, if there is one that wasn't cancelled."""
    found = select(runs.c.id).join(undos, undos.c.run_id == runs.c.id)
    return session.scalar(
        found.where(undos.c.undone_run_id == undone_run_id, runs.c.state != RunState.CANCELLED)
    )
