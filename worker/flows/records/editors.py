"""The editors of everything that requests can create, change and delete, by path."""

from collections.abc import Mapping
from typing import Protocol

from worker.domain.records.editing import Values
from worker.domain.records.types import DESCRIPTIONS
from worker.domain.resources import LEAD_SOURCE, TAG, ResourceBody
from worker.flows.records.edits import RecordEditor, RequestContext
from worker.flows.records.labels import LabelEditor
from worker.flows.unit import Unit
from worker.store.records import labels


class Editor(Protocol):
    """Creates, updates and deletes the resources of one path."""

    def create(self, unit: Unit, context: RequestContext, values: Values, /) -> ResourceBody:
        """Creates one, and returns it as it is shown."""

    def update(
        self, unit: Unit, context: RequestContext, resource_id: int, values: Values, /
    ) -> ResourceBody:
        """Changes the named values of one, and returns it as it is shown."""

    def delete(self, unit: Unit, context: RequestContext, resource_id: int, /) -> None:
        """Deletes one."""


RECORD_EDITORS: Mapping[str, RecordEditor] = {
    description.path: RecordEditor(description) for description in DESCRIPTIONS.values()
}

EDITORS: Mapping[str, Editor] = {
    **RECORD_EDITORS,
    LEAD_SOURCE.path: LabelEditor(LEAD_SOURCE, labels.SOURCE),
    TAG.path: LabelEditor(TAG, labels.TAG),
}
