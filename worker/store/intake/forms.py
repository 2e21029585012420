"""Forms, as they are defined."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, insert, select, update
from sqlalchemy.orm import Session

from worker.domain.intake.forms import Field, Form
from worker.store.sql.clock import now
from worker.store.tables import forms


def add(session: Session, values: Mapping[str, Any]) -> int:
    """The id of a new form. The unique key refuses a second of the same slug: System.transact does
    all again, and finds the first."""
    moment = now()
    return session.scalars(
        insert(forms).values(**values, created_at=moment, updated_at=moment).returning(forms.c.id)
    ).one()


def change(session: Session, form_id: int, values: Mapping[str, Any]) -> None:
    session.execute(update(forms).where(forms.c.id == form_id).values(**values, updated_at=now()))


def remove(session: Session, form_id: int) -> None:
    """For good. What was delivered to it must be gone before."""
    session.execute(delete(forms).where(forms.c.id == form_id))


def all_forms(session: Session) -> list[Row[Any]]:
    """Every form, in the order of creation."""
    return list(session.execute(select(forms).order_by(forms.c.id)))


def with_id(session: Session, form_id: int) -> Row[Any] | None:
    return _one(session, forms.c.id == form_id)


def with_slug(session: Session, slug: str) -> Row[Any] | None:
    return _one(session, forms.c.slug == slug)


def called(session: Session, name: str) -> list[Row[Any]]:
    """The forms of that name, capitals or not."""
    return list(
        session.execute(
            select(forms).where(func.lower(forms.c.name) == func.lower(name)).order_by(forms.c.id)
        )
    )


def hold(session: Session, form_id: int) -> Row[Any] | None:
    """The form, which isn't removed until the transaction ends. It may be changed: whoever does
    that never waits for those who send."""
    held = select(forms).where(forms.c.id == form_id).with_for_update(read=True, key_share=True)
    return session.execute(held).one_or_none()


def lock(session: Session, form_id: int, *, to_remove: bool = False) -> Row[Any] | None:
    """The form, which nobody else changes until the transaction ends; nor is anything sent through
    it, if it is about to be removed."""
    locked = select(forms).where(forms.c.id == form_id).with_for_update(key_share=not to_remove)
    return session.execute(locked).one_or_none()


def form_of(row: Row[Any]) -> Form:
    """The form that a row holds."""
    fields = tuple(Field(**field | {"choices": tuple(field["choices"])}) for field in row.fields)
    plain = {
        name: getattr(row, name)
        for name in (
            "id",
            "slug",
            "name",
            "owner_id",
            "source",
            "enabled",
            "thanks",
            "redirect_url",
        )
    }
    return Form(**plain, tags=tuple(row.tags), fields=fields, origins=tuple(row.origins))


def _one(session: Session, condition: ColumnElement[bool]) -> Row[Any] | None:
    return session.execute(select(forms).where(condition)).one_or_none()
