"""The soak test: breaks a stack while leads come in, lets it recover, then counts and checks
everything."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from threading import Event
from typing import NamedTuple

from sqlalchemy.orm import Session

from worker.chaos import oracle_queries
from worker.chaos.api import Acceptances, ApiClient, ChaosPool
from worker.chaos.database import DOMAIN
from worker.chaos.faults import list_faults
from worker.chaos.intake_load import run_intake_load
from worker.chaos.outcome import SoakResult, count_outcome
from worker.chaos.scheduler import Scheduler
from worker.chaos.testbed import Testbed
from worker.errors.base import Unavailable
from worker.flows.audit.verify import verify
from worker.flows.intake.retry import retry_leads
from worker.flows.names import find_pool_by_name, find_users_by_name
from worker.flows.people import access, people
from worker.flows.runs.retry import retry
from worker.flows.system import System
from worker.flows.turns import pools
from worker.flows.unit import Unit
from worker.flows.upkeep import rings
from worker.settings import Settings
from worker.stack.wait import wait_for
from worker.store.turns.pools import get_latest_roster

ADMIN = "Root"
TEAM = ("Ada", "Ben", "Cleo", "Dan", "Eve", "Fay", "Gus", "Hal")
POOLS = {"North": TEAM[:5], "South": TEAM[3:7]}

FAULT_EVERY_SECONDS = 2.2
TICK_SECONDS = 0.1
SNAPSHOT_EVERY_SECONDS = 5.0
SETTLE_SECONDS = 90.0
ROUNDS_OF_RETRIES = 3


class SoakPlan(NamedTuple):
    """The duration and the seed of a soak, and the functions to call at each step and fault."""

    seconds: float
    seed: int
    on_step: Callable[[str], None]
    on_fault: Callable[[str], None]


def soak(system: System, settings: Settings, order: SoakPlan) -> SoakResult:
    """Breaks a stack of its own, and returns its work and whether it kept the promise."""
    testbed, accepted = Testbed(system, settings), Acceptances()
    order.on_step(f"starting a stack in {settings.home}")
    with testbed.running():
        made, token = _make_pools(system), _make_token(system)
        scheduler = Scheduler(list_faults(testbed), order.seed, FAULT_EVERY_SECONDS, order.on_fault)
        order.on_step(f"breaking it for {order.seconds:.0f} s, by the seed {order.seed}")
        client = ApiClient(testbed.api_address, token)
        with run_intake_load(
            client, made, [_make_email(name) for name in TEAM], order.seed, accepted
        ):
            _break(testbed, scheduler, order.seconds)
        order.on_step("waiting until nothing waits")
        retried = _settle(testbed)
        order.on_step("checking every lead and every turn")
        rings.repair(system)
        return count_outcome(
            system, scheduler.struck, accepted, retried, testbed.ended_by_itself, verify(system)
        )


def _make_pools(system: System) -> list[ChaosPool]:
    def make(session: Session) -> list[ChaosPool]:
        ids = {name: people.add(session, name, _make_email(name)).id for name in TEAM}
        return [
            ChaosPool(
                pools.create(session, name, "lead", [ids[each] for each in members], None), name
            )
            for name, members in POOLS.items()
        ]

    return system.transact(make)


def _make_token(system: System) -> str:
    """Returns an admin's token, which is used to send leads and to change rosters."""

    def make(session: Session) -> str:
        admin = people.add(session, ADMIN, _make_email(ADMIN), is_admin=True)
        return access.issue(session, admin.id, "chaos").token

    return system.transact(make)


def _make_email(name: str) -> str:
    return f"{name.lower()}{DOMAIN}"


def _break(testbed: Testbed, scheduler: Scheduler, seconds: float) -> None:
    end, remember, pause = time.monotonic() + seconds, 0.0, Event()
    try:
        while time.monotonic() < end:
            testbed.keep()
            scheduler.tick()
            if time.monotonic() > remember and not scheduler.is_on(
                testbed.ring.name, testbed.broker.name
            ):
                remember = time.monotonic() + SNAPSHOT_EVERY_SECONDS
                testbed.remember()
            pause.wait(TICK_SECONDS)
    finally:
        scheduler.end_all()


def _settle(testbed: Testbed) -> Counter[str]:
    """Waits until nothing waits any more. Retries the work that was set aside, as an operator
    would, and returns the number of retries."""
    retried: Counter[str] = Counter()
    for _ in range(ROUNDS_OF_RETRIES):
        wait_for(lambda: _is_quiet(testbed), SETTLE_SECONDS)
        again = testbed.system.transact(_retry)
        if not again:
            break
        retried += again
    return retried


def _is_quiet(testbed: Testbed) -> bool:
    testbed.keep()
    try:
        with testbed.system.reading() as session:
            deserted, waiting = (
                [name for name in POOLS if not _find_members(session, name)],
                oracle_queries.count_unfinished(session),
            )
        for name in deserted:
            testbed.system.transact(_fill, name=name)
    except Unavailable:
        return False
    return not (deserted or waiting)


def _find_members(session: Session, name: str) -> Sequence[int]:
    return get_latest_roster(session, find_pool_by_name(session, name).id).members


def _fill(unit: Unit, name: str) -> None:
    """Adds members to a pool that has none at the end: its leads wait for them."""
    members = find_users_by_name(unit, (_make_email(member) for member in POOLS[name]))
    pools.add_members(unit, find_pool_by_name(unit, name).id, members, None)


def _retry(session: Session) -> Counter[str]:
    failed = oracle_queries.list_failed_runs(session)
    for run_id in failed:
        retry(session, run_id)
    return +Counter(leads=retry_leads(session), runs=len(failed))
