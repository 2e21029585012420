"""The ring against a pure model of it: Hypothesis looks for a story in which the two disagree."""

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis import Redis

from tests.ring.rings import POOL
from worker.domain.turns.rosters import Roster
from worker.domain.turns.turns import Turns
from worker.errors.turns import EmptyRoster, Stale, Unseeded
from worker.ring import Ring

CLAIMS = st.sampled_from([f"claim:{number}" for number in range(12)])
COUNTS = st.integers(1, 9)


@dataclass
class Model:
    """A ring as plain lists, whose answers are lists of turns."""

    epoch: str
    version: int
    next_turn: int
    line: list[int]
    """The members in the order in which they are next."""
    returned: list[int] = field(default_factory=list)
    claims: dict[str, list[int]] = field(default_factory=dict)

    def take(self, claim: str, count: int) -> list[int]:
        if claim not in self.claims:
            self.claims[claim] = [self._turn() for _ in range(count)]
        return self.claims[claim]

    def _turn(self) -> int:
        if self.returned:
            return self.returned.pop(0)
        self.line = self.line[1:] + self.line[:1]
        self.next_turn += 1
        return self.next_turn - 1

    def change(self, members: list[int]) -> None:
        first = next(
            (user for user in self.line if user in members), members[0] if members else None
        )
        at = members.index(first) if first is not None else 0
        self.line, self.version = members[at:] + members[:at], self.version + 1


class RingMachine(RuleBasedStateMachine):
    """Takes, blocks, joins, leaves, seedings and losses, in any order."""

    client: Redis

    @initialize(size=st.integers(0, 4))
    def begin(self, size: int) -> None:
        self.client.flushall()
        self.ring = Ring(self.client)
        self.members = list(range(1, size + 1))
        self.users, self.epochs = size, 0
        self.model: Model | None = None

    @rule(
        next_turn=st.integers(1, 40),
        slot=st.integers(0, 9),
        holes=st.sets(st.integers(1, 40), max_size=6),
    )
    def seed(self, next_turn: int, slot: int, holes: set[int]) -> None:
        returned = sorted(turn for turn in holes if turn < next_turn)
        slot = slot % len(self.members) if self.members else 0
        seen, version = (self.model.epoch, self.model.version) if self.model else (None, 1)
        self.epochs += 1

        spans = Turns.parse(" ".join(f"{turn}:1" for turn in returned))
        self.ring.seed(
            POOL,
            seen,
            f"e{self.epochs}",
            Roster(version, next_turn, slot, tuple(self.members)),
            next_turn,
            spans,
        )

        line = self.members[slot:] + self.members[:slot]
        self.model = Model(f"e{self.epochs}", version, next_turn, line, returned)

    @rule(asked=st.lists(st.tuples(CLAIMS, COUNTS), min_size=1, max_size=4))
    def take(self, asked: list[tuple[str, int]]) -> None:
        if self.model is None or not self.model.line:
            with pytest.raises(Unseeded if self.model is None else EmptyRoster):
                self.ring.take_turns(POOL, asked)
            return

        taken = self.ring.take_turns(POOL, asked)

        assert (taken.epoch, taken.version) == (self.model.epoch, self.model.version)
        assert [list(turns.each()) for turns in taken.turns] == [
            self.model.take(*one) for one in asked
        ]

    def change(self, members: list[int]) -> None:
        assert self.model is not None
        answer = self.ring.change_roster(POOL, self.model.epoch, self.model.version, members)
        self.model.change(members)
        self.members = members
        assert answer.first_turn == self.model.next_turn
        assert not members or members[answer.first_slot] == self.model.line[0]

    @precondition(lambda self: self.model is not None)
    @rule(count=st.integers(1, 3))
    def join(self, count: int) -> None:
        self.users += count
        self.change([*self.members, *range(self.users - count + 1, self.users + 1)])

    @precondition(lambda self: self.model is not None and self.members)
    @rule(leavers=st.sets(st.integers(0, 9), min_size=1))
    def leave(self, leavers: set[int]) -> None:
        self.change([user for slot, user in enumerate(self.members) if slot not in leavers])

    @precondition(lambda self: self.model is not None and self.model.line)
    @rule()
    def the_next_member_leaves(self) -> None:
        assert self.model is not None
        self.change([user for user in self.members if user != self.model.line[0]])

    @precondition(lambda self: self.model is not None)
    @rule(behind=st.sampled_from([-1, 1]))
    def change_at_another_version(self, behind: int) -> None:
        assert self.model is not None
        with pytest.raises(Stale):
            self.ring.change_roster(POOL, self.model.epoch, self.model.version + behind, [99])

    @precondition(lambda self: self.epochs > 0)
    @rule()
    def seed_too_late(self) -> None:
        with pytest.raises(Stale):
            self.ring.seed(POOL, "another", "late", Roster(1, 1, 0, (99,)), 1, Turns())

    @rule()
    def forget_the_scripts(self) -> None:
        self.client.script_flush()

    @rule()
    def lose_everything(self) -> None:
        self.client.flushall()
        self.model = None

    @invariant()
    def the_ring_is_as_the_model_says(self) -> None:
        state = self.ring.state(POOL)
        if state is None or self.model is None:
            assert state is None
            assert self.model is None
            return
        assert (state.epoch, state.version, state.next_turn) == (
            self.model.epoch,
            self.model.version,
            self.model.next_turn,
        )
        assert list(state.members) == self.members
        assert list(state.returned.each()) == self.model.returned
        assert not state.members or state.members[state.cursor] == self.model.line[0]


@pytest.fixture
def machine(ring_client: Redis) -> type[RingMachine]:
    return type("Machine", (RingMachine,), {"client": ring_client})


def test_no_story_makes_ring_and_model_disagree(machine: type[RingMachine]) -> None:
    run_state_machine_as_test(machine, settings=settings(max_examples=60, stateful_step_count=40))
