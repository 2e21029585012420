"""Smart lists: saved, changed, published and removed, by users with the permission."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from worker.domain.filters import as_json, parse, read_order
from worker.domain.people.permissions import Action, Actor, is_allowed
from worker.domain.records.fields import LONGEST_INDEXED_CHARACTERS
from worker.domain.records.record_type import RecordType
from worker.domain.storable import is_storable, replace_unstorable
from worker.errors.base import InsufficientScope
from worker.errors.lists import BadListName, ListExists
from worker.errors.people import BlankName, UnknownRecordType
from worker.flows.records.list_names import IMPORT, find_by_id, is_number
from worker.store.lists import filters, smart_lists
from worker.store.lists.smart_lists import SmartList

USUAL_ORDER = "id:asc"

FILTER_AT, ORDER_AT = "/filter", "/order"
"""Their places in a request's body, as JSON pointers."""


@dataclass(frozen=True, slots=True)
class ListValues:
    """The values of a list that a request sets. None leaves a value as it is. The filter is JSON,
    as yet unchecked."""

    name: str | None = None
    filter: object = None
    order: str | None = None
    published: bool | None = None


def create(
    session: Session,
    record_type: str,
    values: ListValues,
    actor: Actor | None,
    owner_id: int | None,
) -> int:
    """Saves a new list, and returns its id. Only its owner and admins see it unless it is
    published. Raises UnknownRecordType, InsufficientScope, BlankName, BadListName, ListExists,
    IncorrectPayload, and what `filters.condition` does."""
    if record_type not in tuple(RecordType):
        raise UnknownRecordType(name=replace_unstorable(record_type))
    published = bool(values.published)
    if published:
        _check_may_publish(actor)
    name = _check_name(values.name or "")
    asked: object = {} if values.filter is None else values.filter
    order = values.order or USUAL_ORDER
    columns = {"name": name, **_read(session, RecordType(record_type), asked, order)}
    _check_free(session, name, owner_id, published, None)
    whose = {"owner_id": owner_id, "published": published}
    return smart_lists.add(session, {**columns, "record_type": record_type, **whose})


def change(session: Session, list_id: int, values: ListValues, actor: Actor | None) -> None:
    """Changes a list. Raises UnknownList, InsufficientScope, BlankName, BadListName, ListExists,
    IncorrectPayload, and what `filters.condition` does."""
    before = _lock(session, list_id, actor)
    published = before.published if values.published is None else values.published
    if published != before.published:
        _check_may_publish(actor)
    name = before.name if values.name is None else _check_name(values.name)
    columns = _read(session, before.record_type, values.filter, values.order)
    _check_free(session, name, before.owner_id, published, list_id)
    smart_lists.change(session, list_id, {**columns, "name": name, "published": published})


def remove(session: Session, list_id: int, actor: Actor | None) -> None:
    """Removes a list; its records stay. Raises UnknownList, InsufficientScope."""
    _lock(session, list_id, actor)
    smart_lists.remove(session, list_id)


def _lock(session: Session, list_id: int, actor: Actor | None) -> SmartList:
    """A list that the actor may change: their own, until an admin has published it."""
    found = find_by_id(session, list_id, actor, lock=True)
    if found.published:
        _check_may_publish(actor)
    return found


def _check_may_publish(actor: Actor | None) -> None:
    if actor is not None and not is_allowed(actor, Action.MANAGE):
        raise InsufficientScope(action=Action.MANAGE)


def _read(
    session: Session, record_type: RecordType, filter: object, order: str | None
) -> dict[str, object]:
    """The given values as they are stored, by column. A filter is also built, because the things
    that it names must exist."""
    columns: dict[str, object] = {}
    if filter is not None:
        parsed = parse(record_type, filter, FILTER_AT)
        filters.condition(session, record_type, parsed)
        columns["filter"] = as_json(parsed)
    if order is not None:
        columns["order"] = read_order(record_type, order, ORDER_AT)
    return columns


def _check_name(given: str) -> str:
    """The name, stripped. Raises BlankName, and BadListName for one that would mean another
    list."""
    name = given.strip()
    if not name:
        raise BlankName(what="list")
    if not is_storable(name) or len(name) > LONGEST_INDEXED_CHARACTERS:
        reason = (
            f"is longer than {LONGEST_INDEXED_CHARACTERS} characters, or holds a character that"
            " no database stores"
        )
        raise BadListName(name=replace_unstorable(name[:40]), reason=reason)
    if is_number(name) or name.lower().startswith(IMPORT):
        reason = f"would mean the list with that id; and {IMPORT}N is the list of run N"
        raise BadListName(name=name, reason=reason)
    return name


def _check_free(
    session: Session, name: str, owner_id: int | None, published: bool, list_id: int | None
) -> None:
    """Raises ListExists if another published list has the name, or another of the owner's."""
    others = [
        other
        for other in smart_lists.find_by_name(session, name)
        if other.id != list_id and other.published == published
    ]
    if any(published or other.owner_id == owner_id for other in others):
        raise ListExists(name=name)
