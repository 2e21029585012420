"""Records, and what a request says of them."""

from collections.abc import Sequence
from typing import NamedTuple

from worker.errors.base import Conflict, NotFound, WrongUse


class Fault(NamedTuple):
    """What is wrong with one field of a request: where, as a JSON pointer; a code for programs; a
    sentence for people, and more of it."""

    field: str
    code: str
    message: str
    details: str = ""


class IncorrectPayload(WrongUse):
    """The {resource} can't be taken: {reasons}."""

    faults: tuple[Fault, ...] = ()

    @classmethod
    def of(cls, resource: str, faults: Sequence[Fault]) -> "IncorrectPayload":
        error = cls(
            resource=resource,
            reasons="; ".join(f"{fault.field} {fault.message}" for fault in faults),
        )
        error.faults = tuple(faults)
        return error


class UnknownRecord(NotFound):
    """There is no {record_type} {record_id}."""


class SeveralMatches(Conflict):
    """Several {resource} match, and only one can be updated. Ask for one by what no other has."""


class AlreadyConverted(Conflict):
    """Lead {lead_id} is converted already, by another request: lead conversion {conversion_id}
    tells into what."""


class LeadWaits(WrongUse):
    """Lead {lead_id} waits for its owner. Give it one, or wait until it has one, and convert it
    then."""


class KeyReused(WrongUse):
    """The Idempotency-Key {key!r} was used for another request within the last 24 hours. Choose one
    for each request."""


class BadLead(WrongUse):
    """The lead can't be taken: {reason}."""


class UnknownField(WrongUse):
    """A {record_type} has no field {field!r}. Its fields: {fields}. Anything else is kept as a
    custom field without --map."""
