"""The stories of one pool in any order, without faults and with them, and what must hold in between
and at the end."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from redis import Redis
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from tests.protocol.system import SlowSystem
from tests.support.factories import (
    accepted,
    captured,
    email,
    join,
    lead,
    leases_run_out,
    leave,
    sheet,
)
from tests.support.invariants import Book, assert_in_file_order, assert_promise, book, rows, spans
from tests.support.tasks import Tasks, run
from worker.domain.records.record_type import RecordType
from worker.domain.turns.causes import Cause
from worker.errors.turns import EmptyPool
from worker.flows.audit.verify import verify
from worker.flows.intake.retry import retry_leads
from worker.flows.names import find_users_by_name
from worker.flows.people import people
from worker.flows.runs import retry
from worker.flows.turns import assign, pools
from worker.flows.upkeep import rings, sweeps
from worker.queue import Task
from worker.store.tables import captures
from worker.store.tables import runs as runs_table

TABLES = (
    "ledger",
    "ledger_history",
    "blocks",
    "captures",
    "chunks",
    "imports",
    "runs",
    "leads",
    "rosters",
    "seedings",
    "pools",
    "users",
)
CAST = [email(number) for number in range(6)]
SOME = st.integers(0, 99)
ROUNDS = 6
"""So often everything that waits is tried again at the end."""


class Stories(RuleBasedStateMachine):
    """Workers may be slow and tasks delivered in any order, several times; nothing dies, and Redis
    forgets nothing."""

    system: SlowSystem
    send: Tasks
    client: Redis

    @initialize(size=st.integers(1, 4))
    def begin(self, size: int) -> None:
        self.client.flushall()
        self.send.lose()
        self.members = CAST[:size]
        self.pool_id = self.system.transact(self._begin)
        self.given: dict[int, int] = {}
        self.leads: list[int] = []
        self.deleted: set[int] = set()
        self.ran: list[Task] = []
        self.system.on_taken[:] = [self.assert_nothing_is_passed_over]

    def _begin(self, session: Session) -> int:
        for table in TABLES:
            session.execute(text(f"DELETE FROM {table}"))
        for address in CAST:
            people.add(session, address[0].upper(), address)
        members = find_users_by_name(session, self.members)
        return pools.create(session, "Inbound", "lead", members, None)

    # --- doors ---

    @rule(count=st.integers(1, 3))
    def capture(self, count: int) -> None:
        self.leads += captured(self.system, count)

    @rule(count=st.integers(1, 4))
    def edit(self, count: int) -> None:
        """Records are given at once, in the request."""
        self._give([lead(self.system, CAST[-1]) for _ in range(count)])

    @precondition(lambda self: self.given)
    @rule(which=SOME)
    def edit_again(self, which: int) -> None:
        """The same request once more: it keeps its owner."""
        self._give([list(self.given)[which % len(self.given)]])

    def _give(self, record_ids: list[int]) -> None:
        requests = [
            assign.TurnRequest(f"lead:{record_id}:edit", record_id, None)
            for record_id in record_ids
        ]
        if not self.members and not all(record_id in self.given for record_id in record_ids):
            with pytest.raises(EmptyPool):
                self._assign(requests)
            return
        owners = self._assign(requests)
        assert all(
            owners[record_id] == self.given.setdefault(record_id, owners[record_id])
            for record_id in record_ids
        )

    def _assign(self, requests: list[assign.TurnRequest]) -> dict[int, int]:
        owners: dict[int, int] = self.system.transact(
            assign.assign, self.pool_id, RecordType.LEAD, requests, Cause.EDIT
        )
        return owners

    @precondition(lambda self: self.members)
    @rule(count=st.integers(1, 5))
    def import_a_file(self, count: int) -> None:
        accepted(self.system, sheet(count))

    @precondition(lambda self: self.members)
    @rule(count=st.integers(1, 9))
    def reserve(self, count: int) -> None:
        """A file whose turns are reserved, and whose rows wait."""
        accepted(self.system, sheet(count))
        self.work(-1)

    # --- members ---

    @precondition(lambda self: len(self.members) < len(CAST))
    @rule(which=SOME)
    def join(self, which: int) -> None:
        absent = [address for address in CAST if address not in self.members]
        newcomer = absent[which % len(absent)]
        join(self.system, newcomer)
        self.members = [*self.members, newcomer]

    @precondition(lambda self: self.members)
    @rule(which=SOME, several=st.booleans())
    def leave(self, which: int, several: bool) -> None:
        at = which % len(self.members)
        self._leave(self.members[at : at + 1 + several])

    @precondition(lambda self: self.members)
    @rule()
    def everybody_leaves(self) -> None:
        self._leave(self.members)

    def _leave(self, leavers: list[str]) -> None:
        leave(self.system, *leavers)
        self.members = [member for member in self.members if member not in leavers]

    # --- workers ---

    @precondition(lambda self: self.send.waiting)
    @rule(which=SOME)
    def work(self, which: int) -> None:
        """Some task that waits runs from its beginning to its end."""
        task = self.send.waiting.pop(which % len(self.send.waiting))
        self.ran.append(task)
        run(self.system, task)

    @precondition(lambda self: self.ran)
    @rule(which=SOME)
    def deliver_again(self, which: int) -> None:
        run(self.system, self.ran[which % len(self.ran)])

    @rule(which=SOME, more=st.integers(1, 2), everybody=st.booleans())
    def work_slowly(self, which: int, more: int, everybody: bool) -> None:
        """While a worker has its lease and no turns yet, leads come in and others are faster."""
        self.capture(1)
        self.system.meanwhile[:] = [
            lambda: self.capture(more),
            *[self._work_on_the_newest] * (1 + everybody),
        ]
        self.work(-1 if everybody else which)
        self.system.meanwhile.clear()

    def _work_on_the_newest(self) -> None:
        if self.send.waiting:
            self.work(-1)

    @rule()
    def upkeep_comes(self) -> None:
        sweeps.sweep(self.system)
        rings.repair(self.system)

    # --- the promise ---

    def book(self) -> Book:
        return book(self.system, rows(self.system, "SELECT * FROM pools")[0])

    def assert_nothing_is_passed_over(self) -> None:
        """When a turn is given, each before the next to be handed out is used, waits in the ring,
        or is held by a claim that the ledger honours."""
        kept = self.book()
        assert kept.ring is not None
        answers = [str(self.client.get(name)).split() for name in self.client.keys("*:claim:*")]
        held = {
            turn
            for epoch, *turns in answers
            if epoch == kept.pool["epoch"]
            for turn in spans(turns)
        }
        known = {*kept.entered(), *kept.reserved(), *spans(kept.ring.returned), *held}
        assert known >= set(range(1, kept.ring.next_turn)), (
            "passed over",
            set(range(1, kept.ring.next_turn)) - known,
        )

    def teardown(self) -> None:
        if hasattr(self, "ran"):
            self.system.meanwhile.clear()
            self.system.ring.dies = None
            assert_promise(self.system, quiet=False)
            self.bring_home()
            self.assert_quiet()

    def bring_home(self) -> None:
        """Everything that was accepted, by the means that the product has."""
        if not self.members:
            self.join(0)
        for _ in range(ROUNDS):
            time_passes(self.system)
            sweeps.sweep(self.system)
            self.system.transact(retry_leads)
            for failed in rows(self.system, "SELECT id FROM runs WHERE state = 'failed'"):
                self.system.transact(retry.retry, run_id=failed["id"])
            if not self.send.waiting:
                break
            self.send.drain(self.system)

    def assert_quiet(self) -> None:
        """Nothing is lost, no turn missing, and no lead was overtaken."""
        assert rings.repair(self.system) == []
        self.assert_all_is_well()
        kept = self.book()
        turns = {entry["record_id"]: entry["turn"] for entry in kept.ledger}
        assert [turns[record_id] for record_id in self.leads] == sorted(
            turns[record_id] for record_id in self.leads
        ), "overtaken"
        assert kept.ring is None or not kept.ring.returned, "skipped"

    def assert_all_is_well(self) -> None:
        assert_promise(self.system)
        assert all(report.holds for report in verify(self.system))
        assert rows(self.system, "SELECT lead_id FROM captures") == []
        assert {run["state"] for run in rows(self.system, "SELECT state FROM runs")} <= {
            "done",
            "cancelled",
        }
        entered = {
            entry["record_id"]: entry["user_id"]
            for entry in self.book().ledger
            if entry["record_id"]
        }
        assert {*self.leads, *self.given} - self.deleted <= set(entered), "lost"
        assert {record_id: entered[record_id] for record_id in self.given} == self.given
        for run_id in (
            row["id"] for row in rows(self.system, "SELECT id FROM runs WHERE state = 'done'")
        ):
            assert_in_file_order(self.system, run_id)


def time_passes(system: SlowSystem) -> None:
    """An hour, in which nobody gives a sign of life."""
    leases_run_out(system)
    earlier = datetime.now(UTC) - timedelta(hours=1)
    system.transact(lambda session: session.execute(update(captures).values(accepted_at=earlier)))
    system.transact(lambda session: session.execute(update(runs_table).values(moved_at=earlier)))


def machine_over(
    machine: type[Stories], system: SlowSystem, send: Tasks, client: Redis
) -> type[Stories]:
    """The machine over those servers."""
    return type("Machine", (machine,), {"system": system, "send": send, "client": client})
