"""Records one at a time: created, edited and deleted by a request that waits for the answer.

Wherever an owner is named, it may be a pool: then the record goes to the pool's next member, by a
turn like any other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy.orm import Session

from worker.domain.people.permissions import Action, Actor, is_allowed
from worker.domain.records.editing import Values, find_changes, is_different
from worker.domain.records.record_type import RecordType
from worker.domain.records.types import ColumnValues, RecordDescription
from worker.domain.resources import Resource, ResourceBody
from worker.domain.resources.faults import INCORRECT, at
from worker.domain.turns.causes import Cause
from worker.errors.base import InsufficientScope
from worker.errors.records import Fault, IncorrectPayload, SeveralMatches, UnknownRecord
from worker.errors.turns import EmptyPool, UnknownPool, WrongPoolType
from worker.flows.records.columns import read_columns
from worker.flows.turns.assign import TurnRequest, assign, check_assignable
from worker.flows.unit import Unit
from worker.store.intake import captures
from worker.store.people import users
from worker.store.people.users import User
from worker.store.records import labels, records
from worker.store.records.records import StoredRecord
from worker.store.sql import advisory_locks
from worker.store.sql.advisory_locks import LockKind
from worker.store.sql.clock import now, shared_now
from worker.store.turns import pools
from worker.store.views import catalog


class RequestContext(NamedTuple):
    """The actor, the claim for the turn that their request may take, and the account's currency.
    The claim is fixed before the first attempt."""

    actor: Actor
    claim: str
    currency: str


@dataclass(frozen=True)
class RecordEditor:
    """Edits the records of one type."""

    description: RecordDescription

    @property
    def record_type(self) -> RecordType:
        return self.description.record_type

    def create(self, unit: Unit, context: RequestContext, values: Values) -> ResourceBody:
        """Creates a record. Its owner is who asks, unless another is named. Raises
        IncorrectPayload."""
        actor_id = context.actor.id
        owner = find_owner(unit, self.record_type, values.get("owner_id") or actor_id)
        columns = read_columns(unit, self.description, values, None, context.currency)
        record_id = records.add(
            unit, self.record_type, owner.id, {**columns, "creator_id": actor_id}
        )
        if owner.is_pool:
            request = TurnRequest(context.claim, record_id, actor_id=actor_id)
            self._assign(unit, request, owner.id, Cause.CREATE)
        self._register(unit, columns, actor_id)
        return show(unit, self.description, record_id)

    def update(
        self, unit: Unit, context: RequestContext, record_id: int, values: Values
    ) -> ResourceBody:
        """Changes the values that are named and differ. A record that already belongs to the named
        owner takes no turn. Raises UnknownRecord, InsufficientScope, IncorrectPayload."""
        owner = self._find_new_owner(unit, record_id, values.get("owner_id"))
        record = self._lock(unit, record_id)
        changes = find_changes(self.description, values, show(unit, self.description, record_id))
        wanted = read_columns(unit, self.description, changes, record, context.currency)
        new = {
            name: value
            for name, value in wanted.items()
            if is_different(record.columns[name], value)
        }
        if new:
            check_allowed(context.actor, Action.EDIT, record.owner_id, record.creator_id)
            edited = {**new, **_note_stage_change(new, context.actor)}
            edited["edited_at"] = shared_now(unit)
            records.change(unit, self.record_type, record_id, edited)
            self._register(unit, new, context.actor.id)
        if owner is not None and owner.id != record.owner_id:
            check_allowed(context.actor, Action.REASSIGN)
            self._give(unit, context, record, owner)
        return show(unit, self.description, record_id)

    def delete(self, unit: Unit, context: RequestContext, record_id: int) -> None:
        """Deletes a record: it is shown no more, though the ledger still names it. A captured lead
        that waits for its owner is removed altogether. Raises UnknownRecord, InsufficientScope."""
        record = self._lock(unit, record_id)
        check_allowed(context.actor, Action.EDIT, record.owner_id, record.creator_id)
        if self.description.waits_in_line and captures.find(unit, record_id):
            records.remove(unit, self.record_type, record_id)
        else:
            records.change(unit, self.record_type, record_id, {"deleted_at": now()})

    def upsert(
        self, unit: Unit, context: RequestContext, query: catalog.ListQuery, values: Values
    ) -> ResourceBody:
        """Updates the one record that matches the query, or creates one where none does. Raises
        SeveralMatches.

        Requests with the same query run one after the other, so that two don't both find nothing
        and create a record each.
        """
        filters, fields = sorted(query.filters.items()), sorted(query.fields.items())
        name = f"{self.description.path} {filters} {fields}"
        advisory_locks.lock_exclusive_by_name(unit, LockKind.UPSERT, name)
        found = catalog.find_ids(unit, self.description, query, most=2)
        if len(found) > 1:
            raise SeveralMatches(resource=self.description.path)
        if found:
            return self.update(unit, context, found[0], values)
        return self.create(unit, context, values)

    def _lock(self, session: Session, record_id: int) -> StoredRecord:
        record = records.find_live(session, self.record_type, record_id, lock=True)
        if record is None:
            raise UnknownRecord(record_type=self.record_type, record_id=record_id)
        return record

    def _find_new_owner(self, unit: Unit, record_id: int, owner_id: int | None) -> User | None:
        """The record's new owner, if it changes. It is looked up before the record is locked,
        because pools are locked before records."""
        record = records.find_live(unit, self.record_type, record_id)
        if record is None or owner_id is None or owner_id == record.owner_id:
            return None
        return find_owner(unit, self.record_type, owner_id)

    def _give(self, unit: Unit, context: RequestContext, record: StoredRecord, owner: User) -> None:
        if self.description.waits_in_line:
            captures.remove(unit, [record.id])
        if owner.is_pool:
            request = TurnRequest(context.claim, record.id, record.owner_id, context.actor.id)
            self._assign(unit, request, owner.id, Cause.EDIT)
        else:
            no_turn = {"pool_id": None, "turn": None, "given_by": None}
            by_hand = {"owner_id": owner.id, **no_turn, "edited_at": shared_now(unit)}
            records.change(unit, self.record_type, record.id, by_hand)

    def _assign(self, unit: Unit, request: TurnRequest, pool_id: int, cause: Cause) -> None:
        with blame_owner(self.record_type):
            assign(unit, pool_id, self.record_type, [request], cause)

    def _register(self, session: Session, columns: ColumnValues, actor_id: int) -> None:
        labels.register(session, self.record_type, labels.collect_names([columns]), actor_id)


def show(session: Session, resource: Resource, resource_id: int) -> ResourceBody:
    """The resource with that id, as the Sell API shows it. Raises UnknownRecord."""
    found = catalog.find_one(session, resource, resource_id)
    if found is None:
        raise UnknownRecord(record_type=resource.type, record_id=resource_id)
    return found


def check_allowed(actor: Actor, action: Action, *whose: int | None) -> None:
    """Raises InsufficientScope unless the actor may do that with the records of those people."""
    if not is_allowed(actor, action, *whose):
        raise InsufficientScope(action=action)


def find_owner(unit: Unit, record_type: RecordType, owner_id: int) -> User:
    """The person, or the pool's phantom user, who gets records of that type. A pool is locked, so
    that it is locked before any record is. Raises IncorrectPayload for an owner who can't get
    them."""
    owner = users.find(unit, owner_id)
    if owner is None or not owner.is_active:
        reason = (
            f"names user {owner_id}, who is not there or not active; list the users to see who is"
        )
        raise IncorrectPayload.of(record_type, [Fault(at("owner_id"), INCORRECT, reason)])
    if owner.is_pool:
        with blame_owner(record_type):
            if pools.lock_shared(unit, owner_id).record_type != record_type:
                check_assignable(unit, owner_id, record_type)  # raises the reason
    return owner


@contextmanager
def blame_owner(record_type: RecordType) -> Iterator[None]:
    """Turns the errors of a pool that can't get the record into a fault of the request's
    owner_id."""
    try:
        yield
    except (EmptyPool, WrongPoolType, UnknownPool) as error:
        raise IncorrectPayload.of(
            record_type, [Fault(at("owner_id"), INCORRECT, str(error))]
        ) from None


def _note_stage_change(changed: ColumnValues, actor: Actor) -> ColumnValues:
    if "stage" not in changed:
        return {}
    return {
        "last_stage_change_at": changed.get("last_stage_change_at") or now(),
        "last_stage_change_by_id": actor.id,
    }
