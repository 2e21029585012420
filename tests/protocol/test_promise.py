"""No order of stories and faults breaks the promise; and a protocol that lacks one of its parts is
found out."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from redis import Redis
from sqlalchemy import Engine, Row, event
from sqlalchemy.orm import Session

from tests.protocol.faults import Faults
from tests.protocol.machine import Stories, machine_over
from tests.protocol.system import MortalRing, SlowSystem
from tests.support.tasks import Tasks
from worker.domain.turns.rosters import Roster
from worker.flows.intake import capture
from worker.flows.turns import assign
from worker.ring import Taken
from worker.store.sql.engine import open_engine
from worker.store.turns import ledger
from worker.uploads import Uploads

AS_FAST_AS_FOUND = settings(
    max_examples=200,
    stateful_step_count=30,
    derandomize=True,
    phases=[Phase.generate],
    report_multiple_bugs=False,
)

Machine = Callable[[type[Stories]], type[Stories]]


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    """SQLite that doesn't wait for the disk: no story here ends in a power cut of its own machine."""
    engine = open_engine(sqlite_url)
    event.listen(
        engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF")
    )
    yield engine
    engine.dispose()


@pytest.fixture
def over(engine: Engine, valkey: Redis, tmp_path: Path) -> Machine:
    send = Tasks()
    system = SlowSystem(engine, MortalRing(valkey), Uploads(str(tmp_path / "uploads")), send)
    return lambda machine: machine_over(machine, system, send, valkey)


def test_without_faults_no_turn_is_skipped_and_no_lead_overtaken(over: Machine) -> None:
    run_state_machine_as_test(
        over(Stories), settings=settings(max_examples=20, stateful_step_count=20)
    )


def test_no_fault_breaks_the_promise(over: Machine) -> None:
    run_state_machine_as_test(
        over(Faults), settings=settings(max_examples=30, stateful_step_count=25)
    )


# --- mutants ---


def assert_found_out(machine: type[Stories]) -> None:
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=AS_FAST_AS_FOUND)


def test_a_ring_that_forgets_its_claims_is_found_out(
    over: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, numbers = MortalRing.take_turns, itertools.count()

    def forgetful(ring: MortalRing, pool_id: int, claims: Sequence[tuple[str, int]]) -> Taken:
        return real(ring, pool_id, [(f"{name}:{next(numbers)}", count) for name, count in claims])

    monkeypatch.setattr(MortalRing, "take_turns", forgetful)

    assert_found_out(over(Stories))


def test_a_fence_that_lets_every_epoch_through_is_found_out(
    over: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = assign.fence

    def credulous(
        session: Session, pool: Row[Any], latest: Roster, taken: Taken, claim: str = ""
    ) -> None:
        real(session, SimpleNamespace(id=pool.id, epoch=taken.epoch), latest, taken, claim)  # type: ignore[arg-type]

    monkeypatch.setattr(assign, "fence", credulous)

    assert_found_out(over(Faults))


def test_a_fence_that_does_not_look_at_open_blocks_is_found_out(
    over: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        assign, "ledger", SimpleNamespace(**{**vars(ledger), "open_blocks": lambda *_: {}})
    )

    assert_found_out(over(Faults))


def test_turns_that_are_not_taken_for_the_whole_line_are_found_out(
    over: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture, "assign", lambda *given: assign.assign(*given[:-1]))

    assert_found_out(over(Stories))
