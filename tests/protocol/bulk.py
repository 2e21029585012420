"""Imports, reassignments and undos in any order, whole or cancelled, while leads come in, people
change records, and Redis forgets."""

from contextlib import suppress
from random import Random

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from redis import Redis

from tests.support.factories import (
    accepted,
    an_hour_passes,
    captured,
    email,
    join,
    leave,
    owner_id_of,
    person,
    pool,
    sheet,
)
from tests.support.faults import Photograph, forget, photograph, roll_back
from tests.support.invariants import assert_promise, rows
from tests.support.tasks import Tasks, run
from worker.domain.people.permissions import Actor
from worker.domain.records.types import LEAD
from worker.domain.runs.record_ids import RecordIds
from worker.errors.records import IncorrectPayload
from worker.errors.runs import NotUndoable, RunEnded
from worker.errors.turns import EmptyPool
from worker.flows.audit.verify import verify
from worker.flows.records.edits import RecordEditor, RequestContext
from worker.flows.runs import cancel as cancel_flow
from worker.flows.runs import reassign, undo
from worker.flows.system import System
from worker.flows.turns import seed
from worker.flows.upkeep import rings, sweeps
from worker.queue import Task
from worker.store.sql.engine import writing
from worker.store.tables import metadata

POOLS, PERSON = ("Inbound", "Others"), "zoe@example.com"
CAST = [email(number) for number in range(5)]
SOME = st.integers(0, 99)
OWNERS = st.sampled_from(["Inbound", "Inbound", "Others", PERSON])
AT_ONCE = st.sampled_from([True, True, False])
ROUNDS = 9
"""So often everything that waits is tried again at the end."""


class Bulk(RuleBasedStateMachine):
    """Tasks run in any order and several times, and may be lost."""

    system: System
    send: Tasks
    client: Redis

    @initialize(size=st.integers(1, 4))
    def begin(self, size: int) -> None:
        self.client.flushall()
        self.send.lose()
        with writing(self.system.engine) as session:
            for table in reversed(metadata.sorted_tables):
                session.execute(table.delete())
        self.ran: list[Task] = []
        self.asked = self.known = 0
        self.photographs: list[Photograph] = []
        self.boss = Actor(
            person(self.system, "boss@example.com", is_admin=True), is_admin=True, can_reassign=True
        )
        for address in (*CAST, PERSON):
            person(self.system, address)
        self.members = {"Inbound": CAST[:size], "Others": CAST[-2:]}
        self.pools = {
            name: int(pool(self.system, members, name).id) for name, members in self.members.items()
        }
        self.import_a_file(9, "Inbound", at_once=True)
        self.reassign(0, 6, "Inbound", at_once=True)

    # --- runs ---

    @rule(count=st.integers(1, 9), owner=OWNERS, at_once=AT_ONCE)
    def import_a_file(self, count: int, owner: str, at_once: bool) -> None:
        with suppress(EmptyPool):
            accepted(self.system, sheet(count, {0} if count > 8 else ()), owner)
        self._go_on(at_once)

    @rule(order=SOME, part=st.integers(1, 10), owner=OWNERS, at_once=AT_ONCE)
    def reassign(self, order: int, part: int, owner: str, at_once: bool) -> None:
        """Some of the leads, in any order."""
        ids = self._leads()
        Random(order).shuffle(ids)
        with suppress(EmptyPool):
            self.system.transact(
                reassign.accept,
                wanted=RecordIds("lead", ids[:part]),
                owner_id=owner_id_of(self.system, owner),
                actor_id=None,
            )
        self._go_on(at_once)

    @rule(which=SOME, returns=st.booleans(), at_once=AT_ONCE)
    def undo(self, which: int, returns: bool, at_once: bool) -> None:
        if known := rows(
            self.system,
            "SELECT id FROM runs WHERE kind <> 'undo' AND ended_at IS NOT NULL ORDER BY id DESC",
        ):
            run_id = known[which % len(known)]["id"]
            with suppress(NotUndoable):
                self.system.transact(
                    undo.accept, run_id=run_id, actor_id=self.boss.id, returns_turns=returns
                )
        self._go_on(at_once)

    def _go_on(self, at_once: bool) -> None:
        if at_once:
            self.work_on_everything(0)

    @rule(which=SOME)
    def cancel(self, which: int) -> None:
        if known := rows(self.system, "SELECT id FROM runs WHERE ended_at IS NULL ORDER BY id"):
            run_id = known[which % len(known)]["id"]
            with suppress(RunEnded):
                self.system.transact(cancel_flow.cancel, run_id=run_id)

    # --- records ---

    @rule(count=st.integers(1, 3), name=st.sampled_from(POOLS))
    def capture(self, count: int, name: str) -> None:
        captured(self.system, count, name)

    @rule(which=SOME)
    def edit(self, which: int) -> None:
        self._change(which, phone=str(self.asked))

    @rule(which=SOME, owner=st.sampled_from([*POOLS, PERSON]))
    def choose_the_owner(self, which: int, owner: str) -> None:
        owner_id = self.pools.get(owner) or person(self.system, owner)
        with suppress(IncorrectPayload):
            self._change(which, owner_id=owner_id)

    def _change(self, which: int, **values: object) -> None:
        if ids := self._leads():
            lead_id, asking = ids[which % len(ids)], self._asking()
            self.system.transact(
                RecordEditor(LEAD).update, context=asking, record_id=lead_id, values=values
            )

    @rule(which=SOME)
    def delete(self, which: int) -> None:
        if ids := self._leads():
            self.system.transact(
                RecordEditor(LEAD).delete, context=self._asking(), record_id=ids[which % len(ids)]
            )

    def _asking(self) -> RequestContext:
        self.asked += 1
        return RequestContext(self.boss, f"request:{self.asked}", "USD")

    def _leads(self) -> list[int]:
        return [
            lead["id"]
            for lead in rows(
                self.system, "SELECT id FROM leads WHERE deleted_at IS NULL ORDER BY id"
            )
        ]

    # --- members ---

    @rule(which=SOME, name=st.sampled_from(POOLS))
    def join_or_leave(self, which: int, name: str) -> None:
        address, members = CAST[which % len(CAST)], self.members[name]
        (leave if address in members else join)(self.system, address, name=name)
        self.members[name] = (
            [member for member in members if member != address]
            if address in members
            else [*members, address]
        )

    # --- workers and servers ---

    @precondition(lambda self: self.send.waiting)
    @rule(which=SOME, times=st.integers(1, 2))
    def work(self, which: int, times: int) -> None:
        task = self.send.waiting.pop(which % len(self.send.waiting))
        self.ran.append(task)
        for _ in range(times):
            run(self.system, task)

    @rule(order=SOME)
    def work_on_everything(self, order: int) -> None:
        self.ran += self.send.drain(self.system, order=Random(order))

    @precondition(lambda self: self.ran)
    @rule(which=SOME)
    def deliver_again(self, which: int) -> None:
        run(self.system, self.ran[which % len(self.ran)])

    @rule()
    def the_broker_forgets(self) -> None:
        self.send.lose()

    @rule()
    def upkeep_comes(self) -> None:
        an_hour_passes(self.system)
        sweeps.sweep(self.system)
        rings.repair(self.system)

    @rule()
    def redis_forgets(self) -> None:
        forget(self.client)

    @rule()
    def remember_redis(self) -> None:
        self.photographs = [*self.photographs[-3:], photograph(self.client)]

    @precondition(lambda self: self.photographs)
    @rule(which=SOME)
    def redis_goes_back(self, which: int) -> None:
        roll_back(self.client, self.photographs[which % len(self.photographs)])

    # --- the promise ---

    @invariant()
    def nothing_is_broken_while_nothing_is_under_way(self) -> None:
        """Looked at whenever there are more runs than at the last look."""
        under_way = "SELECT 1 FROM runs WHERE ended_at IS NULL UNION ALL SELECT 1 FROM captures"
        known = len(rows(self.system, "SELECT id FROM runs"))
        if known > self.known and not self.send.waiting and not rows(self.system, under_way):
            self._assert_all_is_well()
            self.known = known

    def _assert_all_is_well(self) -> None:
        rings.repair(self.system)
        for pool_id in self.pools.values():
            self.system.transact(seed.seed, pool_id=pool_id, stumbled_over=None, reason="a test")
        assert_promise(self.system)
        assert [report.violations for report in verify(self.system) if not report.holds] == []

    def teardown(self) -> None:
        if hasattr(self, "pools"):
            self._bring_home()
            self._assert_all_is_well()
            self._deliver_all_again()
            assert {run["state"] for run in rows(self.system, "SELECT state FROM runs")} <= {
                "done",
                "cancelled",
                "failed",
            }
            assert rows(self.system, "SELECT lead_id FROM captures") == []

    def _deliver_all_again(self) -> None:
        """Which changes nothing."""
        before = self._book()
        for task in self.ran:
            run(self.system, task)
        assert self._book() == before

    def _book(self) -> list[object]:
        return [
            rows(self.system, f"SELECT * FROM {table}")
            for table in ("ledger", "ledger_history", "reversals", "leads", "runs", "skips")
        ]

    def _bring_home(self) -> None:
        for name, members in self.members.items():
            if not members:
                join(self.system, CAST[0], name=name)
        for _ in range(ROUNDS):
            an_hour_passes(self.system)
            sweeps.sweep(self.system)
            if not self.send.waiting:
                break
            self.ran += self.send.drain(self.system)
