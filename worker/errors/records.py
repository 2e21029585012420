"""Records and runs."""

from collections.abc import Sequence
from typing import NamedTuple

from worker.errors.base import Conflict, NotFound, WrongUse


class Fault(NamedTuple):
    """What is wrong with one field of a request: where, as a JSON pointer; a code for programs; a sentence for people, and more of it."""

    field: str
    code: str
    message: str
    details: str = ""


class IncorrectPayload(WrongUse):
    """The {resource} can't be taken: {reasons}."""

    faults: tuple[Fault, ...] = ()

    @classmethod
    def of(cls, resource: str, faults: Sequence[Fault]) -> "IncorrectPayload":
        error = cls(resource=resource, reasons="; ".join(f"{fault.field} {fault.message}" for fault in faults))
        error.faults = tuple(faults)
        return error


class UnknownRecord(NotFound):
    """There is no {record_type} {record_id}."""


class SeveralMatches(Conflict):
    """Several {resource} match, and only one can be updated. Ask for one by what no other has."""


class AlreadyConverted(Conflict):
    """Lead {lead_id} is converted already, by another request: lead conversion {conversion_id} tells into what."""


class LeadWaits(WrongUse):
    """Lead {lead_id} waits for its owner. Give it one, or wait until it has one, and convert it then."""


class KeyReused(WrongUse):
    """The Idempotency-Key {key!r} was used for another request within the last 24 hours. Choose one for each request."""


class BadLead(WrongUse):
    """The lead can't be taken: {reason}."""


class UnknownRun(NotFound):
    """There is no run {run_id}. `evenhand runs list` shows all."""


class NoReceipt(NotFound):
    """Run {run_id} is no import, and has no receipt. `evenhand runs show {run_id}` tells what it has done."""


class BadIds(WrongUse):
    """The ids can't be taken: {reason}. Write one a line, as numbers."""


class RepeatedRecord(WrongUse):
    """The {record_type} {record_id} is named more than once. A record has one owner: name each once."""


class NoReceiptYet(Conflict):
    """Run {run_id} is {state}: its receipt is written when it has ended."""

    exit_code = 1


class RunEnded(Conflict):
    """Run {run_id} is {state}: there is nothing left to cancel."""


class NothingToRetry(Conflict):
    """Run {run_id} is {state}: only a run that failed can be tried again."""


class NotUndoable(Conflict):
    """Run {run_id} can't be undone: {reason}."""


class FileGone(NotFound):
    """The file {name} is gone from the upload storage."""

    exit_code = 1


class UnreadableFile(WrongUse):
    """The file can't be imported: {reason}"""


class UnknownField(WrongUse):
    """A {record_type} has no field {field!r}. Its fields: {fields}. Anything else is kept as a custom field without --map."""


class UnknownHeader(WrongUse):
    """The file has no column {header!r}. Its columns: {headers}."""


class BadMapping(WrongUse):
    """{text!r} is not a mapping. Write it as "Header=field", for example "Surname=last_name"."""
