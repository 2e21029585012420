"""Runs: their kinds, their states, and the tasks that carry each kind."""

from enum import StrEnum
from typing import NamedTuple


class RunKind(StrEnum):
    """What a run does."""

    IMPORT = "import"
    REASSIGN = "reassign"
    UNDO = "undo"


class RunState(StrEnum):
    """Where a run is: accepted, then scanning, then loading, and at the end one of the last three.

    A failed run goes on when it is retried. A cancelled one still has to be closed: only then has
    it ended.
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


class RunTasks(NamedTuple):
    """The Celery tasks of one kind of run, by name, and what the first of them reads."""

    about: str
    """What the scan reads, in words."""
    scan: str
    """Finds out what is to be done, and cuts it into chunks."""
    chunk: str
    """Carries out one chunk."""
    close: str
    """Ends the run."""


RUN_TASKS = {
    RunKind.IMPORT: RunTasks("file", "imports.scan", "imports.load_chunk", "imports.close"),
    RunKind.REASSIGN: RunTasks(
        "list", "reassignments.freeze", "reassignments.move", "reassignments.close"
    ),
    RunKind.UNDO: RunTasks("other run", "undos.scan", "undos.take_back", "undos.close"),
}
"""The one place that names the tasks of runs."""
