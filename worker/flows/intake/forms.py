"""Forms: defined, changed, removed and found by their names."""

from sqlalchemy.orm import Session

from worker.domain.intake.forms import Form, FormValues, make_slug, normalize
from worker.errors.intake import AmbiguousForm, FormExists, UnknownForm
from worker.flows.intake.owners import check_takes_leads
from worker.store.intake import deliveries, forms
from worker.store.intake.deliveries import DeliverySource
from worker.store.views import intake as views
from worker.store.views.intake import DeliveryPage, FormView


def add(session: Session, values: FormValues, actor_id: int | None = None) -> int:
    """The id of a new form. Its slug is made of its name, unless the values have one. Raises
    BadForm, FormExists, UnknownOwner, WrongPoolType."""
    slug = values.get("slug") or make_slug(values["name"])
    columns = normalize({**values, "slug": slug})
    _check(session, columns, None)
    return forms.add(session, {**columns, "creator_id": actor_id})


def change(session: Session, form_id: int, values: FormValues) -> None:
    """Changes a form's values. Raises UnknownForm, BadForm, FormExists, UnknownOwner,
    WrongPoolType."""
    if forms.lock(session, form_id) is None:
        raise UnknownForm(name=form_id)
    columns = normalize(values)
    _check(session, columns, form_id)
    forms.change(session, form_id, columns)


def remove(session: Session, form_id: int) -> None:
    """Removes a form and its deliveries. Its leads stay. Raises UnknownForm."""
    if forms.lock(session, form_id, to_remove=True) is None:
        raise UnknownForm(name=form_id)
    deliveries.remove_all(session, DeliverySource.form(form_id))
    forms.remove(session, form_id)


def find_by_name(session: Session, name: str) -> Form:
    """The form with that slug, or with that name if only one form has it. Raises UnknownForm,
    AmbiguousForm."""
    by_slug = forms.find_by_slug(session, name.strip().lower())
    found = [by_slug] if by_slug is not None else forms.find_by_name(session, name.strip())
    if len(found) > 1:
        raise AmbiguousForm(name=name)
    if not found:
        raise UnknownForm(name=name)
    return found[0]


def show(session: Session, form_id: int, base: str) -> FormView:
    """A form, with its address, which begins with the base. Raises UnknownForm."""
    view = views.show_form(session, form_id, base)
    if view is None:
        raise UnknownForm(name=form_id)
    return view


def list_deliveries(session: Session, form_id: int, before: int | None, limit: int) -> DeliveryPage:
    """A form's submissions of the last 30 days, newest first. Raises UnknownForm."""
    if forms.find(session, form_id) is None:
        raise UnknownForm(name=form_id)
    return views.list_deliveries(session, DeliverySource.form(form_id), before, limit)


def _check(session: Session, columns: dict[str, object], form_id: int | None) -> None:
    """Raises FormExists for the slug of another form, and what `check_takes_leads` does."""
    if isinstance(owner_id := columns.get("owner_id"), int):
        check_takes_leads(session, owner_id)
    if isinstance(slug := columns.get("slug"), str):
        other = forms.find_by_slug(session, slug)
        if other is not None and other.id != form_id:
            raise FormExists(slug=slug)
