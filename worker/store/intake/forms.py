"""Forms, as they are defined."""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, Row, delete, func, insert, select, update
from sqlalchemy.orm import Session

from worker.domain.intake.forms import Field, Form
from worker.store.sql.clock import now
from worker.store.tables import forms


def add(session: Session, columns: Mapping[str, object]) -> int:
    """The id of a new form. The unique key refuses a second one with the same slug:
    System.transact then runs the work again, which finds the first."""
    moment = now()
    new = insert(forms).values(**_as_stored(columns), created_at=moment, updated_at=moment)
    return session.scalars(new.returning(forms.c.id)).one()


def change(session: Session, form_id: int, columns: Mapping[str, object]) -> None:
    changed = update(forms).where(forms.c.id == form_id)
    session.execute(changed.values(**_as_stored(columns), updated_at=now()))


def _as_stored(columns: Mapping[str, object]) -> dict[str, object]:
    """The columns, with fields as JSON objects."""
    fields = columns.get("fields")
    if not isinstance(fields, tuple):
        return dict(columns)
    return {**columns, "fields": [field._asdict() for field in fields]}


def remove(session: Session, form_id: int) -> None:
    """Removes a form for good. Its deliveries must be gone before."""
    session.execute(delete(forms).where(forms.c.id == form_id))


def find(session: Session, form_id: int) -> Form | None:
    return _find_one(session, forms.c.id == form_id)


def find_by_slug(session: Session, slug: str) -> Form | None:
    return _find_one(session, forms.c.slug == slug)


def find_by_name(session: Session, name: str) -> list[Form]:
    """The forms with that name, in capitals or not."""
    same = func.lower(forms.c.name) == func.lower(name)
    found = select(forms).where(same).order_by(forms.c.id)
    return [read_form(row) for row in session.execute(found)]


def lock_shared(session: Session, form_id: int) -> Form | None:
    """The form. It can't be removed until the transaction ends. Others may change it meanwhile: a
    change doesn't wait for submissions."""
    held = select(forms).where(forms.c.id == form_id).with_for_update(read=True, key_share=True)
    row = session.execute(held).one_or_none()
    return None if row is None else read_form(row)


def lock(session: Session, form_id: int, *, to_remove: bool = False) -> Form | None:
    """The form. No other transaction changes it until this one ends. A lock for removal also keeps
    visitors from sending it."""
    locked = select(forms).where(forms.c.id == form_id).with_for_update(key_share=not to_remove)
    row = session.execute(locked).one_or_none()
    return None if row is None else read_form(row)


def read_form(row: Row[tuple[object, ...]]) -> Form:
    """The form in a row."""
    fields = tuple(Field(**field | {"choices": tuple(field["choices"])}) for field in row.fields)
    return Form(
        id=row.id,
        slug=row.slug,
        name=row.name,
        owner_id=row.owner_id,
        source=row.source,
        tags=tuple(row.tags),
        enabled=row.enabled,
        fields=fields,
        thanks=row.thanks,
        redirect_url=row.redirect_url,
        origins=tuple(row.origins),
    )


def _find_one(session: Session, condition: ColumnElement[bool]) -> Form | None:
    row = session.execute(select(forms).where(condition)).one_or_none()
    return None if row is None else read_form(row)
