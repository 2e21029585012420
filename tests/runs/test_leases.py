"""Leases: whoever is on a piece of work keeps it by signs of life, and what goes wrong is noted
with it."""

from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest

from tests.support.factories import captured, leases_run_out, pool
from tests.support.invariants import rows
from tests.support.servers import wait_until
from worker.errors.base import Unavailable
from worker.errors.servers import RingUnreachable
from worker.errors.turns import EmptyPool
from worker.flows import leases as flow
from worker.flows.leases import on_lease
from worker.flows.system import System
from worker.store import leases
from worker.store.intake import captures
from worker.store.leases import MOST_ATTEMPTS, LeasedWork

HOLDER = "a task"
LONG = 60.0


@pytest.fixture
def work(system: System) -> LeasedWork:
    """A lead that waits."""
    pool(system, 1)
    return captures.work(captured(system, 1))


@pytest.fixture
def quick_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "HEARTBEAT_SECONDS", 0.05)


def begin(system: System, work: LeasedWork, holder: str = HOLDER, seconds: float = LONG) -> bool:
    """Whether the holder is on the work now."""
    free = LeasedWork(work.table, work.which & leases.is_free(work.table, holder))
    return bool(system.transact(leases.lease, free, holder, seconds, work.table.c.lead_id))


def lease_of(system: System) -> dict[str, Any]:
    [found] = rows(
        system, "SELECT attempts, leased_until, leased_by, set_aside, reason FROM captures"
    )
    return found | {"set_aside": bool(found["set_aside"])}


def moment(value: Any) -> datetime:
    """What SQLite gives as text, and PostgreSQL as it is."""
    read = datetime.fromisoformat(value) if isinstance(value, str) else value
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def fails(system: System, work: LeasedWork, error: Exception) -> None:
    with pytest.raises(type(error)), on_lease(system, work, HOLDER):
        raise error


def test_one_holder_has_the_work_until_the_lease_runs_out(system: System, work: LeasedWork) -> None:
    assert begin(system, work)

    assert not begin(system, work, "another")
    leases_run_out(system)
    assert begin(system, work, "another")
    assert not begin(system, work)
    assert lease_of(system)["attempts"] == 2


def test_the_same_holder_goes_on_at_once_and_counts_an_attempt(
    system: System, work: LeasedWork
) -> None:
    assert [begin(system, work) for _ in range(MOST_ATTEMPTS + 1)] == [True, True, True, False]
    assert lease_of(system)["attempts"] == MOST_ATTEMPTS


def test_a_lease_is_kept_by_signs_of_life(
    system: System, work: LeasedWork, quick_beats: None
) -> None:
    begin(system, work, seconds=-1.0)

    with on_lease(system, work, HOLDER):
        wait_until(
            lambda: (
                moment(lease_of(system)["leased_until"]) > datetime.now(UTC) + timedelta(seconds=1)
            ),
            "a sign of life",
        )
        assert not begin(system, work, "another")


def test_who_lost_the_lease_does_not_keep_others_from_it(
    system: System, work: LeasedWork, quick_beats: None
) -> None:
    begin(system, work, seconds=-1.0)
    begin(system, work, "another")
    before = lease_of(system)

    beaten = Event()
    with flow.beating(beaten.set), on_lease(system, work, HOLDER):
        assert beaten.wait(LONG)
    fails(system, work, ZeroDivisionError("late"))
    fails(system, work, RingUnreachable(address="there", reason="late"))

    assert lease_of(system) == before


def test_what_went_wrong_is_noted_counted_and_left_alone_for_a_moment(
    system: System, work: LeasedWork
) -> None:
    begin(system, work)

    fails(system, work, ZeroDivisionError("by nothing"))

    noted = lease_of(system)
    assert (noted["attempts"], noted["reason"], noted["leased_by"]) == (
        1,
        "ZeroDivisionError: by nothing",
        None,
    )
    assert (
        timedelta(0)
        < moment(noted["leased_until"]) - datetime.now(UTC)
        <= timedelta(seconds=flow.PAUSE_SECONDS)
    )
    assert not begin(system, work)


@pytest.mark.parametrize(
    "obstacle", [RingUnreachable(address="there", reason="refused"), EmptyPool(pool="Inbound")]
)
def test_a_server_that_is_away_or_a_pool_without_members_is_noted_and_not_counted(
    system: System, work: LeasedWork, obstacle: Exception
) -> None:
    for _ in range(MOST_ATTEMPTS + 1):
        assert begin(system, work)
        fails(system, work, obstacle)

    assert lease_of(system) == {
        "attempts": 0,
        "leased_until": None,
        "leased_by": None,
        "set_aside": False,
        "reason": str(obstacle),
    }


def test_a_sign_of_life_that_is_not_taken_is_given_again(
    system: System, work: LeasedWork, quick_beats: None
) -> None:
    taken = Event()
    answers = iter([DatabaseAway(), DatabaseAway()])

    def beat() -> None:
        for away in answers:
            raise away
        taken.set()

    with flow.beating(beat):
        assert taken.wait(LONG)


class DatabaseAway(Unavailable):
    """It is away."""


def test_what_was_tried_too_often_is_set_aside_once_nobody_is_on_it(
    system: System, work: LeasedWork
) -> None:
    for _ in range(MOST_ATTEMPTS):
        begin(system, work)
    assert system.transact(captures.set_aside, "why") == []
    leases_run_out(system)

    [lead_id] = system.transact(captures.set_aside, "why")

    assert lease_of(system) == {
        "attempts": MOST_ATTEMPTS,
        "leased_until": None,
        "leased_by": None,
        "set_aside": True,
        "reason": "why",
    }
    assert not begin(system, work)
    assert system.transact(captures.set_aside, "why") == []
    assert [row.lead_id for row in system.transact(captures.try_again)] == [lead_id]
    assert begin(system, work)


def test_what_went_wrong_last_is_the_reason_why_it_was_set_aside(
    system: System, work: LeasedWork
) -> None:
    for _ in range(MOST_ATTEMPTS):
        leases_run_out(system)
        begin(system, work)
        fails(system, work, ZeroDivisionError("by nothing"))
    leases_run_out(system)

    system.transact(captures.set_aside, "why")

    assert lease_of(system)["reason"] == "ZeroDivisionError: by nothing"
