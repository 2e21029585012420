"""The views of captured leads, forms and deliveries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from worker.domain.intake import embedding
from worker.domain.intake.parts import OutcomeKind
from worker.store.intake.deliveries import DeliverySource
from worker.store.intake.forms import read_form
from worker.store.tables import captures, deliveries, forms, leads, users

DESCRIBED = {"use_attribute_docstrings": True}
"""Has the API describe each attribute by its docstring."""

AnyRow = Row[tuple[object, ...]]


# --- captured leads ---


@dataclass(frozen=True, slots=True)
class CapturedLeadView:
    """A captured lead, with its turn and its owner's email; neither while it waits."""

    id: int
    turn: int | None
    owner: str | None


@dataclass(frozen=True, slots=True)
class WaitingLeadView:
    """A captured lead that waits for its owner."""

    __pydantic_config__: ClassVar = DESCRIBED

    id: int
    name: str
    accepted_at: datetime
    pool: str
    attempts: int
    """How often it was tried."""
    set_aside: bool
    """Whether it was tried too often, and waits until an admin retries it."""
    reason: str | None
    """The reason, if it waits for more than a worker."""


def list_captured(session: Session, lead_ids: Sequence[int]) -> list[CapturedLeadView]:
    """The captured leads with those ids, in order."""
    if not lead_ids:
        return []
    found = select(leads.c.id, leads.c.turn, users.c.email).join(
        users, users.c.id == leads.c.owner_id
    )
    rows = session.execute(found.where(leads.c.id.between(lead_ids[0], lead_ids[-1])))
    by_id = {row.id: CapturedLeadView(row.id, row.turn, row.email) for row in rows}
    return [by_id[lead_id] for lead_id in lead_ids]


def list_waiting(session: Session, pool_id: int | None, limit: int) -> list[WaitingLeadView]:
    """The captured leads that wait, in one pool's line or in all, oldest first."""
    found = (
        select(
            captures,
            leads.c.first_name,
            leads.c.last_name,
            leads.c.organization_name,
            users.c.name.label("pool"),
        )
        .join(leads, leads.c.id == captures.c.lead_id)
        .join(users, users.c.id == captures.c.pool_id)
    )
    if pool_id is not None:
        found = found.where(captures.c.pool_id == pool_id)
    rows = session.execute(found.order_by(captures.c.lead_id).limit(limit))
    return [_make_waiting_lead(row) for row in rows]


def count_moving(session: Session, first: int, last: int) -> int:
    """How many leads with ids between those two wait for a worker, and for nothing else."""
    moving = (
        captures.c.lead_id.between(first, last),
        ~captures.c.set_aside,
        captures.c.reason.is_(None),
    )
    return session.scalars(select(func.count()).select_from(captures).where(*moving)).one()


def _make_waiting_lead(row: AnyRow) -> WaitingLeadView:
    name = " ".join(filter(None, (row.first_name, row.last_name))) or row.organization_name or ""
    return WaitingLeadView(
        id=row.lead_id,
        name=name,
        accepted_at=row.accepted_at,
        pool=row.pool,
        attempts=row.attempts,
        set_aside=row.set_aside,
        reason=row.reason,
    )


# --- deliveries ---


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """A call that came through a form or an integration, and its outcome."""

    __pydantic_config__: ClassVar = DESCRIBED

    id: int
    at: datetime
    outcome: OutcomeKind
    """accepted, ignored, invalid or refused."""
    reason: str | None
    """The reason, or another note."""
    repeats: int
    """How often it came again."""
    leads: tuple[int, ...]
    """The ids of the leads that it made."""


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """A page of deliveries."""

    __pydantic_config__: ClassVar = DESCRIBED

    deliveries: list[DeliveryView]
    """Newest first."""
    next: int | None
    """The delivery to ask before for the next page; null at the end."""


def list_deliveries(
    session: Session, source: DeliverySource, before: int | None, limit: int
) -> DeliveryPage:
    """The newest deliveries, or the newest before that one."""
    found = select(deliveries).where(source.matches())
    if before is not None:
        found = found.where(deliveries.c.id < before)
    rows = list(session.execute(found.order_by(deliveries.c.id.desc()).limit(limit + 1)))
    shown = [_make_delivery(row) for row in rows[:limit]]
    return DeliveryPage(shown, shown[-1].id if len(rows) > limit else None)


def show_delivery(session: Session, delivery_id: int) -> DeliveryView:
    """A delivery without its body."""
    return _make_delivery(
        session.execute(select(deliveries).where(deliveries.c.id == delivery_id)).one()
    )


def _make_delivery(row: AnyRow) -> DeliveryView:
    return DeliveryView(
        id=row.id,
        at=row.at,
        outcome=OutcomeKind(row.outcome),
        reason=row.reason,
        repeats=row.repeats,
        leads=tuple(row.lead_ids),
    )


# --- forms ---


@dataclass(frozen=True, slots=True)
class FormFieldView:
    """A field of a form."""

    name: str
    label: str
    type: str
    required: bool
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FormView:
    """A form, its address, and how it gets onto other pages."""

    __pydantic_config__: ClassVar = DESCRIBED

    id: int
    name: str
    slug: str
    owner: str
    """The pool or the user who gets the leads."""
    owner_id: int
    fields: list[FormFieldView]
    source: str | None
    tags: tuple[str, ...]
    thanks: str | None
    redirect_url: str | None
    origins: tuple[str, ...]
    enabled: bool
    address: str
    """The address of the hosted page."""
    iframe: str
    """A line of HTML that embeds the hosted page, on pages of the allowed origins."""
    html: str
    """A form in HTML that leads on to the hosted page."""
    created_at: datetime
    updated_at: datetime


_FORMS = (
    select(forms, users.c.name.label("owner"))
    .join(users, users.c.id == forms.c.owner_id)
    .order_by(forms.c.id)
)


def list_forms(session: Session, base: str) -> list[FormView]:
    """All forms, in the order of creation. Their addresses begin with the base."""
    return [_make_form(row, base) for row in session.execute(_FORMS)]


def show_form(session: Session, form_id: int, base: str) -> FormView | None:
    """A form, whose address begins with the base."""
    row = session.execute(_FORMS.where(forms.c.id == form_id)).one_or_none()
    return None if row is None else _make_form(row, base)


def _make_form(row: AnyRow, base: str) -> FormView:
    form = read_form(row)
    address = form.address(base)
    return FormView(
        id=form.id,
        name=form.name,
        slug=form.slug,
        owner=row.owner,
        owner_id=form.owner_id,
        fields=[FormFieldView(*field) for field in form.fields],
        source=form.source,
        tags=form.tags,
        thanks=form.thanks,
        redirect_url=form.redirect_url,
        origins=form.origins,
        enabled=form.enabled,
        address=address,
        iframe=embedding.write_iframe(form, address),
        html=embedding.write_form(form, address),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
