"""No order of stories and faults breaks the promise."""

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.protocol.bulk import Bulk
from tests.protocol.conftest import Machine
from tests.protocol.faults import Faults
from tests.protocol.machine import Stories

RUNS = {"sqlite": 10, "postgresql": 5}
"""So many orders of runs are tried on each database."""


def test_without_faults_no_turn_is_skipped_and_no_lead_overtaken(over: Machine) -> None:
    run_state_machine_as_test(
        over(Stories), settings=settings(max_examples=20, stateful_step_count=20)
    )


def test_no_fault_breaks_the_promise(over: Machine) -> None:
    run_state_machine_as_test(
        over(Faults), settings=settings(max_examples=30, stateful_step_count=25)
    )


def test_no_order_of_runs_breaks_the_promise(bulk: type[Bulk]) -> None:
    orders = RUNS[bulk.system.engine.dialect.name]
    run_state_machine_as_test(bulk, settings=settings(max_examples=orders, stateful_step_count=25))
