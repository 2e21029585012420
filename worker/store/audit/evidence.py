"""What `verify` reads: the ledger as a stream, what blocks have entered, and where records and
ledger disagree.

Whatever may be long comes a few rows at a time. What is stored as text comes as text: it may be
anything.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Text,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import Session

from worker.domain.turns.causes import Cause
from worker.domain.turns.turns import Turns, common, merged
from worker.store.runs.reversals import stands
from worker.store.sql.spans import among, batches
from worker.store.tables import (
    RECORDS,
    blocks,
    captures,
    conversions,
    ledger,
    pools,
    rosters,
    users,
)
from worker.store.turns.ledger import entered_spans

ROWS_AT_ONCE = 10_000

BOOKED = ("import", "reassign")
"""The causes of what runs enter, whose turns are in blocks."""

NEVER_TWICE = ("capture", "convert", "create", "import")
"""The causes for which a record is given its owner once in its life."""


def roster_rows(session: Session, pool_id: int) -> list[Row[Any]]:
    plain = (rosters.c.version, rosters.c.first_turn, rosters.c.first_slot)
    found = select(*plain, cast(rosters.c.members, Text).label("members"))
    return list(
        session.execute(found.where(rosters.c.pool_id == pool_id).order_by(rosters.c.version))
    )


def unknown_users(session: Session, ids: Collection[int]) -> list[int]:
    """Of those ids, the ones that are nobody's."""
    known = set(session.scalars(select(users.c.id).where(users.c.id.in_(ids))))
    return sorted(set(ids) - known)


def slices(session: Session, pool_id: int) -> Iterator[tuple[Sequence[int], Sequence[int]]]:
    """The ledger of a pool in the order of turns, as pairs of some turns and their users. The rows
    come bare from the driver: made into the library's own, a million would take twice as long."""
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


def entered_within(
    session: Session, pool_id: int, turns: Turns, but_by: str = ""
) -> Iterator[tuple[int, str]]:
    """The (turn, claim) of what is entered at those turns, but for one claim's. There should be
    none."""
    both = list(common(merged(turns), sorted(entered_spans(session, pool_id, turns, but_by))))
    found = select(ledger.c.turn, ledger.c.claim).where(
        ledger.c.pool_id == pool_id, ledger.c.claim != but_by
    )
    for some in batches(both):
        yield from stream(session, found.where(among(ledger.c.turn, some)).order_by(ledger.c.turn))


def voids(session: Session, pool_id: int) -> Iterator[tuple[int, int]]:
    """The (turn, user) of the turns that are void, since their member had left."""
    return stream(
        session,
        select(ledger.c.turn, ledger.c.user_id).where(
            ledger.c.pool_id == pool_id, ledger.c.cause == Cause.VOID
        ),
    )


# --- entries ---


def peculiar(session: Session, pool_id: int) -> Iterator[Row[Any]]:
    """The entries whose record, claim, ordinal or people can't be right, in the order of turns.

    misnamed: the claim isn't the record's; again: another turn of a claim that takes one; nobody:
    somebody isn't there.
    """
    booked = ledger.c.claim.in_(select(blocks.c.claim).where(blocks.c.pool_id == pool_id))
    known = select(users.c.id)
    own_claim = literal("lead:") + cast(ledger.c.record_id, Text) + ":capture"
    nobody = or_(ledger.c.actor_id.not_in(known), ledger.c.previous_owner_id.not_in(known))
    unlike = ledger.c.record_id.is_(None) != (ledger.c.cause == Cause.VOID)
    misnamed = or_(
        and_(ledger.c.cause == "capture", ledger.c.claim != own_claim),
        and_(ledger.c.cause.in_(BOOKED), ~booked),
    )
    again = and_(ledger.c.ordinal != 0, ledger.c.cause != Cause.VOID, ~booked)
    signs = {"misnamed": misnamed, "again": again, "nobody": nobody}
    told = [flag(sign, name) for name, sign in signs.items()]
    found = select(ledger, *told).where(ledger.c.pool_id == pool_id, or_(unlike, *signs.values()))
    return stream(session, found.order_by(ledger.c.turn))


def agreement(session: Session, pool_id: int, record_type: str) -> tuple[int, int]:
    """How many entries that stand have a record, and how many of those records name their entry and
    have the owner that it gave them."""
    table = RECORDS[record_type]
    joined = ledger.outerjoin(
        table,
        and_(
            table.c.id == ledger.c.record_id, _names_it(table), table.c.owner_id == ledger.c.user_id
        ),
    )
    counted = select(func.count(), func.count(table.c.id)).select_from(joined)
    entries, agreeing = session.execute(
        counted.where(ledger.c.pool_id == pool_id, ledger.c.record_id.is_not(None), stands(ledger))
    ).one()
    return entries, agreeing


def disagreeing(session: Session, pool_id: int, record_type: str) -> Iterator[Row[Any]]:
    """The entries that stand and whose record isn't there, doesn't name them, or has another owner,
    in the order of turns.

    gone: the record isn't there; named: it names this entry; forgotten: it names none, and waits
    with a pool; overtaken: it names an entry of its own that is older; twice: it has another entry
    of a cause that comes once.
    """
    table, other, present = RECORDS[record_type], ledger.alias("other"), ledger.alias("present")
    alike = select(pools.c.id).where(pools.c.record_type == record_type)
    another = or_(other.c.pool_id != ledger.c.pool_id, other.c.turn != ledger.c.turn)
    same = and_(
        other.c.record_id == ledger.c.record_id,
        other.c.cause == ledger.c.cause,
        other.c.pool_id.in_(alike),
        another,
    )
    signs = {
        "gone": table.c.id.is_(None),
        "named": _names_it(table),
        "forgotten": and_(table.c.pool_id.is_(None), table.c.owner_id.in_(select(pools.c.id))),
        "overtaken": and_(present.c.record_id == table.c.id, present.c.at < ledger.c.at),
        "twice": and_(ledger.c.cause.in_(NEVER_TWICE), exists().where(same)),
    }
    joined = ledger.outerjoin(table, table.c.id == ledger.c.record_id)
    joined = joined.outerjoin(
        present, and_(present.c.pool_id == table.c.pool_id, present.c.turn == table.c.turn)
    )
    agrees = and_(_names_it(table), table.c.owner_id == ledger.c.user_id)
    columns = ledger.c.turn, ledger.c.cause, ledger.c.record_id, ledger.c.user_id, table.c.owner_id
    found = select(*columns, *(flag(sign, name) for name, sign in signs.items())).select_from(
        joined
    )
    of_pool = ledger.c.pool_id == pool_id, ledger.c.record_id.is_not(None), stands(ledger)
    return stream(
        session,
        found.where(*of_pool, func.coalesce(case((agrees, 1), else_=0), 0) == 0).order_by(
            ledger.c.turn
        ),
    )


def _names_it(table: Any) -> ColumnElement[bool]:
    return and_(table.c.pool_id == ledger.c.pool_id, table.c.turn == ledger.c.turn)


def entries_without_pool(session: Session) -> Iterator[tuple[int, int]]:
    """The (pool, turn) of entries whose pool isn't there."""
    return stream(
        session,
        select(ledger.c.pool_id, ledger.c.turn).where(ledger.c.pool_id.not_in(select(pools.c.id))),
    )


# --- records ---


def records_naming(session: Session, record_type: str) -> dict[int, int]:
    """How many records of that type name a turn of each pool."""
    table = RECORDS[record_type]
    counted = (
        select(table.c.pool_id, func.count())
        .where(table.c.pool_id.is_not(None))
        .group_by(table.c.pool_id)
    )
    return dict(session.execute(counted).all())


def records_without_entry(
    session: Session, pool_id: int, record_type: str, shared_type: str
) -> Iterator[tuple[int | None, int]]:
    """The (turn, record) of records that name a turn of a pool, whose entry was taken back, or
    isn't theirs, nor that of another record which was made together with them of one lead."""
    table = RECORDS[record_type]
    theirs = exists().where(_names_it(table), ledger.c.record_id == table.c.id, stands(ledger))
    found = select(table.c.turn, table.c.id).where(
        table.c.pool_id == pool_id, ~_made_along(table, record_type)
    )
    return stream(
        session,
        (found.where(~theirs) if record_type == shared_type else found).order_by(table.c.turn),
    )


def _made_along(table: Any, record_type: str) -> ColumnElement[bool]:
    """That the conversion of a lead made the record, and got the turn that it names."""
    made = [conversions.c[name] == table.c.id for name in _MADE[record_type]]
    return exists().where(
        conversions.c.pool_id == table.c.pool_id,
        conversions.c.turn == table.c.turn,
        or_(false(), *made),
    )


_MADE = {"lead": (), "contact": ("individual_id", "organization_id"), "deal": ("deal_id",)}


def records_of_nobody(session: Session, record_type: str) -> Iterator[tuple[int | None, int]]:
    """The (turn, record) of records whose owner or creator isn't there, or that name a turn of no
    pool."""
    table, known = RECORDS[record_type], select(users.c.id)
    no_pool = and_(table.c.pool_id.is_(None), table.c.turn.is_not(None))
    wrong = or_(table.c.owner_id.not_in(known), table.c.creator_id.not_in(known), no_pool)
    return stream(session, select(table.c.turn, table.c.id).where(wrong))


def owned_by_pool(session: Session, pool_id: int, record_type: str) -> Iterator[int]:
    """The records that a pool's phantom user owns, and that don't wait for the pool's next member."""
    table = RECORDS[record_type]
    waits = exists().where(captures.c.lead_id == table.c.id, captures.c.pool_id == pool_id)
    owned = select(table.c.id).where(table.c.owner_id == pool_id)
    return (
        record_id
        for (record_id,) in stream(
            session, (owned.where(~waits) if record_type == "lead" else owned).order_by(table.c.id)
        )
    )


def waiting(session: Session, pool_id: int) -> tuple[int, int]:
    """How many captured leads wait for a pool, and how many of them are in line: not set aside."""
    in_line = func.coalesce(func.sum(case((captures.c.set_aside, 0), else_=1)), 0)
    total, line = session.execute(
        select(func.count(), in_line).where(captures.c.pool_id == pool_id)
    ).one()
    return total, line


def waiting_in_vain(session: Session, pool_id: int) -> Iterator[Row[Any]]:
    """Of the captured leads that wait for a pool, those that somebody has already, or that aren't
    there: lead_id, turn and owner_id."""
    leads = RECORDS["lead"]
    joined = captures.outerjoin(leads, leads.c.id == captures.c.lead_id)
    found = (
        select(captures.c.lead_id, leads.c.turn, leads.c.owner_id)
        .select_from(joined)
        .where(captures.c.pool_id == pool_id)
    )
    return stream(
        session,
        found.where(func.coalesce(leads.c.owner_id, 0) != pool_id).order_by(captures.c.lead_id),
    )


# --- a few at a time ---


def flag(sign: ColumnElement[bool], name: str) -> ColumnElement[int]:
    return case((sign, 1), else_=0).label(name)


def stream(session: Session, found: Select[Any]) -> Iterator[Any]:
    for rows in partitions(session, found):
        yield from rows


def partitions(
    session: Session, found: Select[Any], at_once: int = ROWS_AT_ONCE
) -> Iterator[Sequence[Row[Any]]]:
    with session.execute(found, execution_options={"yield_per": at_once}) as rows:
        yield from rows.partitions()
