"""Submissions of a form. Each becomes a lead, once. Every submission is listed.

A form is served with a token that is signed, dated, and good for that form only. The token holds a
number by which a submission is recognized, however often it comes, even several times at once.
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from worker.domain.intake.forms import Form
from worker.domain.intake.leads import LeadValues, parse_lead
from worker.domain.intake.parts import DeliveryOutcome, OutcomeKind
from worker.domain.intake.submissions import read_submission
from worker.domain.records.fields import TAGS
from worker.domain.records.record_type import RecordType
from worker.domain.storable import is_storable
from worker.errors.intake import TokenExpired, TokenUsed, TooSoon, UnknownForm
from worker.errors.records import IncorrectPayload
from worker.errors.servers import Unreadable
from worker.flows.intake import capture
from worker.flows.intake.owners import describe_inactive, find_owner
from worker.flows.system import System
from worker.flows.unit import Unit
from worker.secret_box import SecretBox
from worker.store.intake import deliveries, forms
from worker.store.intake.deliveries import Delivery, DeliverySource
from worker.store.records import records

TOKEN_HOURS = 2
TOKEN_SECONDS = TOKEN_HOURS * 3600

QUICKEST_SECONDS = 2
"""No person fills in a form faster."""

NUMBER_BYTES = 16

TRAPPED = "It filled the field that nobody sees, as programs do. Nothing was kept of it."


@dataclass(frozen=True, slots=True)
class Submission:
    """A submission of a form."""

    fields: Mapping[str, object]
    """Values by the names of the form's fields."""
    token: str
    trap: str = ""
    """The text in the hidden field, which people don't see."""


def find_open_form(session: Session, slug: str) -> Form:
    """The form with that slug, if it is enabled. Raises UnknownForm."""
    form = forms.find_by_slug(session, slug.lower()) if is_storable(slug) else None
    if form is None or not form.enabled:
        raise UnknownForm(name=slug)
    return form


def make_token(secret_box: SecretBox, form: Form) -> str:
    """A token that is served with the form, and comes back with the visitor's values."""
    return secret_box.seal(f"{form.id} {secrets.token_hex(NUMBER_BYTES)}")


def submit(system: System, secret_box: SecretBox, form: Form, sent: Submission) -> int | None:
    """Stores a submission as a lead, and returns its id: the same id for a repeat. None for a
    submission that fell into the trap.

    Raises TokenExpired, IncorrectPayload, TooSoon, TokenUsed, UnknownForm.
    """
    if sent.trap:
        outcome = DeliveryOutcome(OutcomeKind.REFUSED, TRAPPED)
        system.transact(_note, form.id, secrets.token_hex(NUMBER_BYTES), outcome)
        return None
    number = _read_number(secret_box, form, sent.token)
    submitted = read_submission(form.fields, sent.fields)
    if submitted.faults:
        reason = " ".join(fault.message for fault in submitted.faults)
        outcome = DeliveryOutcome(OutcomeKind.INVALID, reason)
        system.transact(_note, form.id, number, outcome)
        raise IncorrectPayload.of("form", submitted.faults)
    if secret_box.age_seconds(sent.token, time.time()) < QUICKEST_SECONDS:
        raise TooSoon(seconds=QUICKEST_SECONDS)
    return system.transact(_accept, form.id, number, submitted.values)


def _read_number(secret_box: SecretBox, form: Form, token: str) -> str:
    """The number in a token of that form. Raises TokenExpired."""
    try:
        form_id, _, number = secret_box.open(token, TOKEN_SECONDS).partition(" ")
    except Unreadable:
        form_id, number = "", ""
    if form_id != str(form.id):
        raise TokenExpired(hours=TOKEN_HOURS, path=form.address(""))
    return number


def _note(unit: Unit, form_id: int, number: str, outcome: DeliveryOutcome) -> None:
    """Lists a submission that made no lead. If it made a lead before, it only counts the repeat."""
    _lock_form(unit, form_id)
    source = DeliverySource.form(form_id)
    earlier = _lock_earlier(unit, source, number)
    if earlier is None:
        deliveries.add(unit, source, number, outcome)
        return
    deliveries.count_repeats(unit, [earlier.id])
    if earlier.outcome.kind is not OutcomeKind.ACCEPTED:
        deliveries.change(unit, earlier.id, outcome)


def _accept(unit: Unit, form_id: int, number: str, values: Mapping[str, str]) -> int:
    form, source = _lock_form(unit, form_id), DeliverySource.form(form_id)
    lead, earlier = _make_lead(form, values), _lock_earlier(unit, source, number)
    if earlier is not None and earlier.outcome.kind is OutcomeKind.ACCEPTED:
        return _repeat(unit, form, earlier, lead)
    owner = find_owner(unit, form.owner_id)
    [lead_id] = capture.store_leads(unit, owner.id, [lead], None, waits=owner.is_pool)
    outcome = DeliveryOutcome(OutcomeKind.ACCEPTED, describe_inactive(owner), (lead_id,))
    if earlier is None:
        deliveries.add(unit, source, number, outcome)
    else:
        deliveries.change(unit, earlier.id, outcome)
    return lead_id


def _lock_form(unit: Unit, form_id: int) -> Form:
    """The form as it is now. It can't be removed until the transaction ends. Raises UnknownForm."""
    unit.limit_statement_time()
    form = forms.lock_shared(unit, form_id)
    if form is None or not form.enabled:
        raise UnknownForm(name=form_id)
    return form


def _lock_earlier(session: Session, source: DeliverySource, number: str) -> Delivery | None:
    """The delivery that came before with the same token, if one did."""
    found = deliveries.find(session, source, number)
    return None if found is None else deliveries.lock(session, found.id)


def _repeat(session: Session, form: Form, earlier: Delivery, lead: LeadValues) -> int:
    """The id of the lead that the same submission made before. Raises TokenUsed for another
    submission with the same token, which would be lost otherwise."""
    [lead_id] = earlier.outcome.lead_ids
    stored = records.find(session, RecordType.LEAD, lead_id)
    if stored is not None and any(stored.columns[name] != value for name, value in lead.items()):
        raise TokenUsed(path=form.address(""))
    deliveries.count_repeats(session, [earlier.id])
    return lead_id


def _make_lead(form: Form, values: Mapping[str, str]) -> LeadValues:
    """The values that are stored for a lead. A field that was left blank doesn't replace the form's
    source."""
    typed = {name: value for name, value in values.items() if value}
    return parse_lead({"source": form.source, **typed, TAGS: list(form.tags)})
