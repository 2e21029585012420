"""Finds the smart list that a name means, among the lists that the actor sees. The records that an
import made are a list, too, under the name import:N.

An actor of None is an admin on the command line, who sees everything."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from worker.domain.filters import Condition, Operator, as_json
from worker.domain.people.permissions import Actor
from worker.domain.records.record_type import RecordType
from worker.domain.storable import is_storable, replace_unstorable
from worker.errors.lists import AmbiguousList, UnknownList
from worker.errors.runs import UnknownRun
from worker.store.lists import smart_lists
from worker.store.lists.smart_lists import SmartList
from worker.store.runs import kinds, runs

IMPORT = "import:"
"""The prefix of a run's number, in the name of the list of the run's records."""

FILE_ORDER = "id:asc"

LONGEST_NUMBER_DIGITS = 18


def find_list(session: Session, name: str, actor: Actor | None) -> SmartList:
    """The list that an id, import:N, or a name means. The actor's own list comes before a published
    one of the same name. Raises UnknownList, AmbiguousList, UnknownRun."""
    text = name.strip()
    return _find_of_run(session, text) if text.startswith(IMPORT) else _find(session, text, actor)


def find_saved_id(session: Session, name: str, actor: Actor | None) -> int:
    """The id of the saved list that an id or a name means. Raises UnknownList, AmbiguousList."""
    found = _find(session, name.strip(), actor)
    assert found.id is not None
    return found.id


def find_by_id(
    session: Session, list_id: int, actor: Actor | None, *, lock: bool = False
) -> SmartList:
    """The list with that id. Raises UnknownList, also for a list that the actor doesn't see."""
    found = smart_lists.find(session, list_id, lock=lock)
    if found is None or not _may_see(actor, found):
        raise UnknownList(name=list_id)
    return found


def find_visible(session: Session, actor: Actor | None) -> list[SmartList]:
    """The saved lists that the actor sees, in the order of creation."""
    sees_all = actor is None or actor.is_admin
    return smart_lists.find_visible(session, None if sees_all or actor is None else actor.id)


def is_number(text: str) -> bool:
    """Whether a name is the id of a list."""
    return text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER_DIGITS


def _find(session: Session, text: str, actor: Actor | None) -> SmartList:
    if is_number(text):
        return find_by_id(session, int(text), actor)
    called = smart_lists.find_by_name(session, text) if is_storable(text) else []
    found = _prefer([each for each in called if _may_see(actor, each)], actor)
    if len(found) > 1:
        raise AmbiguousList(name=text)
    if not found:
        raise UnknownList(name=replace_unstorable(text))
    return found[0]


def _prefer(visible: Sequence[SmartList], actor: Actor | None) -> Sequence[SmartList]:
    """Among lists of one name: the actor's own, otherwise the published one, otherwise all."""
    own_id = None if actor is None else actor.id
    own = [each for each in visible if own_id and each.owner_id == own_id and not each.published]
    return own or [each for each in visible if each.published] or visible


def _may_see(actor: Actor | None, found: SmartList) -> bool:
    return actor is None or actor.is_admin or found.published or found.owner_id == actor.id


def _find_of_run(session: Session, text: str) -> SmartList:
    number = text.removeprefix(IMPORT)
    run = kinds.find_import(session, int(number)) if is_number(number) else None
    if run is None and is_number(number) and runs.find(session, int(number)):
        raise UnknownList(name=text)  # a run of another kind
    if run is None:
        raise UnknownRun(run_id=replace_unstorable(number))
    return SmartList(
        id=None,
        name=f"{IMPORT}{run.id}",
        record_type=RecordType(run.record_type),
        filter=as_json(Condition("import_run", Operator.EQ, run.id)),
        order=FILE_ORDER,
        owner_id=None,
        published=True,
        created_at=run.accepted_at,
        updated_at=run.accepted_at,
    )
