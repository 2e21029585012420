"""Forms, as admins define them, and what was sent through them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from pydantic import BaseModel, Field

from api_stub.control.views import Deliveries
from api_stub.deps import Admin, Body, Id, Text, Using, control_router
from api_stub.error_responses import problems
from worker.domain.intake import forms as domain
from worker.domain.storable import GREATEST
from worker.errors.base import InsufficientScope
from worker.errors.intake import BadForm, FormExists, UnknownForm
from worker.errors.people import AmbiguousUser
from worker.errors.turns import UnknownOwner, WrongPoolType
from worker.flows.intake import forms
from worker.settings import settings

MOST_DELIVERIES = 1000

router = control_router("/api/forms", "forms")


class FormField(Body):
    """What a form asks for."""

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


Fields = Annotated[list[FormField], Field(description="In order.")]
Owner = Annotated[
    Text,
    Field(examples=["Inbound"], description="The pool or the user who gets the leads, by name."),
]
Source = Annotated[
    Text | None,
    Field(examples=["Website"], description="Of the leads, unless a field of the form says it."),
]
Slug = Annotated[
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
Origins = Annotated[
    list[Text],
    Field(
        examples=[["https://www.example.com"]],
        description="The pages of others that may embed the form, or send it by script.",
    ),
]


class NewForm(Body):
    """A form to define."""

    name: Text = Field(examples=["Contact us"], description="Its heading.")
    owner: Owner
    slug: Slug | None = None
    fields: Fields = Field(
        [FormField(**field._asdict() | {"choices": []}) for field in domain.USUAL_FIELDS]
    )
    source: Source = None
    tags: list[Text] = Field([], description="Of the leads.")
    thanks: Thanks = None
    redirect_url: Redirect = None
    origins: Origins = Field([])
    enabled: bool = True


class ChangedForm(Body):
    """What is to be different. What isn't named stays as it is."""

    name: Text = Field("", description="Its heading.")
    owner: Owner = ""
    slug: Slug = ""
    fields: Fields = Field([])
    source: Source = None
    tags: list[Text] = Field([], description="Of the leads.")
    thanks: Thanks = None
    redirect_url: Redirect = None
    origins: Origins = Field([])
    enabled: bool = True


class Form(BaseModel):
    """A form, where it is, and how it gets onto other pages."""

    id: int
    name: str
    slug: str
    owner: str = Field(description="The pool or the user who gets the leads.")
    owner_id: int
    fields: list[FormField]
    source: str | None
    tags: list[str]
    thanks: str | None
    redirect_url: str | None
    origins: list[str]
    enabled: bool
    address: str = Field(description="Of the hosted page.")
    iframe: str = Field(
        description="A line of HTML that embeds the hosted page, on pages of the allowed origins."
    )
    html: str = Field(description="A form in HTML that leads on to the hosted page.")
    created_at: datetime
    updated_at: datetime


def base(request: Request) -> str:
    """With what the addresses of forms begin."""
    return settings().public_url or str(request.base_url).rstrip("/")


Base = Annotated[str, Depends(base)]

_REFUSALS = problems(
    InsufficientScope, BadForm, FormExists, UnknownOwner, AmbiguousUser, WrongPoolType
)
_CHANGES = problems(
    InsufficientScope, UnknownForm, BadForm, FormExists, UnknownOwner, AmbiguousUser, WrongPoolType
)


@router.get("", summary="List forms", response_model=list[Form])
def list_forms(system: Using, base: Base) -> Any:
    """In the order in which they were defined, those that are disabled too."""
    with system.reading() as session:
        return forms.listed(session, base)


@router.post("", summary="Define a form", status_code=201, response_model=Form, responses=_REFUSALS)
def add_form(system: Using, actor: Admin, base: Base, new: NewForm) -> Any:
    """Its page is there at once. Leads that come through it go to the pool's next member, or to the
    user."""
    values = new.model_dump() | {"fields": _fields(new.fields)}
    return system.transact(
        lambda session: forms.shown(session, forms.add(session, values, actor.id), base)
    )


@router.get(
    "/{form_id}", summary="Show a form", response_model=Form, responses=problems(UnknownForm)
)
def show_form(system: Using, base: Base, form_id: Id) -> Any:
    """With its address, and how it gets onto other pages."""
    with system.reading() as session:
        return forms.shown(session, form_id, base)


@router.patch("/{form_id}", summary="Change a form", response_model=Form, responses=_CHANGES)
def change_form(system: Using, _: Admin, base: Base, form_id: Id, changed: ChangedForm) -> Any:
    """Goes for what is sent from now on. One that is disabled is as unknown to visitors as one that
    isn't there."""
    values = changed.model_dump(exclude_unset=True)
    if "fields" in values:
        values["fields"] = _fields(changed.fields)

    def change(session: Any) -> Any:
        forms.change(session, form_id, values)
        return forms.shown(session, form_id, base)

    return system.transact(change)


@router.delete(
    "/{form_id}",
    summary="Delete a form",
    status_code=204,
    responses=problems(InsufficientScope, UnknownForm),
)
def delete_form(system: Using, _: Admin, form_id: Id) -> None:
    """With the list of what was sent through it. Its leads stay."""
    system.transact(forms.remove, form_id)


@router.get(
    "/{form_id}/deliveries",
    summary="List what was sent",
    response_model=Deliveries,
    responses=problems(UnknownForm),
)
def list_form_deliveries(
    system: Using,
    form_id: Id,
    before: Annotated[
        int | None, Query(ge=1, le=GREATEST, description="The delivery before which to go on.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_DELIVERIES, description="How many at most.")] = 50,
) -> Any:
    """What was sent through the form within 30 days, newest first, and what became of it."""
    with system.reading() as session:
        return forms.delivered(session, form_id, before, limit)


def _fields(given: Sequence[FormField]) -> list[domain.Field]:
    return [
        domain.Field(field.name, field.label, field.type, field.required, tuple(field.choices))
        for field in given
    ]
