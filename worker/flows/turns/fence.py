"""The fence: turns that a ring hands out are checked against SQL before anybody gets them."""

from sqlalchemy.orm import Session

from worker.domain.turns.pool import Pool
from worker.domain.turns.rosters import Roster
from worker.domain.turns.turns import Turns, merge, share_a_turn
from worker.errors.turns import Refused
from worker.ring import Taken
from worker.store.turns import ledger


def check_turns(
    session: Session, pool: Pool, latest: Roster, taken: Taken, claim: str = ""
) -> None:
    """Refuses turns that a ring hands out a second time because it forgot, or went back in time.
    `claim` is the claim of a block that is to be reserved, if one is. Raises Refused."""

    def refuse(reason: str) -> None:
        raise Refused(pool_id=pool.id, epoch=taken.epoch, reason=reason)

    if taken.epoch != pool.epoch:
        refuse("it is of another epoch")
    if taken.version != latest.version:
        refuse("its roster isn't the latest that was committed")
    turns = Turns(merge(span for turns in taken.turns for span in turns))
    if ledger.has_entered(session, pool.id, turns):
        refuse("a turn is in the ledger already")
    for name, reserved in ledger.list_open_blocks(session, pool.id).items():
        if name != claim and share_a_turn(turns, reserved):
            refuse(f"a turn is reserved by {name}")
