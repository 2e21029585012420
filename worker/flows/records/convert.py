"""A lead becomes a contact, and a deal: one turn for all that it becomes."""

from typing import Any, NamedTuple

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.domain.people.permissions import Action, Actor, allowed
from worker.domain.records.editing import INCORRECT, at
from worker.domain.resources import ADDRESS_PARTS, CONVERSION
from worker.domain.turns.causes import Cause
from worker.errors.base import InsufficientScope
from worker.errors.records import AlreadyConverted, Fault, IncorrectPayload, LeadWaits
from worker.flows.records.columns import Columns
from worker.flows.records.edits import RequestContext, owner_at_fault, owner_for, shown
from worker.flows.turns.assign import Request, assign
from worker.flows.unit import Unit
from worker.settings import settings
from worker.store.intake import captures
from worker.store.records import conversions, labels, records
from worker.store.sql.clock import now
from worker.store.turns import pools
from worker.store.views.facts import Facts

_ADDRESS = tuple(f"address_{part}" for part in ADDRESS_PARTS)
_PERSON = (
    "first_name", "last_name", "title", "description", "industry", "website", "email", "phone", "mobile", "fax",
    "twitter", "facebook", "linkedin", "skype", *_ADDRESS, "tags", "custom_fields",
)  # fmt: skip
_WITH_A_PERSON = ("industry", "website", *_ADDRESS, "tags")
"""What a lead tells of the organization when it names a person, too."""


class Conversion(NamedTuple):
    """What is asked for. Without an owner, the lead's owner gets what is made."""

    lead_id: int
    owner_id: int | None = None
    create_deal: bool = True


class Made(NamedTuple):
    """What a lead became, by record type and id."""

    individual: int | None
    organization: int | None
    deal: int | None

    @property
    def contact(self) -> int:
        return self.individual or self.organization or 0

    def each(self) -> list[tuple[str, int]]:
        everything = (
            ("contact", self.individual),
            ("contact", self.organization),
            ("deal", self.deal),
        )
        return [
            (record_type, record_id)
            for record_type, record_id in everything
            if record_id is not None
        ]


def convert(unit: Unit, context: RequestContext, asked: Conversion) -> Facts:
    """Makes a person of a last name, an organization of an organization's name, both if the lead
    has both, and a deal unless told otherwise. Everything goes to one owner. A lead is converted
    once: asked again, the first conversion is given back.

    Raises AlreadyConverted when it was another request that did it, LeadWaits, InsufficientScope,
    IncorrectPayload.
    """
    seen = records.live(
        unit, "lead", asked.lead_id
    )  # first: somebody may convert it before the next look
    if (done := conversions.of_lead(unit, asked.lead_id)) is not None:
        return _again(unit, asked, done)
    if seen is None:
        raise _unknown(asked.lead_id)
    actor, owner = context.actor, _owner(unit, asked, seen)
    lead = records.live(unit, "lead", asked.lead_id, lock=True)
    if (done := conversions.of_lead(unit, asked.lead_id)) is not None:
        return _again(unit, asked, done)
    if lead is None:
        raise _unknown(asked.lead_id)
    if not allowed(actor, Action.EDIT, lead.owner_id, lead.creator_id):
        raise InsufficientScope(action=Action.EDIT)
    made = _make(unit, lead, owner.id, actor, with_deal=asked.create_deal)
    pool_id, turn = _assign(unit, context, made, lead, owner) if owner.is_pool else (None, None)
    records.change(unit, "lead", lead.id, {"deleted_at": now()})
    ids = {
        "individual_id": made.individual,
        "organization_id": made.organization,
        "deal_id": made.deal,
    }
    conversion_id = conversions.add(
        unit, **asked._asdict(), **ids, pool_id=pool_id, turn=turn, creator_id=actor.id
    )
    return shown(unit, CONVERSION, conversion_id)


def _again(session: Session, asked: Conversion, done: Row[Any]) -> Facts:
    if (done.owner_id, done.create_deal) != (asked.owner_id, asked.create_deal):
        raise AlreadyConverted(lead_id=asked.lead_id, conversion_id=done.id)
    return shown(session, CONVERSION, done.id)


def _unknown(lead_id: int) -> IncorrectPayload:
    return IncorrectPayload.of(
        CONVERSION.type,
        [Fault(at("lead_id"), INCORRECT, f"names lead {lead_id}, which is not there")],
    )


def _owner(unit: Unit, asked: Conversion, lead: Row[Any]) -> Row[Any]:
    """A user; or a pool that shares contacts, or deals when one is made. It is held before the lead
    is."""
    if captures.find(unit, lead.id):
        raise LeadWaits(lead_id=lead.id)
    owner_id = asked.owner_id or lead.owner_id
    pool = pools.with_id(unit, owner_id)
    shares_deals = pool is not None and pool.record_type == "deal" and asked.create_deal
    return owner_for(unit, "deal" if shares_deals else "contact", owner_id)


def _make(
    session: Session, lead: Row[Any], owner_id: int, actor: Actor, *, with_deal: bool
) -> Made:
    def add(record_type: str, columns: Columns) -> int:
        labels.register(session, record_type, labels.labels_of([columns]), actor.id)
        return records.add(session, record_type, owner_id, {**columns, "creator_id": actor.id})

    person = organization = deal = None
    if lead.organization_name:
        told = (
            _WITH_A_PERSON
            if lead.last_name
            else [name for name in _PERSON if name not in ("first_name", "last_name")]
        )
        organization = add(
            "contact", {**_parts(lead, told), "organization_name": lead.organization_name}
        )
    if lead.last_name:
        person = add("contact", {**_parts(lead, _PERSON), "contact_id": organization})
    if with_deal:
        name = lead.organization_name or " ".join(filter(None, (lead.first_name, lead.last_name)))
        about = {
            "name": name,
            "contact_id": person or organization,
            "source": lead.source,
            "tags": lead.tags,
        }
        deal = add("deal", {**about, "value": 0, "currency": settings().currency})
    return Made(person, organization, deal)


def _parts(lead: Row[Any], names: Any) -> Columns:
    return {name: getattr(lead, name) for name in names}


def _assign(
    unit: Unit, context: RequestContext, made: Made, lead: Row[Any], owner: Row[Any]
) -> tuple[int, int]:
    """One turn, entered for the contact or the deal, as the pool shares them. The others name it,
    too: they go to the same member."""
    pool = pools.get(unit, owner.id)
    record_id = made.deal if pool.record_type == "deal" and made.deal else made.contact
    request = Request(context.claim, record_id, lead.owner_id, context.actor.id)
    with owner_at_fault(pool.record_type):
        owners = assign(unit, pool.id, pool.record_type, [request], Cause.CONVERT)
    given = records.with_id(unit, pool.record_type, record_id)
    assert given is not None
    for record_type, other in made.each():
        if (record_type, other) != (pool.record_type, record_id):
            shared = {"owner_id": owners[record_id], "pool_id": pool.id, "turn": given.turn}
            records.change(unit, record_type, other, shared)
    return pool.id, given.turn
