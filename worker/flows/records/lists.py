"""Smart lists: saved, changed, published, and found by those who may see them. Every import is one,
too, under the name import:N."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.domain.filters import Condition, Filter, Operator, as_json, order_of, parse
from worker.domain.people.permissions import Action, Actor, allowed
from worker.domain.records.fields import LONGEST_INDEXED_CHARACTERS, RECORD_TYPES
from worker.domain.resources import RECORDS
from worker.domain.texts import is_storable, told
from worker.errors.base import InsufficientScope
from worker.errors.lists import AmbiguousList, BadListName, ListExists, UnknownList
from worker.errors.people import BlankName, UnknownRecordType
from worker.errors.runs import UnknownRun
from worker.store.lists import filters, smart_lists
from worker.store.people import users
from worker.store.records import catalog
from worker.store.runs import kinds, runs
from worker.store.runs.kinds import Import
from worker.store.views.facts import Facts, time_text, who

IMPORT = "import:"
"""Before the number of a run: the list of what it made, in the order of the file."""

USUAL_ORDER = "id:asc"

LONGEST_NUMBER_DIGITS = 18

FILTER_AT, ORDER_AT = "/filter", "/order"
"""Where they stand in a request's body."""


@dataclass(frozen=True)
class SmartList:
    """Which records, and in which order. One of an import has no id."""

    id: int | None
    name: str
    record_type: str
    filter: Filter
    order: str


# --- saved ---


def create(
    session: Session, values: Mapping[str, Any], actor: Actor | None, owner_id: int | None
) -> int:
    """The id of a new list, which is the owner's alone unless it is published. Raises
    IncorrectPayload, and InsufficientScope for who may not publish."""
    record_type, published = values["record_type"], bool(values.get("published"))
    if record_type not in RECORD_TYPES:
        raise UnknownRecordType(name=told(record_type))
    if published:
        _permit_publishing(actor)
    columns = _columns(session, record_type, {"filter": {}, "order": USUAL_ORDER, **values})
    _check_free(session, columns["name"], owner_id, published, None)
    return smart_lists.add(
        session,
        {**columns, "record_type": record_type, "owner_id": owner_id, "published": published},
    )


def change(session: Session, list_id: int, values: Mapping[str, Any], actor: Actor | None) -> None:
    """Changes what is named of name, filter, order and published. Raises UnknownList,
    IncorrectPayload, InsufficientScope, ListExists."""
    row = _to_change(session, list_id, actor)
    published = bool(values.get("published", row.published))
    if published != row.published:
        _permit_publishing(actor)
    columns = _columns(session, row.record_type, values)
    _check_free(session, columns.get("name", row.name), row.owner_id, published, list_id)
    smart_lists.change(session, list_id, {**columns, "published": published})


def remove(session: Session, list_id: int, actor: Actor | None) -> None:
    """The list is gone; its records stay. Raises UnknownList, InsufficientScope."""
    _to_change(session, list_id, actor)
    smart_lists.remove(session, list_id)


def _to_change(session: Session, list_id: int, actor: Actor | None) -> Row[Any]:
    """A list that the actor may change: their own, until an admin has published it."""
    row = _seen(session, list_id, actor, lock=True)
    if row.published:
        _permit_publishing(actor)
    return row


def _permit_publishing(actor: Actor | None) -> None:
    if actor is not None and not allowed(actor, Action.MANAGE):
        raise InsufficientScope(action=Action.MANAGE)


def _columns(session: Session, record_type: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """What is stored. A filter is looked at as it is when the list is read: what it names must be
    there."""
    columns: dict[str, Any] = {}
    if "name" in values:
        columns["name"] = _good_name(values["name"])
    if "filter" in values:
        read = parse(record_type, values["filter"], FILTER_AT)
        filters.condition(session, record_type, read)
        columns["filter"] = as_json(read)
    if "order" in values:
        columns["order"] = order_of(record_type, values["order"], ORDER_AT)
    return columns


def _good_name(given: str) -> str:
    """A name that means no other list."""
    name = given.strip()
    if not name:
        raise BlankName(what="list")
    if not is_storable(name) or len(name) > LONGEST_INDEXED_CHARACTERS:
        reason = f"is longer than {LONGEST_INDEXED_CHARACTERS} characters, or holds a character that no database stores"
        raise BadListName(name=told(name[:40]), reason=reason)
    if _is_number(name) or name.lower().startswith(IMPORT):
        raise BadListName(
            name=name,
            reason=f"would mean the list with that id; and {IMPORT}N is the list of run N",
        )
    return name


def _check_free(
    session: Session, name: str, owner_id: int | None, published: bool, list_id: int | None
) -> None:
    """Among published lists a name is there once, and so it is among each person's own."""
    others = [
        row
        for row in smart_lists.called(session, name)
        if row.id != list_id and row.published == published
    ]
    if any(published or row.owner_id == owner_id for row in others):
        raise ListExists(name=name)


# --- found ---


def named(session: Session, name: str | int, actor: Actor | None) -> SmartList:
    """The list that is meant by an id, by import:N, or by a name: the actor's own before a
    published one. Whoever is on the machine is nobody in particular, and sees all. Raises
    UnknownList, AmbiguousList, UnknownRun."""
    text = str(name).strip()
    if text.startswith(IMPORT):
        return _of_run(session, text)[0]
    return _list_of(_row_named(session, text, actor))


def saved(session: Session, name: str, actor: Actor | None) -> int:
    """The id of the list that is meant, if it is one that can be changed. Raises UnknownList,
    AmbiguousList."""
    return int(_row_named(session, name.strip(), actor).id)


def shown(session: Session, name: str | int, actor: Actor | None) -> Facts:
    """The same, as it is shown."""
    text = str(name).strip()
    if text.startswith(IMPORT):
        found, run = _of_run(session, text)
        at = time_text(run.accepted_at)
        return _facts(found) | {
            "owner": None,
            "published": True,
            "created_at": at,
            "updated_at": at,
        }
    row = _row_named(session, text, actor)
    return _row_facts(row, users.by_id(session, [row.owner_id]))


def listed(session: Session, actor: Actor | None) -> list[Facts]:
    """All that the actor sees, but for the imports', in the order of creation."""
    rows = smart_lists.all_lists(session, None if actor is None or actor.is_admin else actor.id)
    owners = users.by_id(session, (row.owner_id for row in rows))
    return [_row_facts(row, owners) for row in rows]


def _row_named(session: Session, text: str, actor: Actor | None) -> Row[Any]:
    if _is_number(text):
        return _seen(session, int(text), actor)
    visible = (
        [row for row in smart_lists.called(session, text) if _sees(actor, row)]
        if is_storable(text)
        else []
    )
    own = [
        row
        for row in visible
        if actor is not None and row.owner_id == actor.id and not row.published
    ]
    found = own or [row for row in visible if row.published] or visible
    if len(found) > 1:
        raise AmbiguousList(name=text)
    if not found:
        raise UnknownList(name=told(text))
    return found[0]


def _seen(session: Session, list_id: int, actor: Actor | None, *, lock: bool = False) -> Row[Any]:
    """Another's own list is as unknown as one that isn't there."""
    row = smart_lists.with_id(session, list_id, lock=lock)
    if row is None or not _sees(actor, row):
        raise UnknownList(name=list_id)
    return row


def _sees(actor: Actor | None, row: Row[Any]) -> bool:
    return actor is None or actor.is_admin or bool(row.published) or row.owner_id == actor.id


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER_DIGITS


def _of_run(session: Session, text: str) -> tuple[SmartList, Import]:
    number = text.removeprefix(IMPORT)
    run = kinds.find_import(session, int(number)) if _is_number(number) else None
    if run is None and _is_number(number) and runs.find(session, int(number)):
        raise UnknownList(name=text)
    if run is None:
        raise UnknownRun(run_id=told(number))
    made_by_it = Condition("import_run", Operator.EQ, run.id)
    return SmartList(None, f"{IMPORT}{run.id}", run.record_type, made_by_it, USUAL_ORDER), run


# --- what is shown ---


def records(session: Session, found: SmartList, page: int, per_page: int) -> Facts:
    """A page of what a list holds now, as the Sell API shows it, and the number of the next page.
    Raises what `filters.condition` does."""
    matching = smart_lists.matching(session, found.record_type, found.filter, found.order)
    ids = smart_lists.ids(session, matching, (page - 1) * per_page, per_page + 1)
    shown = catalog.facts_of_all(session, RECORDS[found.record_type], ids[:per_page])
    return {"records": shown, "next": page + 1 if len(ids) > per_page else None}


def count(session: Session, found: SmartList) -> int:
    """How many records a list holds now. Raises what `filters.condition` does."""
    return smart_lists.count(session, found.record_type, found.filter)


def _list_of(row: Row[Any]) -> SmartList:
    return SmartList(
        row.id, row.name, row.record_type, parse(row.record_type, row.filter), row.order
    )


def _facts(found: SmartList) -> Facts:
    plain = {name: getattr(found, name) for name in ("id", "name", "record_type", "order")}
    return plain | {"filter": as_json(found.filter)}


def _row_facts(row: Row[Any], owners: Mapping[int, Row[Any]]) -> Facts:
    times = {name: time_text(getattr(row, name)) for name in ("created_at", "updated_at")}
    plain = {
        name: getattr(row, name)
        for name in ("id", "name", "record_type", "filter", "order", "published")
    }
    return plain | {"owner": who(owners.get(row.owner_id or 0))} | times
