"""The turn protocol as a program: captures, blocks, roster changes and faults of Redis in any order, and the promise at the end."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from redis import Redis
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from tests.factories import email, person, pool
from tests.faults import Photograph, photograph, roll_back
from tests.invariants import Book, assert_promise, book, rows, spans
from tests.tasks import Tasks
from worker.domain.turns import Turns
from worker.errors import EmptyPool, RingError
from worker.flows import assign, pools, seed
from worker.flows.system import System
from worker.ring import Ring
from worker.store import ledger, records
from worker.store.engine import open_engine
from worker.uploads import Uploads

TABLES = ("ledger", "ledger_history", "blocks", "captures", "leads", "rosters", "seedings", "pools", "users")
CAST = [email(number) for number in range(8)]
SOME = st.integers(0, 99)


class ProtocolMachine(RuleBasedStateMachine):
    """The real ring and the real ledger, with one pool."""

    system: System
    client: Redis

    @initialize(size=st.integers(1, 4))
    def begin(self, size: int) -> None:
        self.client.flushall()
        self.system.transact(lambda session: [session.execute(text(f"DELETE FROM {table}")) for table in TABLES])
        self.pool_id = pool(self.system, size).id
        self.members = CAST[:size]
        for address in CAST:
            person(self.system, address)
        self.photographs: list[Photograph] = []
        self.given: dict[int, int] = {}
        self.blocks: dict[str, Turns] = {}

    # --- stories ---

    @rule(count=st.integers(1, 4))
    def capture(self, count: int) -> None:
        """New leads, in order."""
        root = person(self.system, CAST[-1])
        add = lambda session: [records.add(session, "lead", root, {}) for _ in range(count)]  # noqa: E731
        self._ask(self.system.transact(add))

    @precondition(lambda self: self.given)
    @rule(which=SOME, count=st.integers(1, 4))
    def deliver_again(self, which: int, count: int) -> None:
        """Old requests once more; each keeps its owner."""
        known = list(self.given)
        self._ask([known[(which + step) % len(known)] for step in range(min(count, len(known)))])

    def _ask(self, leads: list[int]) -> None:
        requests = [assign.Request(f"lead:{record_id}:capture", record_id, None) for record_id in leads]
        fresh = [record_id for record_id in leads if record_id not in self.given]
        if fresh and not self.members:
            with pytest.raises(EmptyPool):
                self._assign(requests)
            return
        owners = self._assign(requests)
        assert not fresh or self._ring_is_at_the_ledger_s_epoch()
        assert all(owners[record_id] == self.given.setdefault(record_id, owners[record_id]) for record_id in leads)

    def _ring_is_at_the_ledger_s_epoch(self) -> bool:
        return self.system.ring.epoch(self.pool_id) == rows(self.system, "SELECT epoch FROM pools")[0]["epoch"]

    def _assign(self, requests: list[assign.Request]) -> dict[int, int]:
        ring = self.system.ring
        return self.system.transact(lambda session: assign.assign(session, ring, self.pool_id, "lead", requests, "capture"))

    @precondition(lambda self: self.members)
    @rule(count=st.integers(1, 9))
    def reserve(self, count: int) -> None:
        claim = f"import:{len(self.blocks)}"
        self.blocks[claim] = self._reserve(claim, count)
        assert self.blocks[claim].total == count
        assert self._ring_is_at_the_ledger_s_epoch()

    @precondition(lambda self: self.blocks)
    @rule(which=SOME)
    def reserve_again(self, which: int) -> None:
        claim = list(self.blocks)[which % len(self.blocks)]
        assert self._reserve(claim, 1) == self.blocks[claim]

    def _reserve(self, claim: str, count: int) -> Turns:
        return self.system.transact(lambda session: assign.reserve(session, self.system.ring, self.pool_id, claim, count))

    @precondition(lambda self: self._open())
    @rule(which=SOME)
    def cancel_a_block(self, which: int) -> None:
        """Its turns come back."""
        claim = self._open()[which % len(self._open())]

        def cancel(session: Session) -> None:
            ledger.close_block(session, self.pool_id, claim)
            seed.seed_again(session, self.system.ring, self.pool_id, "a test")

        self.system.transact(cancel)

    def _open(self) -> list[str]:
        return [str(row["claim"]) for row in rows(self.system, "SELECT claim FROM blocks WHERE open ORDER BY claim")]

    @precondition(lambda self: len(self.members) < len(CAST))
    @rule(which=SOME)
    def join(self, which: int) -> None:
        absent = [address for address in CAST if address not in self.members]
        newcomer = absent[which % len(absent)]
        self.system.transact(lambda session: pools.add_members(session, self.system.ring, "Inbound", [newcomer], None))
        self.members = [*self.members, newcomer]

    @precondition(lambda self: self.members)
    @rule(which=SOME, several=st.booleans())
    def leave(self, which: int, several: bool) -> None:
        at = which % len(self.members)
        leavers = self.members[at : at + 1 + several]
        self.system.transact(lambda session: pools.remove_members(session, self.system.ring, "Inbound", leavers, None))
        self.members = [member for member in self.members if member not in leavers]

    @precondition(lambda self: self.members)
    @rule()
    def everybody_leaves(self) -> None:
        self.system.transact(lambda session: pools.remove_members(session, self.system.ring, "Inbound", self.members, None))
        self.members = []

    # --- faults ---

    @rule()
    def redis_forgets(self) -> None:
        self.client.flushall()

    @rule()
    def remember_redis(self) -> None:
        self.photographs = [*self.photographs[-4:], photograph(self.client)]

    @precondition(lambda self: self.photographs)
    @rule(which=SOME)
    def redis_goes_back(self, which: int) -> None:
        roll_back(self.client, self.photographs[which % len(self.photographs)])

    @precondition(lambda self: self.members)
    @rule(count=st.integers(1, 4), reserves=st.booleans())
    def redis_goes_back_behind_what_was_taken(self, count: int, reserves: bool) -> None:
        before = photograph(self.client)
        (self.reserve if reserves else self.capture)(count)
        roll_back(self.client, before)

    @rule(count=st.integers(1, 5), which=SOME)
    def a_worker_dies_after_taking(self, count: int, which: int) -> None:
        self._torn(lambda: self.system.ring.take_turns(self.pool_id, [(f"dead:{which}", count)]))

    @rule(users=st.lists(st.integers(1, 99), unique=True, max_size=3))
    def a_roster_change_dies_before_its_commit(self, users: list[int]) -> None:
        kept = self._book()
        version = kept.rosters[-1]["version"]
        self._torn(lambda: self.system.ring.change_roster(self.pool_id, kept.pool["epoch"], version, users))

    @rule()
    def a_seeding_dies_before_its_commit(self) -> None:
        def seed_and_die(session: Session) -> None:
            seed.seed_again(session, self.system.ring, self.pool_id, "a test")
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            self.system.transact(seed_and_die)

    def _torn(self, half: Callable[[], object]) -> None:
        """Half of a change: what Redis does of it, if it does."""
        with suppress(RingError):
            half()

    def _book(self) -> Book:
        return book(self.system, rows(self.system, "SELECT * FROM pools")[0])

    # --- the promise ---

    def teardown(self) -> None:
        if hasattr(self, "members"):
            assert_promise(self.system, quiet=False)
            self.system.transact(lambda session: seed.seed_again(session, self.system.ring, self.pool_id, "a test"))
            assert_promise(self.system)
            self._assert_nothing_lost()

    def _assert_nothing_lost(self) -> None:
        kept = self._book()
        entered = {entry["record_id"]: entry["user_id"] for entry in kept.ledger if entry["record_id"]}
        assert entered == self.given
        assert {record["id"]: record["owner_id"] for record in kept.records if record["turn"]} == self.given
        assert {block["claim"]: spans(block["turns"].split()) for block in kept.blocks} == {
            claim: list(turns.each()) for claim, turns in self.blocks.items()
        }


@pytest.fixture
def sqlite_engine(sqlite_url: str) -> Engine:
    return open_engine(sqlite_url)


def test_no_story_breaks_the_promise(sqlite_engine: Engine, valkey: Redis, tmp_path: Path) -> None:
    system = System(sqlite_engine, Ring(valkey), Uploads(str(tmp_path)), Tasks())
    machine = type("Machine", (ProtocolMachine,), {"system": system, "client": valkey})

    run_state_machine_as_test(machine, settings=settings(max_examples=50, stateful_step_count=30))

    sqlite_engine.dispose()
