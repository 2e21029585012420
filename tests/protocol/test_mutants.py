"""A protocol that lacks one of its parts is found out: by a script in the fast tier, and by a
random search in the deep one."""

from collections.abc import Callable

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.protocol.bulk import Bulk
from tests.protocol.conftest import Machine
from tests.protocol.mutants import (
    MUTANTS,
    Mutant,
    undo_an_import_whose_lead_was_given_on,
    undo_what_others_changed,
)

AS_FAST_AS_FOUND = settings(
    max_examples=200,
    stateful_step_count=30,
    derandomize=True,
    phases=[Phase.generate],
    report_multiple_bugs=False,
)

each_mutant = pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS.keys())
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def assert_found_out(search: Callable[[], object]) -> None:
    with pytest.raises(AssertionError):
        search()


def assert_found_by_chance(machine: type[RuleBasedStateMachine]) -> None:
    assert_found_out(lambda: run_state_machine_as_test(machine, settings=AS_FAST_AS_FOUND))


@each_mutant
def test_its_script_finds_a_mutant_out(
    over: Machine, mutant: Mutant, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = over(mutant.machine)()

    mutant.mutate(monkeypatch)

    assert_found_out(lambda: mutant.script(machine))


@each_mutant
def test_the_script_of_a_mutant_breaks_no_promise_of_the_real_one(
    over: Machine, mutant: Mutant
) -> None:
    mutant.script(over(mutant.machine)())


@pytest.mark.deep
@each_mutant
def test_a_random_search_finds_a_mutant_out(
    over: Machine, mutant: Mutant, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant.mutate(monkeypatch)

    assert_found_by_chance(over(mutant.machine))


# --- undo ---


@on_sqlite
def test_a_script_finds_out_an_undo_of_what_others_have_changed_since(
    bulk: type[Bulk], monkeypatch: pytest.MonkeyPatch
) -> None:
    undo_what_others_changed(monkeypatch)

    assert_found_out(lambda: undo_an_import_whose_lead_was_given_on(bulk()))


@on_sqlite
def test_that_script_breaks_no_promise_of_the_real_undo(bulk: type[Bulk]) -> None:
    undo_an_import_whose_lead_was_given_on(bulk())


@pytest.mark.deep
@on_sqlite
def test_a_random_search_finds_out_an_undo_of_what_others_have_changed_since(
    bulk: type[Bulk], monkeypatch: pytest.MonkeyPatch
) -> None:
    undo_what_others_changed(monkeypatch)

    assert_found_by_chance(bulk)
