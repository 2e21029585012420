"""Verification: replays the ledger against the rosters, and checks every point of the promise."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from worker.domain.audit.reports import (
    AGREES,
    CHECKABLE,
    DISAGREES,
    NOT_ASKED,
    NOTHING_LOST,
    ONCE,
    ONE_RING,
    Report,
)
from worker.domain.records.fields import RECORD_TYPES
from worker.domain.records.record_type import RecordType
from worker.domain.turns.causes import Cause
from worker.domain.turns.pool import Pool
from worker.errors.servers import Garbled
from worker.flows.audit.run_totals import check_counts
from worker.flows.audit.turns import check_turns
from worker.flows.system import System
from worker.flows.turns.pools import find
from worker.ring import RingState
from worker.store.audit import entries, records
from worker.store.audit.entries import DisagreeingEntry, PeculiarEntry
from worker.store.sql import engine
from worker.store.turns import pools

NO_POOL = "(no pool)"

Naming = dict[RecordType, dict[int, int]]
"""How many records of each type name a turn of each pool."""


def verify(system: System, pool_id: int | None = None, *, offline: bool = False) -> list[Report]:
    """Reports on one live pool, or on all pools with the deleted ones. Offline, Redis isn't asked,
    and no other transaction has to wait. Raises UnknownPool."""
    with system.reading() as session:
        chosen = pools.list_all(session) if pool_id is None else [find(session, pool_id)]
    reports = [_verify_turns(system, pool, offline) for pool in chosen]
    with system.reading() as session:
        naming = {
            record_type: records.count_naming(session, record_type) for record_type in RECORD_TYPES
        }
        for pool, report in zip(chosen, reports, strict=True):
            _check_entries(session, pool, report)
            _check_records(session, pool, naming, report)
            _check_waiting(session, pool, report)
        strays = None if pool_id else _find_strays(session, {pool.id for pool in chosen}, naming)
    return [*reports, strays] if strays else reports


# --- turns ---


def _verify_turns(system: System, pool: Pool, offline: bool) -> Report:
    report = Report(pool.name, deleted=pool.deleted_at is not None)
    with _read_at_one_moment(system, pool.id, report, offline or report.deleted) as (session, ring):
        check_turns(session, pool.id, ring, report)
    if ring is not None:
        report.ring = DISAGREES if report.violated[ONE_RING] else AGREES
    return report


@contextmanager
def _read_at_one_moment(
    system: System, pool_id: int, report: Report, offline: bool
) -> Iterator[tuple[Session, RingState | None]]:
    """SQL and the ring at one moment, when nobody is between taking and entering a turn. The ring
    is None if Redis isn't asked, or if the ring has another epoch than SQL. Such a ring is seeded
    before it hands out a turn."""
    with system.reading() as snapshot:
        if offline:
            report.ring = NOT_ASKED
            yield snapshot, None
            return
        with engine.writing(system.engine) as session:
            pools.lock_exclusive(session, pool_id)
            epoch = pools.get_epoch(
                snapshot, pool_id
            )  # the first statement: the snapshot is of now
            ring = _read_ring(system, pool_id, report)
        yield snapshot, ring if ring is not None and ring.epoch == epoch else None


def _read_ring(system: System, pool_id: int, report: Report) -> RingState | None:
    try:
        return system.ring.state(pool_id)
    except Garbled:
        report.ring = DISAGREES
        report.violate(ONE_RING, None, "the ring holds what no script of ours has written")
        return None


# --- entries and records ---


def _check_entries(session: Session, pool: Pool, report: Report) -> None:
    """Checks that each entry is right, and that its record agrees with the last entry that it
    got."""
    for peculiar in entries.find_peculiar(session, pool.id):
        for point, what in _say_why_peculiar(peculiar):
            report.violate(point, peculiar.turn, what)
    standing, report.records = entries.count_agreement(session, pool.id, pool.record_type)
    if standing != report.records:
        for entry in entries.find_disagreeing(session, pool.id, pool.record_type):
            record = f"{pool.record_type} {entry.record_id}"
            for point, what in _say_how_they_disagree(entry, record):
                report.violate(point, entry.turn, what)


def _say_why_peculiar(entry: PeculiarEntry) -> Iterator[tuple[str, str]]:
    cause = f"has the cause {entry.cause}"
    if (entry.record_id is None) != (entry.cause == Cause.VOID):
        record = f"record {entry.record_id}" if entry.record_id else "no record"
        yield NOTHING_LOST, f"{cause} and {record}"
    if entry.misnamed:
        claim = f"the claim {entry.claim}, which doesn't name record {entry.record_id}"
        yield CHECKABLE, f"{cause}, but {claim}"
    if entry.again:
        yield ONCE, f"is turn {entry.ordinal + 1:,} of the claim {entry.claim}, which takes one"
    if entry.nobody:
        people = f"user {entry.actor_id} or {entry.previous_owner_id}"
        yield CHECKABLE, f"names an actor or previous owner who isn't there: {people}"


def _say_how_they_disagree(entry: DisagreeingEntry, record: str) -> Iterator[tuple[str, str]]:
    gave = f"gave {record} to user {entry.user_id}, but"
    if entry.gone:
        yield NOTHING_LOST, f"was given to {record}, which is not there"
    if entry.named:
        yield CHECKABLE, f"{gave} user {entry.owner_id} has it"
    if entry.forgotten:
        yield NOTHING_LOST, f"{gave} it still belongs to a pool"
    if entry.overtaken:
        yield CHECKABLE, f"is the last turn of {record}, which names an earlier one"
    if entry.twice:
        yield ONCE, f"is not the only turn that {record} got by {entry.cause}"


def _check_records(session: Session, pool: Pool, naming: Naming, report: Report) -> None:
    for record_type in RECORD_TYPES:
        agreeing = report.records if record_type == pool.record_type else 0
        if naming[record_type].get(pool.id, 0) != agreeing:
            found = records.find_without_entry(session, pool.id, record_type, pool.record_type)
            for turn, record_id in found:
                named = f"is named by {record_type} {record_id}"
                what = f"{named}, and its entry isn't that record's, or was undone"
                report.violate(CHECKABLE, turn, what)
        for record_id in records.find_owned_by_pool(session, pool.id, record_type):
            what = f"{record_type} {record_id} belongs to the pool itself, and isn't in line"
            report.violate(NOTHING_LOST, None, what)


def _check_waiting(session: Session, pool: Pool, report: Report) -> None:
    for lead in records.find_waiting_in_vain(session, pool.id):
        what = f"lead {lead.lead_id} is in line, and user {lead.owner_id} has it"
        report.violate(NOTHING_LOST, lead.turn, what)


def _find_strays(session: Session, known: Collection[int], naming: Naming) -> Report | None:
    """A report on entries that belong to no pool, or to users who don't exist; None if all does."""
    report = Report(NO_POOL, ring=NOT_ASKED)
    check_counts(session, None, report)
    for pool_id, turn in entries.find_entries_without_pool(session):
        report.violate(CHECKABLE, turn, f"is entered for pool {pool_id}, which is not there")
    for record_type in RECORD_TYPES:
        for pool_id in naming[record_type].keys() - known:
            named = f"{naming[record_type][pool_id]:,} {record_type}s name pool {pool_id}"
            report.violate(CHECKABLE, None, f"{named}, which is not there")
        for stray_turn, record_id in records.find_of_nobody(session, record_type):
            wrong = "has an owner or creator who isn't there, or a turn of no pool"
            report.violate(CHECKABLE, stray_turn, f"{record_type} {record_id} {wrong}")
    return None if report.holds else report
