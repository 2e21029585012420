"""What imports know beside their runs."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from worker.store.tables import imports, runs


def add(session: Session, run_id: int, /, **values: Any) -> None:
    session.execute(insert(imports).values(run_id=run_id, **values))


def change(session: Session, run_id: int, /, **values: Any) -> None:
    session.execute(update(imports).where(imports.c.run_id == run_id).values(**values))


def find(session: Session, run_id: int) -> Row[Any] | None:
    """An import together with its run."""
    return session.execute(
        select(runs, imports)
        .join(imports, imports.c.run_id == runs.c.id)
        .where(runs.c.id == run_id)
    ).one_or_none()


def untidy(session: Session, ended_before: datetime) -> list[Row[Any]]:
    """The imports that ended before that moment, and in whose folders more lies than is still of
    use."""
    ended = select(runs, imports).join(imports, imports.c.run_id == runs.c.id)
    return list(session.execute(ended.where(~imports.c.tidied, runs.c.ended_at < ended_before)))


def known_folders(session: Session, folders: Collection[str]) -> set[str]:
    """Of those folders, the ones that belong to an import."""
    return set(session.scalars(select(imports.c.folder).where(imports.c.folder.in_(folders))))


def with_id(session: Session, run_id: int) -> Row[Any]:
    """An import that is known to exist, together with its run."""
    found = find(session, run_id)
    assert found is not None
    return found
