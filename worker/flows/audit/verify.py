"""Verification: the ledger is replayed against the rosters, and every point of the promise checked."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Row
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
from worker.flows.audit.replay import replay
from worker.flows.audit.run_totals import check_counts
from worker.flows.system import System
from worker.flows.turns.pools import find
from worker.ring import RingState
from worker.store.audit import evidence
from worker.store.sql import engine
from worker.store.turns import pools

__all__ = ["Report", "verify"]

NO_POOL = "(no pool)"

Naming = dict[RecordType, dict[int, int]]
"""How many records of each type name a turn of each pool."""


def verify(system: System, pool_id: int | None = None, *, offline: bool = False) -> list[Report]:
    """A report for each pool: for one, which must not be deleted, or for all of them. Offline, Redis
    isn't asked and nobody has to wait. Raises UnknownPool."""
    with system.reading() as session:
        chosen = pools.every(session) if pool_id is None else [find(session, pool_id)]
    reports = [_verify_turns(system, pool, offline) for pool in chosen]
    with system.reading() as session:
        naming = {
            record_type: evidence.records_naming(session, record_type)
            for record_type in RECORD_TYPES
        }
        for pool, report in zip(chosen, reports, strict=True):
            _check_entries(session, pool, report)
            _check_records(session, pool, naming, report)
            _check_waiting(session, pool, report)
        strays = None if pool_id else _strays(session, {pool.id for pool in chosen}, naming)
    return [*reports, strays] if strays else reports


# --- turns ---


def _verify_turns(system: System, pool: Pool, offline: bool) -> Report:
    report = Report(pool.name, deleted=pool.deleted_at is not None)
    with _moment(system, pool.id, report, offline or report.deleted) as (session, ring):
        replay(session, pool.id, ring, report)
    if ring is not None:
        report.ring = DISAGREES if report.violated[ONE_RING] else AGREES
    return report


@contextmanager
def _moment(
    system: System, pool_id: int, report: Report, offline: bool
) -> Iterator[tuple[Session, RingState | None]]:
    """SQL and the ring at one moment at which nobody is between taking and entering a turn. Without
    the ring when it isn't to be asked, or bears another epoch than SQL: then it is seeded before it
    hands out anything."""
    with system.reading() as snapshot:
        if offline:
            report.ring = NOT_ASKED
            yield snapshot, None
            return
        with engine.writing(system.engine) as session:
            pools.lock(session, pool_id)
            epoch = pools.epoch(snapshot, pool_id)  # the first statement: the snapshot is of now
            ring = _ring(system, pool_id, report)
        yield snapshot, ring if ring is not None and ring.epoch == epoch else None


def _ring(system: System, pool_id: int, report: Report) -> RingState | None:
    try:
        return system.ring.state(pool_id)
    except Garbled:
        report.ring = DISAGREES
        report.violate(ONE_RING, None, "the ring holds what no script of ours has written")
        return None


# --- entries and records ---


def _check_entries(session: Session, pool: Pool, report: Report) -> None:
    """Whether each entry is what it says, and its record agrees with the last one that it got."""
    for entry in evidence.peculiar(session, pool.id):
        for point, what in _peculiarities(entry):
            report.violate(point, entry.turn, what)
    entries, report.records = evidence.agreement(session, pool.id, pool.record_type)
    if entries != report.records:
        for entry in evidence.disagreeing(session, pool.id, pool.record_type):
            for point, what in _disagreements(entry, f"{pool.record_type} {entry.record_id}"):
                report.violate(point, entry.turn, what)


def _peculiarities(entry: Row[Any]) -> Iterator[tuple[str, str]]:
    if (entry.record_id is None) != (entry.cause == Cause.VOID):
        yield (
            NOTHING_LOST,
            f"has the cause {entry.cause} and "
            + (f"record {entry.record_id}" if entry.record_id else "no record"),
        )
    if entry.misnamed:
        yield (
            CHECKABLE,
            f"has the cause {entry.cause}, but the claim {entry.claim}, which doesn't name record {entry.record_id}",
        )
    if entry.again:
        yield ONCE, f"is turn {entry.ordinal + 1:,} of the claim {entry.claim}, which takes one"
    if entry.nobody:
        yield (
            CHECKABLE,
            f"names an actor or previous owner who isn't there: user {entry.actor_id} or {entry.previous_owner_id}",
        )


def _disagreements(entry: Row[Any], record: str) -> Iterator[tuple[str, str]]:
    if entry.gone:
        yield NOTHING_LOST, f"was given to {record}, which is not there"
    if entry.named:
        yield CHECKABLE, f"gave {record} to user {entry.user_id}, but user {entry.owner_id} has it"
    if entry.forgotten:
        yield NOTHING_LOST, f"gave {record} to user {entry.user_id}, but it still belongs to a pool"
    if entry.overtaken:
        yield CHECKABLE, f"is the last turn of {record}, which names an earlier one"
    if entry.twice:
        yield ONCE, f"is not the only turn that {record} got by {entry.cause}"


def _check_records(session: Session, pool: Pool, naming: Naming, report: Report) -> None:
    for record_type in RECORD_TYPES:
        agreeing = report.records if record_type == pool.record_type else 0
        if naming[record_type].get(pool.id, 0) != agreeing:
            for turn, record_id in evidence.records_without_entry(
                session, pool.id, record_type, pool.record_type
            ):
                report.violate(
                    CHECKABLE,
                    turn,
                    f"is named by {record_type} {record_id}, and its entry isn't that record's, or was undone",
                )
        for record_id in evidence.owned_by_pool(session, pool.id, record_type):
            report.violate(
                NOTHING_LOST,
                None,
                f"{record_type} {record_id} belongs to the pool itself, and isn't in line",
            )


def _check_waiting(session: Session, pool: Pool, report: Report) -> None:
    for lead in evidence.waiting_in_vain(session, pool.id):
        report.violate(
            NOTHING_LOST,
            lead.turn,
            f"lead {lead.lead_id} is in line, and user {lead.owner_id} has it",
        )


def _strays(session: Session, known: Collection[int], naming: Naming) -> Report | None:
    """What is of no pool, or of people who aren't there; None if there is nothing such."""
    report = Report(NO_POOL, ring=NOT_ASKED)
    check_counts(session, None, report)
    for pool_id, entered in evidence.entries_without_pool(session):
        report.violate(CHECKABLE, entered, f"is entered for pool {pool_id}, which is not there")
    for record_type in RECORD_TYPES:
        for pool_id in naming[record_type].keys() - known:
            report.violate(
                CHECKABLE,
                None,
                f"{naming[record_type][pool_id]:,} {record_type}s name pool {pool_id}, which is not there",
            )
        for turn, record_id in evidence.records_of_nobody(session, record_type):
            report.violate(
                CHECKABLE,
                turn,
                f"{record_type} {record_id} has an owner or creator who isn't there, or a turn of no pool",
            )
    return None if report.holds else report
