"""Protocols that lack one of their parts. Each has a script: a few calls of rules after which the
promise is broken, as a random search has found and shrunk them."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.protocol.bulk import Bulk
from tests.protocol.faults import Faults
from tests.protocol.machine import Stories
from tests.protocol.system import MortalRing
from worker.domain.turns.pool import Pool
from worker.domain.turns.rosters import Roster
from worker.flows.intake import capture
from worker.flows.turns import assign, fence
from worker.ring import Taken
from worker.store.runs import undos
from worker.store.turns import ledger

# --- mutations ---


def forget_claims(patch: pytest.MonkeyPatch) -> None:
    """The ring forgets which turns a claim has taken."""
    real, numbers = MortalRing.take_turns, itertools.count()

    def forgetful(ring: MortalRing, pool_id: int, claims: Sequence[tuple[str, int]]) -> Taken:
        return real(ring, pool_id, [(f"{name}:{next(numbers)}", count) for name, count in claims])

    patch.setattr(MortalRing, "take_turns", forgetful)


def let_every_epoch_through(patch: pytest.MonkeyPatch) -> None:
    """The fence believes the ring that its epoch is SQL's."""
    real = fence.check_turns

    def credulous(
        session: Session, pool: Pool, latest: Roster, taken: Taken, claim: str = ""
    ) -> None:
        real(session, replace(pool, epoch=taken.epoch), latest, taken, claim)

    patch.setattr(fence, "check_turns", credulous)


def look_at_no_open_block(patch: pytest.MonkeyPatch) -> None:
    """The fence doesn't see the turns that are reserved."""
    blind = SimpleNamespace(**{**vars(ledger), "list_open_blocks": lambda *_: {}})
    patch.setattr(fence, "ledger", blind)


def take_for_one_lead(patch: pytest.MonkeyPatch) -> None:
    """A captured lead takes a turn for itself, not for all that wait before it."""
    patch.setattr(capture, "assign", lambda *given: assign.assign(*given[:-1]))


def undo_what_others_changed(patch: pytest.MonkeyPatch) -> None:
    """An undo takes back records that others have changed since."""
    patch.setattr(undos, "lock_intact", lambda _, done: list(done.allotment.ordinals))


# --- scripts ---


@dataclass(frozen=True)
class Mutant:
    """A mutation of the protocol, the machine that finds it out, and the calls that do."""

    mutate: Callable[[pytest.MonkeyPatch], None]
    machine: type[Stories]
    script: Callable[[Any], None]


def ask_an_old_ring(machine: Faults) -> None:
    machine.begin(size=1)
    machine.begin_faults()
    machine.a_seeding_dies_before_its_commit()
    machine.work_slowly(everybody=False, more=1, which=0)
    machine.teardown()


def work_slowly_while_others_are_faster(machine: Stories) -> None:
    machine.begin(size=3)
    machine.everybody_leaves()
    machine.capture(count=2)
    machine.join(which=18)
    machine.edit(count=1)
    machine.work_slowly(everybody=True, more=2, which=20)
    machine.teardown()


def go_back_behind_a_reservation(machine: Faults) -> None:
    machine.begin(size=1)
    machine.begin_faults()
    machine.reserve(count=1)
    machine.redis_goes_back_behind_what_was_taken(count=1, reserves=True, asks_again=False)
    machine.teardown()


def work_on_the_newest_of_a_line(machine: Stories) -> None:
    machine.begin(size=1)
    machine.capture(count=1)
    machine.work_slowly(which=0, more=1, everybody=True)
    machine.teardown()


def undo_an_import_whose_lead_was_given_on(machine: Bulk) -> None:
    machine.begin(size=2)
    machine.choose_the_owner(owner="Inbound", which=0)
    machine.undo(at_once=True, returns=False, which=73)
    machine.delete(which=0)
    machine.undo(at_once=True, returns=False, which=0)
    machine.teardown()


MUTANTS = {
    "a ring that forgets its claims": Mutant(
        forget_claims, Stories, work_slowly_while_others_are_faster
    ),
    "a fence that does not look at open blocks": Mutant(
        look_at_no_open_block, Faults, go_back_behind_a_reservation
    ),
    "turns that are not taken for the whole line": Mutant(
        take_for_one_lead, Stories, work_on_the_newest_of_a_line
    ),
    "a fence that lets every epoch through": Mutant(
        let_every_epoch_through, Faults, ask_an_old_ring
    ),
}
