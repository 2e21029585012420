"""Imports, reassignments, undos and their files."""

from worker.errors.base import Conflict, NotFound, WrongUse


class UnknownRun(NotFound):
    """There is no run {run_id}. `evenhand runs list` shows all."""


class NoReceipt(NotFound):
    """Run {run_id} is no import, and has no receipt. `evenhand runs show {run_id}` tells what it
    has done."""


class NoReceiptYet(Conflict):
    """Run {run_id} is {state}: its receipt is written when it has ended."""

    exit_code = 1


class BadIds(WrongUse):
    """The ids can't be taken: {reason}. Write one a line, as numbers."""


class RepeatedRecord(WrongUse):
    """The {record_type} {record_id} is named more than once. A record has one owner: name each
    once."""


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


class UnknownHeader(WrongUse):
    """The file has no column {header!r}. Its columns: {headers}."""


class BadMapping(WrongUse):
    """{text!r} is not a mapping. Write it as "Header=field", for example "Surname=last_name"."""
