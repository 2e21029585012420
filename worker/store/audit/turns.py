"""`verify` reads turns: the rosters, and the ledger in the order of turns."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, cast, select
from sqlalchemy.orm import Session

from worker.domain.turns.causes import Cause
from worker.domain.turns.turns import Turns, intersect, merge
from worker.store.audit.streams import ROWS_AT_ONCE, pair, stream
from worker.store.sql.spans import among, batch_spans
from worker.store.tables import ledger, rosters, users
from worker.store.turns.ledger import find_entered_spans


@dataclass(frozen=True, slots=True)
class StoredRoster:
    """A roster as it is stored. The members are text, for they may be anything."""

    version: int
    first_turn: int
    first_slot: int
    members: str


def read_rosters(session: Session, pool_id: int) -> list[StoredRoster]:
    """The rosters of a pool, oldest first."""
    plain = (rosters.c.version, rosters.c.first_turn, rosters.c.first_slot)
    found = select(*plain, cast(rosters.c.members, Text)).where(rosters.c.pool_id == pool_id)
    return [StoredRoster(*row) for row in session.execute(found.order_by(rosters.c.version))]


def find_unknown_users(session: Session, ids: Collection[int]) -> list[int]:
    """The ids among these that no user has."""
    known = set(session.scalars(select(users.c.id).where(users.c.id.in_(ids))))
    return sorted(set(ids) - known)


def read_slices(session: Session, pool_id: int) -> Iterator[tuple[Sequence[int], Sequence[int]]]:
    """The ledger of a pool in the order of turns, as pairs of some turns and their users. The rows
    come straight from the driver: SQLAlchemy takes twice as long for a million."""
    entries = (
        select(ledger.c.turn, ledger.c.user_id)
        .where(ledger.c.pool_id == pool_id)
        .order_by(ledger.c.turn)
    )
    bound = session.connection()
    driver: Any = bound.connection.driver_connection
    statement = str(entries.compile(bound, compile_kwargs={"literal_binds": True}))
    with closing(
        driver.cursor("slices") if bound.dialect.name == "postgresql" else driver.cursor()
    ) as cursor:
        cursor.execute(statement)
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            turns, user_ids = zip(*rows, strict=True)
            yield turns, user_ids


def find_entered(
    session: Session, pool_id: int, turns: Turns, but_by: str = ""
) -> Iterator[tuple[int, str]]:
    """The (turn, claim) of the entries at those turns, without the entries of one claim. There
    should be none."""
    both = list(
        intersect(merge(turns), sorted(find_entered_spans(session, pool_id, turns, but_by)))
    )
    found = select(ledger.c.turn, ledger.c.claim).where(
        ledger.c.pool_id == pool_id, ledger.c.claim != but_by
    )
    for batch in batch_spans(both):
        within = found.where(among(ledger.c.turn, batch)).order_by(ledger.c.turn)
        yield from stream(session, within, _turn_and_claim)


def _turn_and_claim(turn: int, claim: str) -> tuple[int, str]:
    return turn, claim


def read_voids(session: Session, pool_id: int) -> Iterator[tuple[int, int]]:
    """The (turn, user) of the turns that are void because their member had left."""
    of_pool = ledger.c.pool_id == pool_id, ledger.c.cause == Cause.VOID
    return stream(session, select(ledger.c.turn, ledger.c.user_id).where(*of_pool), pair)
