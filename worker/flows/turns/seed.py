"""Seeding, the only recovery: writes a ring anew from the ledger, under a new epoch."""

import logging
import secrets

from sqlalchemy.orm import Session

from worker.domain.turns.allotment import Allotment
from worker.domain.turns.causes import Cause
from worker.domain.turns.pool import Pool
from worker.domain.turns.rosters import Roster, Rosters
from worker.domain.turns.turns import Span, Turns, Upcoming
from worker.flows.unit import Unit
from worker.store.sql.clock import now
from worker.store.turns import ledger, pools, seedings

logger = logging.getLogger(__name__)


def new_epoch() -> str:
    """A token that no ring has had before."""
    return secrets.token_hex(8)


def seed(unit: Unit, pool_id: int, stumbled_over: str | None, reason: str) -> None:
    """Seeds a pool's ring, unless somebody has done so since the caller found it wrong.

    stumbled_over is the epoch of the answer that the fence refused, or None if the ring had no
    state. Raises Stale if another seeding got in between: a new attempt finds it done.
    """
    pool = pools.lock(unit, pool_id)
    seen = unit.ring.epoch(pool_id)
    if seen != pool.epoch or seen == stumbled_over:
        _seed_locked(unit, pool_id, pool.watermark, seen, reason)


def seed_again(unit: Unit, pool_id: int, reason: str) -> None:
    """Seeds a pool's ring, whatever it holds. This is how turns come back. A deleted pool is left
    alone: it hands out nothing any more."""
    pool = pools.lock(unit, pool_id)
    if pool.deleted_at is None:
        _seed_locked(unit, pool_id, pool.watermark, unit.ring.epoch(pool_id), reason)


def predict(session: Session, pool: Pool) -> Upcoming:
    """What the ring would hand out next if it were seeded now. It changes nothing."""
    last = ledger.find_greatest_turn(session, pool.id)
    missing = ledger.find_missing(session, pool.id, pool.watermark, last)
    rosters = (
        pools.rosters_between(session, pool.id, missing[0].first, missing[-1].last)
        if missing
        else Rosters(())
    )
    returned, _ = separate_turns_of_leavers(
        rosters, pools.latest_roster(session, pool.id).members, missing
    )
    return Upcoming(returned, last + 1)


def _seed_locked(unit: Unit, pool_id: int, watermark: int, seen: str | None, reason: str) -> None:
    last = ledger.find_greatest_turn(unit, pool_id)
    roster = pools.latest_roster(unit, pool_id)
    epoch = new_epoch()
    missing = ledger.find_missing(unit, pool_id, watermark, last)
    returned = _void_turns_of_leavers(unit, pool_id, roster, missing, epoch)
    pools.set_epoch(unit, pool_id, epoch, ledger.find_watermark(unit, pool_id, last, returned))
    voided = Turns(missing).total - returned.total
    seedings.add(
        unit,
        pool_id,
        epoch=epoch,
        reason=reason,
        next_turn=last + 1,
        returned=returned.total,
        voided=voided,
    )
    unit.ring.seed(pool_id, seen, epoch, roster, last + 1, returned)
    logger.info(
        "seeded the ring of pool %d (%s): next turn %d, %d returned, epoch %s",
        pool_id,
        reason,
        last + 1,
        returned.total,
        epoch,
    )


def _void_turns_of_leavers(
    session: Session, pool_id: int, roster: Roster, missing: list[Span], epoch: str
) -> Turns:
    """Voids the missing turns of members who left. Returns the others, which the ring gets back."""
    if not missing:
        return Turns()
    rosters = pools.rosters_between(session, pool_id, missing[0].first, missing[-1].last)
    returned, voided = separate_turns_of_leavers(rosters, roster.members, missing)
    turns, nobody = list(voided.each()), [None] * voided.total
    allotment = Allotment(
        pool_id=pool_id,
        cause=Cause.VOID,
        claims=[f"{Cause.VOID}:{epoch}"] * len(turns),
        ordinals=turns,
        turns=turns,
        owner_ids=list(rosters.owners(voided)),
        record_ids=nobody,
        previous_owner_ids=nobody,
        actor_ids=nobody,
    )
    ledger.enter(session, allotment, now())
    return returned


def separate_turns_of_leavers(
    rosters: Rosters, members: tuple[int, ...], missing: list[Span]
) -> tuple[Turns, Turns]:
    """The missing turns of present members, and those of members who left."""
    spans: tuple[list[Span], list[Span]] = [], []
    for span in missing:
        if rosters.first_not_among(span, members) is None:
            spans[0].append(span)
            continue
        for turn, owner in enumerate(rosters.owners([span]), span.first):
            side = spans[owner not in members]
            if side and side[-1].last == turn - 1:
                side[-1] = Span(side[-1].first, side[-1].count + 1)
            else:
                side.append(Span(turn, 1))
    return Turns(spans[0]), Turns(spans[1])
