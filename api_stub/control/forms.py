"""Forms, as admins define them, and their submissions."""

from collections.abc import Sequence
from typing import Annotated, cast

from fastapi import Depends, Query, Request
from pydantic import Field

from api_stub.deps import Admin, Body, Id, Text, Using, make_control_router
from api_stub.error_responses import document_errors
from worker.domain.intake import forms as domain
from worker.domain.intake.forms import FormValues
from worker.domain.storable import GREATEST
from worker.errors.base import InsufficientScope
from worker.errors.intake import BadForm, FormExists, UnknownForm
from worker.errors.people import AmbiguousUser
from worker.errors.turns import UnknownOwner, WrongPoolType
from worker.flows.intake import forms
from worker.flows.names import find_owner_by_name
from worker.flows.unit import Unit
from worker.settings import settings
from worker.store.views import intake as views
from worker.store.views.intake import DeliveryPage, FormView

MOST_DELIVERIES = 1000

router = make_control_router("/api/forms", "forms")


class FormField(Body):
    """A field of a form."""

    name: Text = Field(
        examples=["last_name"],
        description="A lead's field, or one of its common names; anything else is a custom field.",
    )
    label: Text = Field(examples=["Last name"])
    type: Text = Field(
        "", description=f"{', '.join(domain.TYPES)}; by the field's name unless given."
    )
    required: bool = False
    choices: list[Text] = Field([], description="Of a select.")


FormFields = Annotated[list[FormField], Field(description="In order.")]
FormOwner = Annotated[
    Text,
    Field(examples=["Inbound"], description="The pool or the user who gets the leads, by name."),
]
FormSource = Annotated[
    Text | None,
    Field(examples=["Website"], description="Of the leads, unless a field of the form says it."),
]
FormSlug = Annotated[
    Text,
    Field(
        examples=["contact-us"],
        description="The last part of the address; made of the name unless given.",
    ),
]
Thanks = Annotated[
    str | None, Field(max_length=domain.LONGEST_WORDS, description="What is said afterwards.")
]
Redirect = Annotated[
    str | None,
    Field(max_length=domain.LONGEST_ADDRESS, description="Where one goes afterwards instead."),
]
FormOrigins = Annotated[
    list[Text],
    Field(
        examples=[["https://www.example.com"]],
        description="The pages of others that may embed the form, or send it by script.",
    ),
]


class NewForm(Body):
    """A form to define."""

    name: Text = Field(examples=["Contact us"], description="Its heading.")
    owner: FormOwner
    slug: FormSlug | None = None
    fields: FormFields = Field(
        [FormField(**field._asdict() | {"choices": []}) for field in domain.USUAL_FIELDS]
    )
    source: FormSource = None
    tags: list[Text] = Field([], description="Of the leads.")
    thanks: Thanks = None
    redirect_url: Redirect = None
    origins: FormOrigins = Field([])
    enabled: bool = True


class ChangedForm(Body):
    """Changes. Values that aren't named stay as they are."""

    name: Text = Field("", description="Its heading.")
    owner: FormOwner = ""
    slug: FormSlug = ""
    fields: FormFields = Field([])
    source: FormSource = None
    tags: list[Text] = Field([], description="Of the leads.")
    thanks: Thanks = None
    redirect_url: Redirect = None
    origins: FormOrigins = Field([])
    enabled: bool = True


def find_base(request: Request) -> str:
    """The scheme and host with which the addresses of forms begin."""
    return settings().public_url or str(request.base_url).rstrip("/")


Base = Annotated[str, Depends(find_base)]

_REFUSALS = (InsufficientScope, BadForm, FormExists, UnknownOwner, AmbiguousUser, WrongPoolType)


@router.get("", summary="List forms")
def list_forms(system: Using, base: Base) -> list[FormView]:
    """In the order of definition. Disabled forms are listed, too."""
    with system.reading() as unit:
        return views.list_forms(unit, base)


@router.post("", summary="Define a form", status_code=201, responses=document_errors(*_REFUSALS))
def add_form(system: Using, actor: Admin, base: Base, new: NewForm) -> FormView:
    """Its page is there at once. Leads that come through it go to the pool's next member, or to the
    user."""

    def add(unit: Unit) -> FormView:
        form_id = forms.add(unit, _read_values(unit, new, set(NewForm.model_fields)), actor.id)
        return forms.show(unit, form_id, base)

    return system.transact(add)


@router.get("/{form_id}", summary="Show a form", responses=document_errors(UnknownForm))
def show_form(system: Using, base: Base, form_id: Id) -> FormView:
    """The form with its address, and the code that puts it onto other pages."""
    with system.reading() as unit:
        return forms.show(unit, form_id, base)


@router.patch(
    "/{form_id}", summary="Change a form", responses=document_errors(UnknownForm, *_REFUSALS)
)
def change_form(system: Using, _: Admin, base: Base, form_id: Id, changed: ChangedForm) -> FormView:
    """It holds for all that is sent from now on. Visitors can't tell a disabled form from one that
    isn't there."""

    def change(unit: Unit) -> FormView:
        forms.change(unit, form_id, _read_values(unit, changed, changed.model_fields_set))
        return forms.show(unit, form_id, base)

    return system.transact(change)


@router.delete(
    "/{form_id}",
    summary="Delete a form",
    status_code=204,
    responses=document_errors(InsufficientScope, UnknownForm),
)
def delete_form(system: Using, _: Admin, form_id: Id) -> None:
    """The list of its submissions is deleted, too. Its leads stay."""
    system.transact(forms.remove, form_id)


@router.get(
    "/{form_id}/deliveries", summary="List what was sent", responses=document_errors(UnknownForm)
)
def list_form_deliveries(
    system: Using,
    form_id: Id,
    before: Annotated[
        int | None, Query(ge=1, le=GREATEST, description="The delivery before which to go on.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_DELIVERIES, description="How many at most.")] = 50,
) -> DeliveryPage:
    """The form's submissions of the last 30 days, newest first, with their outcomes."""
    with system.reading() as unit:
        return forms.list_deliveries(unit, form_id, before, limit)


def _read_values(unit: Unit, body: NewForm | ChangedForm, names: set[str]) -> FormValues:
    """The named values of a body, with the owner's id for the name, and fields as the domain has
    them."""
    values = cast("FormValues", body.model_dump(include=names - {"owner", "fields"}))
    if "owner" in names:
        values["owner_id"] = find_owner_by_name(unit, body.owner).id
    if "fields" in names:
        values["fields"] = _read_fields(body.fields)
    return values


def _read_fields(fields: Sequence[FormField]) -> list[domain.Field]:
    return [
        domain.Field(field.name, field.label, field.type, field.required, tuple(field.choices))
        for field in fields
    ]
