"""Runs: what kinds there are, and which tasks carry each on."""

from typing import NamedTuple

IMPORT, REASSIGN, UNDO = "import", "reassign", "undo"

DELETED, GIVEN, EDITED = "deleted", "given", "edited"
"""Why a run leaves a record as it is: since the run looked at it, it was deleted, got another
owner, or was edited."""


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
