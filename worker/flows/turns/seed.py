"""Seeding, the only recovery: writes a ring anew from the ledger, under a new epoch."""

import logging
import secrets
from collections.abc import Sequence
from typing import NamedTuple

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


class _MissingTurns(NamedTuple):
    """The turns that nobody has got."""

    returned: Turns
    """Those of present members."""
    voided: Turns
    """Those of members who left."""
    leavers: list[int]
    """The member who left, for each voided turn."""


def new_epoch() -> str:
    """A token that no ring has had before."""
    return secrets.token_hex(8)


def seed(unit: Unit, pool_id: int, stumbled_over: str | None, reason: str) -> None:
    """Seeds a pool's ring, unless somebody has done so since the caller found it wrong.

    `stumbled_over` is the epoch of the answer that the fence refused, or None if the ring had no
    state. Raises Stale if another seeding came first: a new attempt finds it done.
    """
    pool = pools.lock_exclusive(unit, pool_id)
    seen = unit.ring.epoch(pool_id)
    if seen != pool.epoch or seen == stumbled_over:
        _seed_locked(unit, pool_id, pool.watermark, seen, reason)


def seed_again(unit: Unit, pool_id: int, reason: str) -> None:
    """Seeds a pool's ring, whatever it holds. This is how turns come back. A deleted pool is left
    alone: it hands out nothing any more."""
    pool = pools.lock_exclusive(unit, pool_id)
    if pool.deleted_at is None:
        _seed_locked(unit, pool_id, pool.watermark, unit.ring.epoch(pool_id), reason)


def predict(session: Session, pool: Pool) -> Upcoming:
    """What the ring would hand out next if it were seeded now. It changes nothing."""
    last = ledger.find_greatest_turn(session, pool.id)
    roster = pools.get_latest_roster(session, pool.id)
    missing = _find_missing(session, pool.id, pool.watermark, roster, last)
    return Upcoming(missing.returned, last + 1)


def _seed_locked(unit: Unit, pool_id: int, watermark: int, seen: str | None, reason: str) -> None:
    last = ledger.find_greatest_turn(unit, pool_id)
    roster = pools.get_latest_roster(unit, pool_id)
    epoch = new_epoch()
    returned, voided, leavers = _find_missing(unit, pool_id, watermark, roster, last)
    if voided:
        _void(unit, pool_id, epoch, voided, leavers)
    pools.set_epoch(unit, pool_id, epoch, ledger.find_watermark(unit, pool_id, last, returned))
    seedings.add(
        unit,
        pool_id,
        epoch=epoch,
        reason=reason,
        next_turn=last + 1,
        returned=returned.total,
        voided=voided.total,
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


def _void(
    session: Session, pool_id: int, epoch: str, voided: Turns, leavers: Sequence[int]
) -> None:
    """Enters turns without a record, each for the member who left."""
    turns = list(voided.each())
    nobody = [None] * len(turns)
    allotment = Allotment(
        pool_id=pool_id,
        cause=Cause.VOID,
        claims=[f"{Cause.VOID}:{epoch}"] * len(turns),
        ordinals=turns,
        turns=turns,
        owner_ids=leavers,
        record_ids=nobody,
        previous_owner_ids=nobody,
        actor_ids=nobody,
    )
    ledger.enter(session, allotment, now())


def _find_missing(
    session: Session, pool_id: int, watermark: int, roster: Roster, last: int
) -> _MissingTurns:
    """The turns up to `last` that are neither entered nor reserved."""
    missing = ledger.find_missing(session, pool_id, watermark, last)
    if not missing:
        return _MissingTurns(Turns(), Turns(), [])
    rosters = pools.list_rosters_between(session, pool_id, missing[0].first, missing[-1].last)
    returned, voided = _separate_turns_of_leavers(rosters, roster.members, missing)
    return _MissingTurns(returned, voided, list(rosters.owners(voided)))


def _separate_turns_of_leavers(
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
