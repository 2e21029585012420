"""Runs: their kinds, their states, and the tasks that carry each kind."""

from enum import StrEnum
from typing import NamedTuple


class RunKind(StrEnum):
    """What a run does."""

    IMPORT = "import"
    REASSIGN = "reassign"
    UNDO = "undo"


IMPORT, REASSIGN, UNDO = RunKind


class RunState(StrEnum):
    """Where a run is: accepted, then scanning, then loading, and at the end one of the last three.

    A failed run goes on when it is retried.
    """

    ACCEPTED = "accepted"
    SCANNING = "scanning"
    LOADING = "loading"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class SkipReason(StrEnum):
    """Why a run leaves a record as it is: what happened to it since the run looked at it."""

    DELETED = "deleted"
    GIVEN = "given"
    EDITED = "edited"


DELETED, GIVEN, EDITED = SkipReason


class Story(NamedTuple):
    """What one kind of run is about, and its tasks: the one that finds out what is to be done,
    those that do a chunk of it, and the one that ends it."""

    about: str
    scan: str
    chunk: str
    close: str


STORIES = {
    IMPORT: Story("file", "imports.scan", "imports.load_chunk", "imports.close"),
    REASSIGN: Story("list", "reassignments.freeze", "reassignments.move", "reassignments.close"),
    UNDO: Story("other run", "undos.scan", "undos.take_back", "undos.close"),
}
