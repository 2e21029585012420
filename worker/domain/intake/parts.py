"""Parts of a delivery: the whole one, or each event or object of several."""

from dataclasses import dataclass
from enum import StrEnum

from worker.domain.intake.leads import LeadValues


@dataclass(frozen=True, slots=True)
class DeliveryPart:
    """A part, and the key by which a repeat is known."""

    key: str
    content: object
    former_key: str | None = None
    """The key that the same part had a moment ago, if keys change with the time."""


@dataclass(frozen=True, slots=True)
class IncomingLead:
    """A part that is a lead."""

    values: LeadValues
    object_id: str | None = None
    """The sender's number of it, if more must be fetched about it."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A part that doesn't concern a new lead."""

    reason: str


@dataclass(frozen=True, slots=True)
class Invalid:
    """A part that should be a lead, and can't be one."""

    reason: str


PartContent = IncomingLead | Ignored | Invalid


class OutcomeKind(StrEnum):
    """How a delivery ended."""

    ACCEPTED = "accepted"
    """It made leads."""
    IGNORED = "ignored"
    """It is about something else."""
    INVALID = "invalid"
    """It makes no lead as it is."""
    REFUSED = "refused"
    """Its sender couldn't prove who they are, or it can't be read."""


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """How a delivery ended, why, and the leads that it made."""

    kind: OutcomeKind
    reason: str | None = None
    lead_ids: tuple[int, ...] = ()
