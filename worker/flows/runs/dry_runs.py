"""Forecasts: what a reassignment or an import would do now. Nothing is taken, kept or changed, and
no worker is needed."""

from collections.abc import Iterable
from itertools import repeat
from typing import IO, Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from worker.domain.runs.dry_run import Share, shares
from worker.domain.runs.runs import IMPORT, REASSIGN
from worker.flows.names import owner_named
from worker.flows.records.lists import SmartList
from worker.flows.runs import imports, reassign
from worker.flows.runs.reassign import Ids
from worker.flows.system import System
from worker.flows.turns import assign
from worker.flows.turns.next_turns import next_turns
from worker.flows.unit import Unit
from worker.store.people import users
from worker.store.runs import record_query
from worker.store.turns import pools
from worker.store.views.facts import Facts, who


def of_reassignment(unit: Unit, wanted: SmartList | Ids, owner_name: str) -> Facts:
    """Who would get the records of a list, or those with some ids. Raises what accepting the
    reassignment does."""
    found = reassign.chosen(unit, wanted)
    owner = owner_named(unit, owner_name)
    assign.check_owner(unit, owner, wanted.record_type)
    named = wanted.name if isinstance(wanted, SmartList) else None
    records, present = record_query.count(unit, found), record_query.owners(unit, found)
    return _facts(REASSIGN, wanted.record_type, list=named) | _gifts(unit, owner, records, present)


def of_import(system: System, request: imports.Request, file: IO[bytes]) -> Facts:
    """Who would get the rows of a file, and which of them would become no record. Raises what
    importing it does."""
    imports.check(system, request)
    found = imports.read(file, request.record_type, request.mapping, lambda _: None).found
    errors = {
        "errors": found.rows - found.records,
        "first_errors": [error._asdict() for error in found.first_errors],
    }
    facts = _facts(IMPORT, request.record_type, file=request.file_name, rows=found.rows, **errors)
    with system.reading() as session:
        owner = owner_named(session, request.owner)
        assign.check_owner(session, owner, request.record_type)
        return facts | _gifts(session, owner, found.records, repeat(None, found.records))


def _facts(kind: str, record_type: str, **more: Any) -> Facts:
    about_no_file: Facts = {
        "list": None,
        "file": None,
        "rows": None,
        "errors": 0,
        "first_errors": [],
    }
    return {"kind": kind, "record_type": record_type, **about_no_file, **more}


def _gifts(unit: Unit, owner: Row[Any], records: int, present: Iterable[int | None]) -> Facts:
    """Who would get how many records, and whose turn it is before and after."""
    if owner.is_pool:
        return _of_pool(unit, owner, records, present)
    found = shares([owner.id], repeat(owner.id, records), present)
    return _told(unit, owner, found, None, None)


def _of_pool(unit: Unit, owner: Row[Any], records: int, present: Iterable[int | None]) -> Facts:
    upcoming = next_turns(unit, pools.get(unit, owner.id), max(records, 1))
    rosters, ahead = pools.all_rosters(unit, owner.id), upcoming.first(records + 1)
    found = shares(rosters.latest.members, rosters.owners(ahead.slice(0, records)), present)
    return _told(unit, owner, found, rosters.member(ahead[0].first), rosters.member(ahead[-1].last))


def _told(
    session: Session, owner: Row[Any], found: list[Share], before: int | None, after: int | None
) -> Facts:
    people = users.by_id(session, [before, after, *(share.user_id for share in found)])
    return {
        "owner": owner.name,
        "records": sum(share.records for share in found),
        "stay": sum(share.stay for share in found),
        "members": [
            {**(who(people[share.user_id]) or {}), "records": share.records, "stay": share.stay}
            for share in found
        ],
        "next_before": who(people.get(before or 0)),
        "next_after": who(people.get(after or 0)),
    }
