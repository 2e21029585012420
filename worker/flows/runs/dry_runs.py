"""Dry runs: what a reassignment or an import would do now. Nothing is taken, kept or changed, and
no worker is needed."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import repeat
from typing import IO

from worker.domain.files.rows import RowError
from worker.domain.filters import RecordList
from worker.domain.records.record_type import RecordType
from worker.domain.runs.dry_runs import ExpectedShare, count_shares
from worker.domain.runs.record_ids import RecordIds
from worker.domain.runs.runs import RunKind
from worker.flows.runs import imports, reassign
from worker.flows.runs.imports import ImportRequest
from worker.flows.system import System
from worker.flows.turns import assign
from worker.flows.turns.next_turns import find_next_turns
from worker.flows.unit import Unit
from worker.store.people import users
from worker.store.runs import selections
from worker.store.turns import pools
from worker.store.views.runs import DryRun, DryRunShare
from worker.store.views.who import find_people


@dataclass(frozen=True, slots=True)
class _Source:
    """What the records of a dry run come from: a list, some ids, or a file."""

    kind: RunKind
    record_type: str
    list: str | None = None
    file: str | None = None
    rows: int | None = None
    errors: int = 0
    first_errors: tuple[RowError, ...] = ()


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Who would get how many records; of a pool also who is next before and after."""

    shares: list[ExpectedShare]
    next_before: int | None = None
    next_after: int | None = None


def preview_reassignment(unit: Unit, wanted: RecordList | RecordIds, owner_id: int) -> DryRun:
    """Who would get the records of a list, or those with some ids. Raises what accepting the
    reassignment does."""
    query = reassign.query(unit, wanted)
    _check_owner(unit, owner_id, wanted.record_type)
    records = selections.count_records(unit, query)
    outcome = _find_outcome(unit, owner_id, records, selections.stream_owners(unit, query))
    name = wanted.name if isinstance(wanted, RecordList) else None
    source = _Source(RunKind.REASSIGN, wanted.record_type, list=name)
    return _show(unit, source, owner_id, outcome)


def preview_import(system: System, request: ImportRequest, file: IO[bytes]) -> DryRun:
    """Who would get the rows of a file, and which of them would become no record. Raises what
    importing it does."""
    imports.check(system, request)
    found = imports.read(
        file, RecordType(request.record_type), request.mapping, lambda _: None
    ).found
    source = _Source(
        RunKind.IMPORT,
        request.record_type,
        file=request.file_name,
        rows=found.rows,
        errors=found.rows - found.records,
        first_errors=tuple(found.first_errors),
    )
    with system.reading() as unit:
        _check_owner(unit, request.owner_id, request.record_type)
        present = repeat(None, found.records)
        outcome = _find_outcome(unit, request.owner_id, found.records, present)
        return _show(unit, source, request.owner_id, outcome)


def _check_owner(unit: Unit, owner_id: int, record_type: str) -> None:
    assign.check_owner(unit, users.get(unit, owner_id), record_type)


def _find_outcome(
    unit: Unit, owner_id: int, records: int, present: Iterable[int | None]
) -> _Outcome:
    pool = pools.find_live(unit, owner_id)
    if pool is None:
        return _Outcome(count_shares([owner_id], repeat(owner_id, records), present))
    upcoming = find_next_turns(unit, pool, max(records, 1))
    rosters, ahead = pools.list_rosters(unit, owner_id), upcoming.first(records + 1)
    return _Outcome(
        count_shares(rosters.latest.members, rosters.owners(ahead.slice(0, records)), present),
        rosters.member(ahead[0].first),
        rosters.member(ahead[-1].last),
    )


def _show(unit: Unit, source: _Source, owner_id: int, outcome: _Outcome) -> DryRun:
    before, after = outcome.next_before, outcome.next_after
    gets = [share.user_id for share in outcome.shares]
    people = find_people(unit, [owner_id, before, after, *gets])
    return DryRun(
        kind=source.kind,
        record_type=RecordType(source.record_type),
        owner=people[owner_id].name,
        list=source.list,
        file=source.file,
        rows=source.rows,
        records=sum(share.records for share in outcome.shares),
        stay=sum(share.stay for share in outcome.shares),
        errors=source.errors,
        first_errors=source.first_errors,
        members=tuple(
            DryRunShare(
                id=share.user_id,
                name=people[share.user_id].name,
                email=people[share.user_id].email,
                records=share.records,
                stay=share.stay,
            )
            for share in outcome.shares
        ),
        next_before=people.get(before),
        next_after=people.get(after),
    )
