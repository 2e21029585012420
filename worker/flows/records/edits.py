"""Records one at a time: created, edited and deleted by somebody who is there and waits for the
answer.

An owner may be a pool wherever an owner is taken: the record goes to the pool's next member,
through the same door as everything else.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.domain.people.permissions import Action, Actor, allowed
from worker.domain.records.editing import INCORRECT, Values, at, changed, differ
from worker.domain.resources import Resource
from worker.domain.turns.causes import Cause
from worker.errors.base import InsufficientScope
from worker.errors.records import Fault, IncorrectPayload, SeveralMatches, UnknownRecord
from worker.errors.turns import EmptyPool, UnknownPool, WrongPoolType
from worker.flows.records.columns import Columns, columns_of
from worker.flows.turns.assign import Request, assign, check_assignable
from worker.flows.unit import Unit
from worker.store.intake import captures
from worker.store.people import users
from worker.store.records import catalog, labels, records
from worker.store.sql import advisory_locks
from worker.store.sql.advisory_locks import Kind
from worker.store.sql.clock import now, shared_now
from worker.store.turns import pools
from worker.store.views.facts import Facts


class RequestContext(NamedTuple):
    """Who asks, and the claim under which their request takes its turn. The claim is fixed before
    the first attempt."""

    actor: Actor
    claim: str


def create(unit: Unit, context: RequestContext, resource: Resource, values: Values) -> Facts:
    """A new record. Its owner is who asks, unless somebody else is named; of a pool, the next
    member. Raises IncorrectPayload."""
    record_type = resource.type
    owner = owner_for(unit, record_type, values.get("owner_id") or context.actor.id)
    columns = columns_of(unit, record_type, values, None)
    record_id = records.add(
        unit, record_type, owner.id, {**columns, "creator_id": context.actor.id}
    )
    if owner.is_pool:
        _assign(
            unit,
            context,
            record_type,
            Request(context.claim, record_id, actor_id=context.actor.id),
            owner.id,
            Cause.CREATE,
        )
    _register(unit, record_type, columns, context.actor)
    return shown(unit, resource, record_id)


def update(
    unit: Unit, context: RequestContext, resource: Resource, record_id: int, values: Values
) -> Facts:
    """Changes what is named and differs. A record that already has the owner named takes no turn.
    Raises UnknownRecord, InsufficientScope, IncorrectPayload."""
    record_type = resource.type
    owner = _new_owner(unit, record_type, record_id, values.get("owner_id"))
    record = _locked(unit, record_type, record_id)
    wanted = columns_of(
        unit, record_type, changed(resource, values, shown(unit, resource, record_id)), record
    )
    new = {name: value for name, value in wanted.items() if differ(getattr(record, name), value)}
    if new:
        _permit(context.actor, Action.EDIT, record.owner_id, record.creator_id)
        edited = {
            **new,
            **_stage_change(record_type, new, context.actor),
            "edited_at": shared_now(unit),
        }
        records.change(unit, record_type, record_id, edited)
        _register(unit, record_type, new, context.actor)
    if owner is not None and owner.id != record.owner_id:
        _permit(context.actor, Action.REASSIGN)
        _give(unit, context, record_type, record, owner)
    return shown(unit, resource, record_id)


def delete(unit: Unit, context: RequestContext, resource: Resource, record_id: int) -> None:
    """The record is shown to nobody any more; the ledger goes on naming it. A captured lead that
    waits leaves its line, and is gone."""
    record_type = resource.type
    record = _locked(unit, record_type, record_id)
    _permit(context.actor, Action.EDIT, record.owner_id, record.creator_id)
    if record_type == "lead" and captures.find(unit, record_id):
        records.remove(unit, record_type, record_id)
    else:
        records.change(unit, record_type, record_id, {"deleted_at": now()})


def upsert(
    unit: Unit,
    context: RequestContext,
    resource: Resource,
    asked: catalog.ListQuery,
    values: Values,
) -> Facts:
    """Updates the one record that matches, or creates one where none does. Raises SeveralMatches.

    Whoever asks for the same matches waits until this has ended, so that two don't both find
    nothing and create two.
    """
    advisory_locks.exclusive_by_name(
        unit,
        Kind.UPSERT,
        f"{resource.path} {sorted(asked.filters.items())} {sorted(asked.fields.items())}",
    )
    found = catalog.ids_matching(unit, resource, asked, most=2)
    if len(found) > 1:
        raise SeveralMatches(resource=resource.path)
    return (
        update(unit, context, resource, found[0], values)
        if found
        else create(unit, context, resource, values)
    )


def shown(session: Session, resource: Resource, resource_id: int) -> Facts:
    facts = catalog.one(session, resource, resource_id)
    if facts is None:
        raise UnknownRecord(record_type=resource.type, record_id=resource_id)
    return facts


def _locked(session: Session, record_type: str, record_id: int) -> Row[Any]:
    record = records.live(session, record_type, record_id, lock=True)
    if record is None:
        raise UnknownRecord(record_type=record_type, record_id=record_id)
    return record


# --- owners ---


def owner_for(unit: Unit, record_type: str, owner_id: int) -> Row[Any]:
    """The user, or the pool's user, to whom records of that type are to go. A pool is held, so that
    it is held before any record is. Raises IncorrectPayload for somebody who can't be given them.
    """
    owner = users.with_id(unit, owner_id)
    if owner is None or not owner.is_active:
        reason = (
            f"names user {owner_id}, who is not there or not active; list the users to see who is"
        )
        raise IncorrectPayload.of(record_type, [Fault(at("owner_id"), INCORRECT, reason)])
    if owner.is_pool:
        with owner_at_fault(record_type):
            if pools.lock_shared(unit, owner_id).record_type != record_type:
                check_assignable(unit, owner_id, record_type)  # which says why not
    return owner


@contextmanager
def owner_at_fault(record_type: str) -> Iterator[None]:
    """A pool that can't be given the record is said to be the fault of the request's owner."""
    try:
        yield
    except (EmptyPool, WrongPoolType, UnknownPool) as error:
        raise IncorrectPayload.of(
            record_type, [Fault(at("owner_id"), INCORRECT, str(error))]
        ) from None


def _new_owner(
    unit: Unit, record_type: str, record_id: int, owner_id: int | None
) -> Row[Any] | None:
    """Who is to get a record that somebody else has now. It is looked at before it is held, because
    a pool must be held first."""
    record = records.live(unit, record_type, record_id)
    if record is None or owner_id in (None, record.owner_id):
        return None
    return owner_for(unit, record_type, owner_id)


def _give(
    unit: Unit, context: RequestContext, record_type: str, record: Row[Any], owner: Row[Any]
) -> None:
    """A captured lead that waits for its pool's next member waits no more."""
    if record_type == "lead":
        captures.remove(unit, [record.id])
    if owner.is_pool:
        request = Request(context.claim, record.id, record.owner_id, context.actor.id)
        _assign(unit, context, record_type, request, owner.id, Cause.EDIT)
    else:
        by_hand = {
            "owner_id": owner.id,
            "pool_id": None,
            "turn": None,
            "given_by": None,
            "edited_at": shared_now(unit),
        }
        records.change(unit, record_type, record.id, by_hand)


def _assign(
    unit: Unit,
    context: RequestContext,
    record_type: str,
    request: Request,
    pool_id: int,
    cause: Cause,
) -> None:
    with owner_at_fault(record_type):
        assign(unit, pool_id, record_type, [request], cause)


# --- what goes along ---


def _permit(actor: Actor, action: Action, *whose: int | None) -> None:
    if not allowed(actor, action, *whose):
        raise InsufficientScope(action=action)


def _stage_change(record_type: str, changed: Columns, actor: Actor) -> Columns:
    if record_type != "deal" or "stage" not in changed:
        return {}
    return {
        "last_stage_change_at": changed.get("last_stage_change_at") or now(),
        "last_stage_change_by_id": actor.id,
    }


def _register(session: Session, record_type: str, columns: Columns, actor: Actor) -> None:
    """The names that the record bears are listed from now on."""
    labels.register(session, record_type, labels.labels_of([columns]), actor.id)
