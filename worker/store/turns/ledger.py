"""The ledger, and the blocks that runs have reserved."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import repeat
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.orm import Session

from worker.domain.turns.allotment import Allotment, Entry
from worker.domain.turns.causes import Cause
from worker.domain.turns.turns import Span, Turns, find_gaps, share_a_turn, subtract
from worker.store.runs import reversals
from worker.store.sql import bulk
from worker.store.sql.clock import now
from worker.store.sql.spans import FEW_SPANS, among, group_spans
from worker.store.tables import blocks, ledger, pools, rosters

COLUMNS = (
    "turn",
    "ordinal",
    "record_id",
    "user_id",
    "previous_owner_id",
    "claim",
    "actor_id",
    "pool_id",
    "cause",
    "at",
)


def enter(session: Session, allotment: Allotment, moment: datetime) -> None:
    """Enters the turns of an allotment. The primary key refuses one that is entered already."""
    rows = zip(
        allotment.turns,
        allotment.ordinals,
        allotment.record_ids,
        allotment.owner_ids,
        allotment.previous_owner_ids,
        allotment.claims,
        allotment.actor_ids,
        repeat(allotment.pool_id),
        repeat(str(allotment.cause)),
        repeat(bulk.format_moment(session, moment)),
        strict=False,
    )
    bulk.insert(session, ledger, COLUMNS, rows)


def find_entered(session: Session, pool_id: int, claims: Iterable[str]) -> dict[str, Entry]:
    """The entries of those claims that have their turn in the ledger, by claim."""
    rows = session.execute(
        select(ledger).where(ledger.c.pool_id == pool_id, ledger.c.claim.in_(list(claims)))
    )
    return {row.claim: _entry(row) for row in rows}


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        row.pool_id,
        row.turn,
        row.claim,
        row.ordinal,
        row.record_id,
        row.user_id,
        row.previous_owner_id,
        Cause(row.cause),
        row.actor_id,
        row.at,
    )


def has_entered(session: Session, pool_id: int, turns: Turns) -> bool:
    """Whether any of the turns is in the ledger."""
    if len(turns) > FEW_SPANS:
        return share_a_turn(turns, find_entered_spans(session, pool_id, turns))
    found = select(1).where(ledger.c.pool_id == pool_id, among(ledger.c.turn, turns)).limit(1)
    return session.execute(found).first() is not None


# --- blocks ---


def reserve(session: Session, pool_id: int, claim: str, turns: Turns) -> None:
    """Notes an open block."""
    session.execute(
        insert(blocks).values(pool_id=pool_id, claim=claim, turns=str(turns), open=True, at=now())
    )


def find_block(session: Session, pool_id: int, claim: str) -> Turns | None:
    """The turns that a claim has reserved, whether its block is still open or not."""
    text = session.scalars(
        select(blocks.c.turns).where(blocks.c.pool_id == pool_id, blocks.c.claim == claim)
    ).one_or_none()
    return None if text is None else Turns.parse(text)


def list_open_blocks(session: Session, pool_id: int) -> dict[str, Turns]:
    """The turns of a pool's open blocks, by claim."""
    rows = session.execute(
        select(blocks.c.claim, blocks.c.turns).where(blocks.c.pool_id == pool_id, blocks.c.open)
    )
    return {claim: Turns.parse(turns) for claim, turns in rows}


def close_block(session: Session, pool_id: int, claim: str) -> None:
    session.execute(
        update(blocks)
        .where(blocks.c.pool_id == pool_id, blocks.c.claim == claim)
        .values(open=False)
    )


# --- what is used, and what is missing ---


def count_entered(session: Session, pool_id: int, claim: str) -> int:
    """How many turns a claim has in the ledger."""
    return session.scalars(
        select(func.count()).where(ledger.c.pool_id == pool_id, ledger.c.claim == claim)
    ).one()


def find_greatest_turn(session: Session, pool_id: int) -> int:
    """The last turn that was handed out, as far as SQL knows: one in the ledger, in an open block,
    or before the first turn of a roster."""
    entered = (
        session.scalar(select(func.max(ledger.c.turn)).where(ledger.c.pool_id == pool_id)) or 0
    )
    begun = (
        session.scalar(select(func.max(rosters.c.first_turn)).where(rosters.c.pool_id == pool_id))
        or 1
    )
    reserved = (
        span.last for turns in list_open_blocks(session, pool_id).values() for span in turns
    )
    return max(entered, begun - 1, *reserved)


def find_missing(session: Session, pool_id: int, watermark: int, last: int) -> list[Span]:
    """The turns up to last that are neither entered nor in an open block. It reads the ledger only
    above the watermark and outside open blocks, unless those are in many pieces."""
    reserved = [span for turns in list_open_blocks(session, pool_id).values() for span in turns]
    outside = list(find_gaps(reserved, watermark + 1, last))
    return list(subtract(outside, sorted(find_entered_spans(session, pool_id, outside))))


def find_watermark(session: Session, pool_id: int, last: int, missing: Turns) -> int:
    """The turn before the first one up to last that isn't entered. Nothing below it needs to be
    read again."""
    reserved = (
        span.first for turns in list_open_blocks(session, pool_id).values() for span in turns
    )
    return min([last + 1, *reserved, *(span.first for span in missing)]) - 1


def has_later_turn_entered_before(
    session: Session, pool_id: int, turn: int, moment: datetime
) -> bool:
    """Whether a turn after this one was entered before that moment."""
    later = select(1).where(ledger.c.pool_id == pool_id, ledger.c.turn > turn, ledger.c.at < moment)
    return session.execute(later.order_by(ledger.c.turn).limit(1)).first() is not None


def find_entered_spans(
    session: Session, pool_id: int, spans: Sequence[Span], but_by: str = ""
) -> Iterator[Span]:
    """The entered turns in those spans. May include turns between the spans. Leaves out the entries
    of the claim `but_by`, if one is given."""
    # Within consecutive turns, the turn minus the row's number stays the same.
    for part in group_spans(spans):
        within = ledger.c.pool_id == pool_id, among(ledger.c.turn, part), ledger.c.claim != but_by
        numbered = select(
            ledger.c.turn,
            (ledger.c.turn - func.row_number().over(order_by=ledger.c.turn)).label("island"),
        )
        found = numbered.where(*(within if but_by else within[:2])).subquery()
        islands = select(func.min(found.c.turn), func.count()).group_by(found.c.island)
        yield from (Span(first, count) for first, count in session.execute(islands))


# --- counts ---


def count_records(session: Session, pool_id: int) -> dict[int, int]:
    """How many records each user got from the pool, without those that were taken back."""
    of_pool = ledger.c.pool_id == pool_id, ledger.c.record_id.is_not(None)
    given = select(ledger.c.user_id, func.count()).where(*of_pool).group_by(ledger.c.user_id)
    stay: Counter[int] = Counter(dict(session.execute(given).all()))
    for claim in reversals.list_claims(session, pool_id):
        stay -= Counter(
            dict(session.execute(given.where(reversals.taken_back(session, pool_id, claim))).all())
        )
    return stay


def find_last_turns(session: Session) -> dict[int, int]:
    """The last turn entered of each pool that has any."""
    last = select(func.max(ledger.c.turn)).where(ledger.c.pool_id == pools.c.id).scalar_subquery()
    return {pool_id: turn for pool_id, turn in session.execute(select(pools.c.id, last)) if turn}


def find(session: Session, pool_id: int, turn: int) -> Entry | None:
    """The entry of a turn."""
    row = session.execute(
        select(ledger).where(ledger.c.pool_id == pool_id, ledger.c.turn == turn)
    ).one_or_none()
    return None if row is None else _entry(row)


def read_page(
    session: Session, pool_id: int, after: int, limit: int
) -> list[tuple[Entry, int | None]]:
    """The entries that follow the turn `after`, at most `limit`, each with the undo that took it
    back, if one did."""
    following = select(ledger, reversals.undo_of(ledger).label("undone_by")).where(
        ledger.c.pool_id == pool_id, ledger.c.turn > after
    )
    rows = session.execute(following.order_by(ledger.c.turn).limit(limit))
    return [(_entry(row), row.undone_by) for row in rows]
