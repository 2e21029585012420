"""A lead becomes contacts, and a deal: one turn for all that it becomes."""

from typing import NamedTuple

from sqlalchemy.orm import Session

from worker.domain.people.permissions import Action
from worker.domain.records.record_type import RecordType
from worker.domain.records.types import ColumnValues
from worker.domain.resources import ADDRESS_PARTS, CONVERSION, ResourceBody
from worker.domain.resources.faults import INCORRECT, at
from worker.domain.turns.causes import Cause
from worker.errors.records import AlreadyConverted, Fault, IncorrectPayload, LeadWaits
from worker.flows.records.edits import (
    RequestContext,
    blame_owner,
    check_allowed,
    find_owner,
    show,
)
from worker.flows.turns.assign import TurnRequest, assign
from worker.flows.unit import Unit
from worker.store.intake import captures
from worker.store.people.users import User
from worker.store.records import conversions, labels, records
from worker.store.records.records import StoredRecord
from worker.store.sql.clock import now
from worker.store.turns import pools

_ADDRESS = tuple(f"address_{part}" for part in ADDRESS_PARTS)
_PERSON = (
    "first_name", "last_name", "title", "description", "industry", "website", "email", "phone",
    "mobile", "fax", "twitter", "facebook", "linkedin", "skype", *_ADDRESS, "tags", "custom_fields",
)  # fmt: skip
_WITH_A_PERSON = ("industry", "website", *_ADDRESS, "tags")
"""The columns that an organization gets from a lead that also becomes a person."""


class ConversionOrder(NamedTuple):
    """The choices of a request. Without an owner, the lead's owner gets the new records."""

    lead_id: int
    owner_id: int | None = None
    create_deal: bool = True


class MadeRecords(NamedTuple):
    """The ids of the records that a lead became."""

    individual: int | None
    organization: int | None
    deal: int | None

    def list_records(self) -> list[tuple[RecordType, int]]:
        """Type and id of each record, the main contact first."""
        everything = (
            (RecordType.CONTACT, self.individual),
            (RecordType.CONTACT, self.organization),
            (RecordType.DEAL, self.deal),
        )
        return [(record_type, number) for record_type, number in everything if number is not None]


def convert(unit: Unit, context: RequestContext, order: ConversionOrder) -> ResourceBody:
    """Makes a person of a last name, an organization of an organization's name, both if the lead
    has both, and a deal unless the request declines it. One owner gets everything. A lead is
    converted once: the same request again gets the first conversion.

    Raises AlreadyConverted for a different request, LeadWaits, InsufficientScope,
    IncorrectPayload.
    """
    # Look for the lead first: it may be converted before the next look.
    seen = records.find_live(unit, RecordType.LEAD, order.lead_id)
    if (done := _find_done(unit, order)) is not None:
        return done
    if seen is None:
        raise _refuse_unknown(order.lead_id)
    owner = _find_owner(unit, order, seen)
    lead = records.find_live(unit, RecordType.LEAD, order.lead_id, lock=True)
    if (done := _find_done(unit, order)) is not None:
        return done
    if lead is None:
        raise _refuse_unknown(order.lead_id)
    check_allowed(context.actor, Action.EDIT, lead.owner_id, lead.creator_id)
    made = _make(unit, context, lead, owner.id, with_deal=order.create_deal)
    turn = _assign(unit, context, made, lead, owner) if owner.is_pool else None
    records.change(unit, RecordType.LEAD, lead.id, {"deleted_at": now()})
    conversion_id = conversions.add(
        unit,
        **order._asdict(),
        individual_id=made.individual,
        organization_id=made.organization,
        deal_id=made.deal,
        pool_id=None if turn is None else owner.id,
        turn=turn,
        creator_id=context.actor.id,
    )
    return show(unit, CONVERSION, conversion_id)


def _find_done(session: Session, order: ConversionOrder) -> ResourceBody | None:
    done = conversions.find_of_lead(session, order.lead_id)
    if done is None:
        return None
    if (done.owner_id, done.create_deal) != (order.owner_id, order.create_deal):
        raise AlreadyConverted(lead_id=order.lead_id, conversion_id=done.id)
    return show(session, CONVERSION, done.id)


def _refuse_unknown(lead_id: int) -> IncorrectPayload:
    message = f"names lead {lead_id}, which is not there"
    return IncorrectPayload.of(CONVERSION.type, [Fault(at("lead_id"), INCORRECT, message)])


def _find_owner(unit: Unit, order: ConversionOrder, lead: StoredRecord) -> User:
    """A person, or a pool that shares contacts, or deals when one is made. It is locked before the
    lead is. Raises LeadWaits, IncorrectPayload."""
    if captures.find(unit, lead.id):
        raise LeadWaits(lead_id=lead.id)
    owner_id = order.owner_id or lead.owner_id
    pool = pools.find_live(unit, owner_id)
    shares_deals = pool is not None and pool.record_type is RecordType.DEAL
    record_type = RecordType.DEAL if shares_deals and order.create_deal else RecordType.CONTACT
    return find_owner(unit, record_type, owner_id)


def _make(
    session: Session,
    context: RequestContext,
    stored: StoredRecord,
    owner_id: int,
    *,
    with_deal: bool,
) -> MadeRecords:
    lead, actor_id = stored.columns, context.actor.id

    def add(record_type: RecordType, columns: ColumnValues) -> int:
        labels.register(session, record_type, labels.collect_names([columns]), actor_id)
        return records.add(session, record_type, owner_id, {**columns, "creator_id": actor_id})

    person = organization = deal = None
    if lead["organization_name"]:
        without_person = [name for name in _PERSON if name not in ("first_name", "last_name")]
        names = _WITH_A_PERSON if lead["last_name"] else without_person
        columns = {name: lead[name] for name in ("organization_name", *names)}
        organization = add(RecordType.CONTACT, columns)
    if lead["last_name"]:
        columns = {name: lead[name] for name in _PERSON} | {"contact_id": organization}
        person = add(RecordType.CONTACT, columns)
    if with_deal:
        columns = {
            "name": lead["organization_name"] or _join_full_name(lead),
            "contact_id": person or organization,
            "source": lead["source"],
            "tags": lead["tags"],
            "value": 0,
            "currency": context.currency,
        }
        deal = add(RecordType.DEAL, columns)
    return MadeRecords(person, organization, deal)


def _join_full_name(lead: ColumnValues) -> str:
    return " ".join(filter(None, (lead["first_name"], lead["last_name"])))


def _assign(
    unit: Unit, context: RequestContext, made: MadeRecords, lead: StoredRecord, owner: User
) -> int:
    """Takes one turn of the pool, and enters it for the record that the pool shares. The other
    records name the same turn, and go to the same member. Returns the turn."""
    shared_type = pools.get(unit, owner.id).record_type
    everything = made.list_records()
    shared_id = next(number for record_type, number in everything if record_type is shared_type)
    request = TurnRequest(context.claim, shared_id, lead.owner_id, context.actor.id)
    with blame_owner(shared_type):
        owners = assign(unit, owner.id, shared_type, [request], Cause.CONVERT)
    given = records.find(unit, shared_type, shared_id)
    assert given is not None
    assert given.turn is not None
    same_turn = {"owner_id": owners[shared_id], "pool_id": owner.id, "turn": given.turn}
    for record_type, number in everything:
        if (record_type, number) != (shared_type, shared_id):
            records.change(unit, record_type, number, same_turn)
    return given.turn
