"""Labels by themselves: sources and tags made, renamed and removed, together with what records bear
of them."""

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.domain.people.permissions import Action, Actor, allowed
from worker.domain.records.editing import Values, at, check_needed
from worker.domain.records.fields import LONGEST_INDEXED_CHARACTERS
from worker.domain.resources import LEAD_SOURCE, TAG, Resource
from worker.errors.base import InsufficientScope
from worker.errors.records import Fault, IncorrectPayload, UnknownRecord
from worker.flows.records.edits import RequestContext, shown
from worker.store.records import labels
from worker.store.views.facts import Facts

KINDS = {LEAD_SOURCE.path: labels.SOURCE, TAG.path: labels.TAG}


def create(session: Session, asking: RequestContext, resource: Resource, values: Values) -> Facts:
    for name in resource.needs:
        check_needed(resource, values, (name,))
    bearer = values.get("resource_type") or "lead"
    name = _name(session, resource, values, bearer)
    return shown(
        session, resource, labels.add(session, KINDS[resource.path], bearer, name, asking.actor.id)
    )


def update(
    session: Session, asking: RequestContext, resource: Resource, label_id: int, values: Values
) -> Facts:
    """Renames it, on all records that bear it. It goes on belonging to the same type of records."""
    label = _own(session, asking.actor, resource, label_id)
    if values.get("resource_type", label.resource_type) != label.resource_type:
        raise IncorrectPayload.of(
            resource.type, [Fault(at("resource_type"), "incorrect_value", "can't change")]
        )
    if values.get("name", label.name) != label.name:
        labels.rename(session, label, _name(session, resource, values, label.resource_type))
    return shown(session, resource, label_id)


def delete(session: Session, asking: RequestContext, resource: Resource, label_id: int) -> None:
    labels.remove(session, _own(session, asking.actor, resource, label_id))


def _name(session: Session, resource: Resource, values: Values, bearer: str) -> str:
    check_needed(resource, values, ("name",))
    name = str(values["name"])
    if len(name) > LONGEST_INDEXED_CHARACTERS:
        reason = f"is longer than {LONGEST_INDEXED_CHARACTERS} characters"
        raise IncorrectPayload.of(resource.type, [Fault(at("name"), "incorrect_value", reason)])
    if labels.find(session, KINDS[resource.path], bearer, name):
        raise IncorrectPayload.of(
            resource.type, [Fault(at("name"), "already_exists", f"{name!r} is there already")]
        )
    return name


def _own(
    session: Session, actor: Actor, resource: Resource, label_id: int
) -> Row[tuple[object, ...]]:
    label = labels.lock(session, KINDS[resource.path], label_id)
    if label is None:
        raise UnknownRecord(record_type=resource.type.replace("_", " "), record_id=label_id)
    if not allowed(actor, Action.ANOTHERS, label.creator_id):
        raise InsufficientScope(action=Action.ANOTHERS)
    return label
