"""What `verify` reads: the ledger as a stream, and the places where records and ledger disagree."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, Table, and_, func, select
from sqlalchemy.orm import Session

from worker.domain.turns import Turns
from worker.store.ledger import conditions
from worker.store.tables import RECORDS, ledger

ROWS_AT_ONCE = 10_000
MOST_SHOWN = 100


def stream(session: Session, pool_id: int) -> Iterator[tuple[int, int]]:
    """Every (turn, user) of a pool in the order of turns, a few at a time."""
    entries = select(ledger.c.turn, ledger.c.user_id).where(ledger.c.pool_id == pool_id).order_by(ledger.c.turn)
    with session.connection().execution_options(yield_per=ROWS_AT_ONCE).execute(entries) as rows:
        yield from rows


def voided(session: Session, pool_id: int) -> int:
    return session.scalars(select(func.count()).where(ledger.c.pool_id == pool_id, ledger.c.record_id.is_(None))).one()


def strangers(session: Session, pool_id: int, claim: str, turns: Turns) -> list[tuple[int, str]]:
    """The (turn, claim) entered in an open block that belongs to another claim."""
    found = select(ledger.c.turn, ledger.c.claim).where(ledger.c.pool_id == pool_id, ledger.c.claim != claim)
    return [stranger for within in conditions(turns) for stranger in _some(session, found.where(within).order_by(ledger.c.turn))]


def entries_without_record(session: Session, pool_id: int, record_type: str) -> list[tuple[int, int]]:
    """The (turn, record) of entries whose record isn't there."""
    table = RECORDS[record_type]
    joined = ledger.outerjoin(table, table.c.id == ledger.c.record_id)
    found = select(ledger.c.turn, ledger.c.record_id).select_from(joined)
    return _some(session, found.where(ledger.c.pool_id == pool_id, ledger.c.record_id.is_not(None), table.c.id.is_(None)))


def records_without_entry(session: Session, pool_id: int, record_type: str) -> list[tuple[int, int]]:
    """The (turn, record) of records that name an entry which isn't theirs, or gave them another owner."""
    table = RECORDS[record_type]
    joined = table.outerjoin(ledger, _is_its_entry(table))
    return _some(session, select(table.c.turn, table.c.id).select_from(joined).where(table.c.pool_id == pool_id, ledger.c.turn.is_(None)))


def _is_its_entry(table: Table) -> Any:
    return and_(
        ledger.c.pool_id == table.c.pool_id,
        ledger.c.turn == table.c.turn,
        ledger.c.record_id == table.c.id,
        ledger.c.user_id == table.c.owner_id,
    )


def _some(session: Session, found: Select[Any]) -> list[tuple[Any, Any]]:
    return [(first, second) for first, second in session.execute(found.limit(MOST_SHOWN))]
