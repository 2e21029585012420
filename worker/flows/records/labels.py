"""Sources and tags by themselves: created, renamed and removed, also on the records that have
them."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from worker.domain.people.permissions import Action
from worker.domain.records.editing import Values
from worker.domain.records.fields import LONGEST_INDEXED_CHARACTERS
from worker.domain.records.record_type import RecordType
from worker.domain.resources import Resource, ResourceBody
from worker.domain.resources.faults import INCORRECT, at, check_needed
from worker.errors.records import Fault, IncorrectPayload, UnknownRecord
from worker.flows.records.edits import RequestContext, check_allowed, show
from worker.flows.unit import Unit
from worker.store.records import labels
from worker.store.records.labels import LabelKey, StoredLabel


@dataclass(frozen=True)
class LabelEditor:
    """Edits the labels of one kind."""

    resource: Resource
    kind: str

    def create(self, unit: Unit, context: RequestContext, values: Values) -> ResourceBody:
        """Creates a label. Raises IncorrectPayload."""
        for name in self.resource.needs:
            check_needed(self.resource, values, (name,))
        record_type = RecordType(values.get("resource_type") or RecordType.LEAD)
        key = self._check_name(unit, values, record_type)
        return show(unit, self.resource, labels.add(unit, key, context.actor.id))

    def update(
        self, unit: Unit, context: RequestContext, label_id: int, values: Values
    ) -> ResourceBody:
        """Renames a label, on all records that have it. The type of the records can't change.
        Raises UnknownRecord, InsufficientScope, IncorrectPayload."""
        label = self._lock(unit, context, label_id)
        if values.get("resource_type", label.resource_type) != label.resource_type:
            raise self._refuse("resource_type", INCORRECT, "can't change")
        if values.get("name", label.name) != label.name:
            labels.rename(unit, label, self._check_name(unit, values, label.resource_type).name)
        return show(unit, self.resource, label_id)

    def delete(self, unit: Unit, context: RequestContext, label_id: int) -> None:
        """Removes a label, also from all records that have it. Raises UnknownRecord,
        InsufficientScope."""
        labels.remove(unit, self._lock(unit, context, label_id))

    def _check_name(self, session: Session, values: Values, record_type: RecordType) -> LabelKey:
        check_needed(self.resource, values, ("name",))
        key = LabelKey(self.kind, record_type, str(values["name"]))
        if len(key.name) > LONGEST_INDEXED_CHARACTERS:
            reason = f"is longer than {LONGEST_INDEXED_CHARACTERS} characters"
            raise self._refuse("name", INCORRECT, reason)
        if labels.find(session, key):
            raise self._refuse("name", "already_exists", f"{key.name!r} is there already")
        return key

    def _lock(self, session: Session, context: RequestContext, label_id: int) -> StoredLabel:
        """A label that the actor may change: their own, or any for an admin."""
        label = labels.lock(session, self.kind, label_id)
        if label is None:
            raise UnknownRecord(
                record_type=self.resource.type.replace("_", " "), record_id=label_id
            )
        check_allowed(context.actor, Action.ANOTHERS, label.creator_id)
        return label

    def _refuse(self, name: str, code: str, message: str) -> IncorrectPayload:
        return IncorrectPayload.of(self.resource.type, [Fault(at(name), code, message)])
