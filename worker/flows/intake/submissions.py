"""Submissions: what a visitor sends through a form becomes a lead, once; and whatever comes is
listed.

A form is given out with a token, which is signed, dated and of that form alone. What is sent with
it is known again by the token's number, however often it comes and however many come at once.
"""

import secrets
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.domain.intake import submissions
from worker.domain.intake.forms import Form
from worker.domain.intake.leads import lead_values
from worker.domain.records.fields import TAGS
from worker.domain.records.record_type import RecordType
from worker.domain.storable import is_storable
from worker.errors.intake import TokenExpired, TokenUsed, TooSoon, UnknownForm
from worker.errors.records import IncorrectPayload
from worker.errors.servers import Unreadable
from worker.flows.intake import capture
from worker.flows.intake.forms import PATH
from worker.flows.system import System
from worker.secret_box import SecretBox
from worker.store.intake import deliveries, forms
from worker.store.intake.deliveries import ACCEPTED, INVALID, REFUSED, Became, DeliverySource
from worker.store.intake.forms import form_of
from worker.store.people import users
from worker.store.people.users import User
from worker.store.records import records
from worker.store.sql import engine

TOKEN_HOURS = 2
TOKEN_SECONDS = TOKEN_HOURS * 3600

QUICKEST_SECONDS = 2
"""Nobody fills in a form faster."""

NUMBER_BYTES = 16

A_TRAP = "It filled the field that nobody sees, as programs do. Nothing was kept of it."


class Submission(NamedTuple):
    """What was sent: values by field, the token that came with the form, and what stands in the
    field that nobody sees."""

    fields: Mapping[str, Any]
    token: str
    trap: str = ""


def form_at(session: Session, slug: str) -> Form:
    """The form with that slug, if it may be filled in. Raises UnknownForm."""
    row = forms.with_slug(session, slug.lower()) if is_storable(slug) else None
    if row is None or not row.enabled:
        raise UnknownForm(name=slug)
    return form_of(row)


def new_token(secret_box: SecretBox, form: Form) -> str:
    """A token that comes with the form, and goes back with what is typed into it."""
    return secret_box.seal(f"{form.id} {secrets.token_hex(NUMBER_BYTES)}")


def submit(system: System, secret_box: SecretBox, form: Form, sent: Submission) -> int | None:
    """Stores what was sent as a lead, and returns its id; the same id, if it had come before. None
    for what fell into the trap.

    Raises TokenExpired, IncorrectPayload, TooSoon, TokenUsed, UnknownForm.
    """
    if sent.trap:
        system.transact(
            _note,
            form_id=form.id,
            number=secrets.token_hex(NUMBER_BYTES),
            became=Became(REFUSED, A_TRAP),
        )
        return None
    number = _number(secret_box, form, sent.token)
    values, faults = submissions.read(form.fields, sent.fields)
    if faults:
        reason = " ".join(fault.message for fault in faults)
        system.transact(_note, form_id=form.id, number=number, became=Became(INVALID, reason))
        raise IncorrectPayload.of("form", faults)
    if secret_box.age_seconds(sent.token, time.time()) < QUICKEST_SECONDS:
        raise TooSoon(seconds=QUICKEST_SECONDS)
    return system.transact(_accept, form_id=form.id, number=number, values=values)


def _number(secret_box: SecretBox, form: Form, token: str) -> str:
    """The number within a token of that form. Raises TokenExpired."""
    try:
        form_id, _, number = secret_box.open(token, TOKEN_SECONDS).partition(" ")
    except Unreadable:
        form_id, number = "", ""
    if form_id != str(form.id):
        raise TokenExpired(hours=TOKEN_HOURS, path=f"{PATH}/{form.slug}")
    return number


def _note(session: Session, form_id: int, number: str, became: Became) -> None:
    """Lists what made no lead; unless a lead was made of it before, which nothing can take back."""
    _held(session, form_id)
    source = DeliverySource.form(form_id)
    before = _before(session, source, number)
    if before is None:
        deliveries.add(session, source, number, became)
        return
    deliveries.count_repeat(session, before.id)
    if before.outcome != ACCEPTED:
        deliveries.change(session, before.id, became)


def _accept(session: Session, form_id: int, number: str, values: Mapping[str, str]) -> int:
    form, source = _held(session, form_id), DeliverySource.form(form_id)
    lead, before = _lead(form, values), _before(session, source, number)
    if before is not None and before.outcome == ACCEPTED:
        return _again(session, form, before, lead)
    owner = users.get(session, form.owner_id)
    [lead_id] = capture.accept_for(session, owner.id, [lead], None, waits=owner.is_pool)
    became = Became(ACCEPTED, _remark(owner), [lead_id])
    if before is None:
        deliveries.add(session, source, number, became)
    else:
        deliveries.change(session, before.id, became)
    return lead_id


def _held(session: Session, form_id: int) -> Form:
    """The form as it is now; for the while it stays. Raises UnknownForm."""
    engine.limit_statement_time(session)
    row = forms.hold(session, form_id)
    if row is None or not row.enabled:
        raise UnknownForm(name=form_id)
    return form_of(row)


def _before(session: Session, source: DeliverySource, number: str) -> Row[Any] | None:
    """What came before with the same token, if anything did. Nobody else changes it meanwhile."""
    found = deliveries.find(session, source, number)
    return None if found is None else deliveries.hold(session, found.id)


def _again(session: Session, form: Form, before: Row[Any], lead: Mapping[str, Any]) -> int:
    """The id of the lead that the same submission has made. Raises TokenUsed for another one: it
    would be lost otherwise."""
    [lead_id] = before.lead_ids
    stored = records.find(session, RecordType.LEAD, lead_id)
    if stored is not None and any(stored.columns[name] != value for name, value in lead.items()):
        raise TokenUsed(path=f"{PATH}/{form.slug}")
    deliveries.count_repeat(session, before.id)
    return int(lead_id)


def _lead(form: Form, values: Mapping[str, str]) -> dict[str, Any]:
    """What is stored of a lead. What was left blank leaves the form's own source as it is."""
    typed = {name: value for name, value in values.items() if value}
    return lead_values({"source": form.source, **typed, TAGS: list(form.tags)})


def _remark(owner: User) -> str | None:
    if owner.is_active:
        return None
    if owner.is_pool:
        return f"The pool {owner.name} is deleted: the lead waits until it is given another owner."
    return f"{owner.name} is deactivated, and has got the lead all the same."
