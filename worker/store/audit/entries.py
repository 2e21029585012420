"""`verify` reads entries: entries that can't be right, and entries that disagree with their
records."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Table,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import Session

from worker.domain.turns.causes import Cause
from worker.store.audit.streams import flag, pair, stream
from worker.store.runs.reversals import stands
from worker.store.tables import RECORDS, blocks, ledger, pools, users

OF_RUNS = (Cause.IMPORT, Cause.REASSIGN)
"""The causes of entries by runs, whose turns are in blocks."""

NEVER_TWICE = (Cause.CAPTURE, Cause.CONVERT, Cause.CREATE, Cause.IMPORT)
"""The causes that give a record an owner at most once."""


@dataclass(frozen=True, slots=True)
class PeculiarEntry:
    """An entry whose record, claim, ordinal or people can't be right."""

    turn: int
    cause: str
    claim: str
    ordinal: int
    record_id: int | None
    actor_id: int | None
    previous_owner_id: int | None
    misnamed: int
    """1 if the claim isn't the record's."""
    again: int
    """1 if it is another turn of a claim that takes one."""
    nobody: int
    """1 if it names a user who doesn't exist."""


@dataclass(frozen=True, slots=True)
class DisagreeingEntry:
    """An entry whose record isn't there, doesn't name the entry, or has another owner."""

    turn: int
    cause: str
    record_id: int
    user_id: int
    owner_id: int | None
    gone: int
    """1 if the record isn't there."""
    named: int
    """1 if the record names this entry."""
    forgotten: int
    """1 if the record names no entry, and waits with a pool."""
    overtaken: int
    """1 if the record names an entry of its own that is older."""
    twice: int
    """1 if the record has another entry of a cause that comes once."""


def find_peculiar(session: Session, pool_id: int) -> Iterator[PeculiarEntry]:
    """The entries of a pool that can't be right, in the order of turns."""
    of_block = ledger.c.claim.in_(select(blocks.c.claim).where(blocks.c.pool_id == pool_id))
    known = select(users.c.id)
    own_claim = literal("lead:") + cast(ledger.c.record_id, Text) + ":capture"
    nobody = or_(ledger.c.actor_id.not_in(known), ledger.c.previous_owner_id.not_in(known))
    unlike = ledger.c.record_id.is_(None) != (ledger.c.cause == Cause.VOID)
    misnamed = or_(
        and_(ledger.c.cause == Cause.CAPTURE, ledger.c.claim != own_claim),
        and_(ledger.c.cause.in_(OF_RUNS), ~of_block),
    )
    again = and_(ledger.c.ordinal != 0, ledger.c.cause != Cause.VOID, ~of_block)
    found = select(
        ledger.c.turn,
        ledger.c.cause,
        ledger.c.claim,
        ledger.c.ordinal,
        ledger.c.record_id,
        ledger.c.actor_id,
        ledger.c.previous_owner_id,
        flag(misnamed, "misnamed"),
        flag(again, "again"),
        flag(nobody, "nobody"),
    ).where(ledger.c.pool_id == pool_id, or_(unlike, misnamed, again, nobody))
    return stream(session, found.order_by(ledger.c.turn), PeculiarEntry)


def count_agreement(session: Session, pool_id: int, record_type: str) -> tuple[int, int]:
    """How many entries that stand have a record, and how many of those records name their entry and
    have the owner that it gave them."""
    table = RECORDS[record_type]
    agrees = and_(
        table.c.id == ledger.c.record_id, names_entry(table), table.c.owner_id == ledger.c.user_id
    )
    joined = ledger.outerjoin(table, agrees)
    counted = select(func.count(), func.count(table.c.id)).select_from(joined)
    entries, agreeing = session.execute(
        counted.where(ledger.c.pool_id == pool_id, ledger.c.record_id.is_not(None), stands(ledger))
    ).one()
    return entries, agreeing


def find_disagreeing(
    session: Session, pool_id: int, record_type: str
) -> Iterator[DisagreeingEntry]:
    """The entries of a pool that stand, but disagree with their records, in the order of turns."""
    table, other, present = RECORDS[record_type], ledger.alias("other"), ledger.alias("present")
    alike = select(pools.c.id).where(pools.c.record_type == record_type)
    same = and_(
        other.c.record_id == ledger.c.record_id,
        other.c.cause == ledger.c.cause,
        other.c.pool_id.in_(alike),
        or_(other.c.pool_id != ledger.c.pool_id, other.c.turn != ledger.c.turn),
    )
    waits = and_(table.c.pool_id.is_(None), table.c.owner_id.in_(select(pools.c.id)))
    overtaken = and_(present.c.record_id == table.c.id, present.c.at < ledger.c.at)
    twice = and_(ledger.c.cause.in_(NEVER_TWICE), exists().where(same))
    joined = ledger.outerjoin(table, table.c.id == ledger.c.record_id).outerjoin(
        present, and_(present.c.pool_id == table.c.pool_id, present.c.turn == table.c.turn)
    )
    agrees = and_(names_entry(table), table.c.owner_id == ledger.c.user_id)
    found = select(
        ledger.c.turn,
        ledger.c.cause,
        ledger.c.record_id,
        ledger.c.user_id,
        table.c.owner_id,
        flag(table.c.id.is_(None), "gone"),
        flag(names_entry(table), "named"),
        flag(waits, "forgotten"),
        flag(overtaken, "overtaken"),
        flag(twice, "twice"),
    ).select_from(joined)
    of_pool = ledger.c.pool_id == pool_id, ledger.c.record_id.is_not(None), stands(ledger)
    disagreeing = found.where(*of_pool, case((agrees, 1), else_=0) == 0)
    return stream(session, disagreeing.order_by(ledger.c.turn), DisagreeingEntry)


def names_entry(table: Table) -> ColumnElement[bool]:
    """The condition that a record names an entry of the ledger as the source of its owner."""
    return and_(table.c.pool_id == ledger.c.pool_id, table.c.turn == ledger.c.turn)


def find_entries_without_pool(session: Session) -> Iterator[tuple[int, int]]:
    """The (pool, turn) of entries whose pool isn't there."""
    stray = ledger.c.pool_id.not_in(select(pools.c.id))
    return stream(session, select(ledger.c.pool_id, ledger.c.turn).where(stray), pair)
