"""Forms: defined, changed, removed, and shown to those who define them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.domain.intake import embedding
from worker.domain.intake.forms import Form, normalized, slug_of
from worker.errors.intake import AmbiguousForm, FormExists, UnknownForm
from worker.errors.turns import WrongPoolType
from worker.flows.names import owner_named
from worker.store.intake import deliveries, forms
from worker.store.intake.deliveries import DeliverySource
from worker.store.intake.forms import form_of
from worker.store.people import users
from worker.store.people.users import User
from worker.store.turns import pools
from worker.store.views.facts import Facts, time_text

PATH = "/forms"
"""Under which the hosted pages are."""


def add(session: Session, values: Mapping[str, Any], actor_id: int | None) -> int:
    """The id of a new form. Its owner is named; its slug is made of its name, unless it has one.
    Raises BadForm, FormExists."""
    columns = _columns(session, {**values, "slug": values.get("slug") or slug_of(values["name"])})
    _check_free(session, columns["slug"], None)
    return forms.add(session, {**columns, "creator_id": actor_id})


def change(session: Session, form_id: int, values: Mapping[str, Any]) -> None:
    """Changes what is named. Raises UnknownForm, BadForm, FormExists."""
    if forms.lock(session, form_id) is None:
        raise UnknownForm(name=form_id)
    columns = _columns(session, values)
    if "slug" in columns:
        _check_free(session, columns["slug"], form_id)
    forms.change(session, form_id, columns)


def remove(session: Session, form_id: int) -> None:
    """The form is gone, and the list of what was delivered to it. Its leads stay. Raises
    UnknownForm."""
    if forms.lock(session, form_id, to_remove=True) is None:
        raise UnknownForm(name=form_id)
    deliveries.remove(session, DeliverySource.form(form_id))
    forms.remove(session, form_id)


def form_named(session: Session, name: str) -> Form:
    """The form with that slug, or with that name if only one has it. Raises UnknownForm,
    AmbiguousForm."""
    by_slug = forms.with_slug(session, name.strip().lower())
    found = [by_slug] if by_slug is not None else forms.called(session, name.strip())
    if len(found) > 1:
        raise AmbiguousForm(name=name)
    if not found:
        raise UnknownForm(name=name)
    return form_of(found[0])


def delivered(session: Session, form_id: int, before: int | None, limit: int) -> Facts:
    """What was sent through a form within 30 days, newest first. Raises UnknownForm."""
    if forms.with_id(session, form_id) is None:
        raise UnknownForm(name=form_id)
    return deliveries.page(session, DeliverySource.form(form_id), before, limit)


# --- what is shown ---


def shown(session: Session, form_id: int, base: str) -> Facts:
    """A form with its address, which begins with that base, and how to embed it. Raises
    UnknownForm."""
    row = forms.with_id(session, form_id)
    if row is None:
        raise UnknownForm(name=form_id)
    return _facts(row, users.get_all(session, [row.owner_id]), base)


def listed(session: Session, base: str) -> list[Facts]:
    rows = forms.all_forms(session)
    owners = users.get_all(session, (row.owner_id for row in rows))
    return [_facts(row, owners, base) for row in rows]


def _facts(row: Row[Any], owners: Mapping[int, User], base: str) -> Facts:
    form, address = form_of(row), f"{base}{PATH}/{row.slug}"
    facts = {
        name: getattr(form, name)
        for name in ("id", "name", "slug", "source", "enabled", "thanks", "redirect_url")
    }
    return facts | {
        "owner": owners[form.owner_id].name,
        "owner_id": form.owner_id,
        "fields": [field._asdict() | {"choices": list(field.choices)} for field in form.fields],
        "tags": list(form.tags),
        "origins": list(form.origins),
        "address": address,
        "iframe": embedding.iframe(form, address),
        "html": embedding.plain(form, address),
        "created_at": time_text(row.created_at),
        "updated_at": time_text(row.updated_at),
    }


# --- what is stored ---


def _columns(session: Session, values: Mapping[str, Any]) -> dict[str, Any]:
    columns = normalized({name: value for name, value in values.items() if name != "owner"})
    if "fields" in columns:
        columns["fields"] = [field._asdict() for field in columns["fields"]]
    if "owner" in values:
        columns["owner_id"] = _owner_id(session, values["owner"])
    return columns


def _owner_id(session: Session, name: str) -> int:
    """Whom the leads are for: a person, or a pool that shares leads. Raises UnknownOwner,
    WrongPoolType."""
    owner = owner_named(session, name)
    pool = pools.with_id(session, owner.id) if owner.is_pool else None
    if pool is not None and pool.record_type != "lead":
        raise WrongPoolType(pool=pool.name, theirs=pool.record_type, asked="lead")
    return int(owner.id)


def _check_free(session: Session, slug: str, form_id: int | None) -> None:
    other = forms.with_slug(session, slug)
    if other is not None and other.id != form_id:
        raise FormExists(slug=slug)
