"""The stories with every fault of workers and of Redis in between."""

from collections.abc import Callable
from contextlib import suppress

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from sqlalchemy import text

from tests.protocol.machine import SOME, Stories, time_passes
from tests.protocol.system import Killed
from tests.support.faults import Photograph, photograph, roll_back
from tests.support.invariants import rows
from worker.errors.runs import RunEnded
from worker.errors.turns import RingError
from worker.flows.runs import cancel
from worker.flows.turns import seed
from worker.flows.upkeep import rings

WHEN = st.sampled_from(["before", "after"])


class Faults(Stories):
    """Anything may die at any moment, and Redis forget everything or go back in time."""

    @initialize()
    def begin_faults(self) -> None:
        self.photographs: list[Photograph] = []

    # --- workers die ---

    @precondition(lambda self: self.send.waiting)
    @rule(which=SOME, when=WHEN, comes_again=st.booleans())
    def a_worker_dies_at_the_ring(self, which: int, when: str, comes_again: bool) -> None:
        """Between its lease and its turns, or between its turns and its commit. Its task may come
        again, or be gone for good."""
        task = self.send.waiting[which % len(self.send.waiting)]
        self.system.ring.dies = when
        with suppress(Killed):
            self.work(which)
        self.system.ring.dies = None
        if comes_again:
            self.send.waiting.append(task)

    @rule(count=st.integers(1, 5), which=SOME)
    def somebody_takes_turns_and_is_gone_for_good(self, count: int, which: int) -> None:
        self._half(lambda: self.system.ring.take_turns(self.pool_id, [(f"dead:{which}", count)]))

    @rule(users=st.lists(st.integers(1, 99), unique=True, max_size=3))
    def a_roster_change_dies_before_its_commit(self, users: list[int]) -> None:
        kept = self.book()
        version = kept.rosters[-1]["version"]
        self._half(
            lambda: self.system.ring.change_roster(self.pool_id, kept.pool["epoch"], version, users)
        )

    def _half(self, change: Callable[[], object]) -> None:
        """What Redis does of a change, if it does."""
        with suppress(RingError):
            change()

    @rule()
    def a_seeding_dies_before_its_commit(self) -> None:
        self.system.ring.dies = "after"
        with suppress(Killed):
            self._seed()

    @rule()
    def leases_run_out(self) -> None:
        time_passes(self.system)

    @rule()
    def the_broker_forgets(self) -> None:
        self.send.lose()

    # --- runs and leads that shall not go on ---

    @precondition(lambda self: bool(rows(self.system, "SELECT 1 FROM runs")))
    @rule(which=SOME)
    def cancel_a_run(self, which: int) -> None:
        known = [run["id"] for run in rows(self.system, "SELECT id FROM runs ORDER BY id")]
        run_id = known[which % len(known)]
        with suppress(RunEnded):
            self.system.transact(cancel.cancel, run_id)

    @precondition(lambda self: bool(rows(self.system, "SELECT 1 FROM captures")))
    @rule(which=SOME)
    def delete_a_lead_that_waits(self, which: int) -> None:
        waiting = [
            row["lead_id"]
            for row in rows(self.system, "SELECT lead_id FROM captures ORDER BY lead_id")
        ]
        self._delete(waiting[which % len(waiting)])

    def _delete(self, lead_id: int) -> None:
        self.deleted.add(lead_id)
        self.system.transact(
            lambda session: session.execute(text(f"DELETE FROM leads WHERE id = {lead_id}"))
        )

    @precondition(lambda self: self.send.waiting)
    @rule(
        which=SOME,
        then=st.sampled_from(
            ["cancel_a_run", "delete_a_lead_that_waits", "redis_goes_back", "redis_forgets"]
        ),
    )
    def work_while_something_happens(self, which: int, then: str) -> None:
        """Between a worker's lease and its turns."""
        happen: dict[str, Callable[[], object]] = {
            "cancel_a_run": lambda: (
                rows(self.system, "SELECT 1 FROM runs") and self.cancel_a_run(which)
            ),
            "delete_a_lead_that_waits": lambda: (
                rows(self.system, "SELECT 1 FROM captures") and self.delete_a_lead_that_waits(which)
            ),
            "redis_goes_back": lambda: self.photographs and self.redis_goes_back(which),
            "redis_forgets": self.redis_forgets,
        }
        self.system.meanwhile[:] = [happen[then]]
        self.work(which)
        self.system.meanwhile.clear()

    # --- Redis ---

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
    @rule(count=st.integers(1, 4), reserves=st.booleans(), asks_again=st.booleans())
    def redis_goes_back_behind_what_was_taken(
        self, count: int, reserves: bool, asks_again: bool
    ) -> None:
        before = photograph(self.client)
        (self.reserve if reserves else self.edit)(count)
        roll_back(self.client, before)
        if asks_again or reserves:
            self.edit(count)

    @rule(count=st.integers(1, 4))
    def redis_goes_back_behind_a_seeding(self, count: int) -> None:
        """To turns that were taken and never entered, which the seeding has returned."""
        self.somebody_takes_turns_and_is_gone_for_good(count, len(self.given))
        before = photograph(self.client)
        self._seed()
        roll_back(self.client, before)
        self.edit(1)

    # --- the promise ---

    def _seed(self) -> None:
        self.system.transact(seed.seed_again, self.pool_id, "a test")

    def assert_quiet(self) -> None:
        rings.repair(self.system)
        self._seed()
        self.assert_all_is_well()
