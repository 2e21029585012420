"""What came of it: what was answered is held against the books, and recovery is measured."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from tests.support.factories import (
    accepted,
    captured,
    imported,
    person,
    pool,
    reassigned,
    sheet,
    smart_list,
    undone,
)
from tests.support.tasks import Tasks
from worker.chaos.api import CREATED, Acceptances
from worker.chaos.outcome import Recovery, RunTotals, SoakResult, count_outcome, measure_recovery
from worker.chaos.scheduler import Injection
from worker.domain.people.permissions import Actor
from worker.domain.records.types import LEAD
from worker.domain.turns.claims import name_request_claim
from worker.flows.audit.verify import verify
from worker.flows.records.edits import RecordEditor, RequestContext
from worker.flows.runs import cancel
from worker.flows.system import System
from worker.store.sql.engine import writing

LEADS, ROWS = 5, 30


def outcome(
    system: System, leads: Sequence[int] = (), imports: Sequence[int] = (), **more: Any
) -> SoakResult:
    asked = {"asked": len(more.get("stocks", ())) + len(more.get("moves", ()))} | more
    accepted = Acceptances(dict.fromkeys(leads, 0.0), imports=list(imports), **asked)
    return count_outcome(system, [], accepted, Counter(), Counter(), verify(system))


def tamper(system: System, statement: str) -> None:
    with writing(system.engine) as session:
        session.execute(text(statement))


def test_all_that_was_accepted_is_there_and_assigned(system: System, send: Tasks) -> None:
    pool(system, 3)
    leads, run_id = captured(system, LEADS), imported(system, send, sheet(ROWS, bad=[0]))

    found = outcome(system, leads[1:], [run_id])

    assert found.held
    assert (found.captured, found.assigned, found.imports) == (
        LEADS - 1,
        LEADS - 1,
        RunTotals(1, 1, 0, ROWS - 1, []),
    )
    assert (found.unanswered, found.turns) == (1, LEADS + ROWS - 1)


def test_a_lead_that_still_waits_is_named(system: System, send: Tasks) -> None:
    pool(system, 3)
    leads = captured(system, LEADS)

    found = outcome(system, leads, [])

    assert (found.held, found.lost_leads) == (False, leads)


@pytest.mark.parametrize(
    "harm",
    [
        "DELETE FROM leads WHERE id = 2",
        "UPDATE leads SET owner_id = pool_id WHERE id = 2",
        "UPDATE leads SET turn = NULL WHERE id = 2",
        "DELETE FROM ledger WHERE record_id = 2",
        "UPDATE ledger SET claim = 'lead:99:capture' WHERE record_id = 2",
    ],
)
def test_a_lead_that_was_lost_or_has_no_rightful_owner_is_named(
    system: System, send: Tasks, harm: str
) -> None:
    pool(system, 3)
    leads = captured(system, LEADS)
    send.drain(system)
    assert outcome(system, leads, []).held

    tamper(system, harm)

    found = outcome(system, leads, [])
    assert (found.held, found.lost_leads) == (False, [2])


def create_leads(system: System, *names: str) -> dict[int, int]:
    """The owners of new leads of those names, who were created for the pool Inbound."""
    asking, pool_id = (
        RequestContext(Actor(person(system, "a@example.com")), "", "USD"),
        pool(system, 3).id,
    )
    made = {}
    for number, name in enumerate(names):
        values = {"last_name": name, "owner_id": pool_id}
        work = partial(
            RecordEditor(LEAD).create,
            context=asking._replace(claim=name_request_claim(str(number))),
            values=values,
        )
        lead = system.transact(work)
        made[lead["id"]] = lead["owner_id"]
    return made


def test_leads_that_were_created_are_there_once_and_belong_to_whom_the_answer_showed(
    system: System,
) -> None:
    made = create_leads(system, f"{CREATED}1", f"{CREATED}2")

    found = outcome(system, created=made)

    assert (found.held, found.created, found.created_in_turn, found.unanswered) == (True, 2, 2, 0)


def test_a_lead_that_was_created_twice_or_is_somebody_elses_is_named(system: System) -> None:
    made = create_leads(system, f"{CREATED}1", f"{CREATED}2", f"{CREATED}2")
    first, *_ = made

    found = outcome(system, created={**made, first: 99})

    assert (found.held, found.created_twice, found.lost_leads) == (False, [f"{CREATED}2"], [first])


def test_an_import_that_lacks_a_record_or_has_not_ended_is_named(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    done, waiting = imported(system, send, sheet(ROWS)), accepted(system, sheet(ROWS))
    assert outcome(system, [], [done]).held

    tamper(system, "DELETE FROM leads WHERE id = 7")

    found = outcome(system, [], [done, waiting])
    assert (found.held, found.lost_runs, found.imports) == (
        False,
        [done, waiting],
        RunTotals(2, 0, 0, 0, [done, waiting]),
    )


def test_an_import_may_be_cancelled_only_by_request(system: System, send: Tasks) -> None:
    pool(system, 3)
    run_id = accepted(system, sheet(ROWS))
    system.transact(cancel.cancel, run_id)

    asked, unasked = (
        outcome(system, [], [run_id], to_cancel={run_id}),
        outcome(system, [], [run_id]),
    )

    assert (asked.held, asked.imports.cancelled, asked.lost_runs) == (True, 1, [])
    assert (unasked.held, unasked.imports.cancelled, unasked.lost_runs) == (False, 0, [run_id])


@pytest.fixture
def stock(system: System, send: Tasks) -> int:
    """The import of thirty leads to a person, ended; and the pool Inbound."""
    pool(system, 3)
    person(system, "zoe@example.com")
    return imported(system, send, sheet(ROWS), owner="zoe@example.com")


@pytest.mark.parametrize("returns", [False, True])
def test_what_was_reassigned_and_taken_back_is_counted(
    system: System, send: Tasks, stock: int, returns: bool
) -> None:
    first, second = (reassigned(system, send, smart_list(system, {})) for _ in range(2))
    tamper(system, "UPDATE leads SET edited_at = '2100-01-01 00:00:00' WHERE id = 5")
    undo_id = undone(system, send, second, returns_turns=returns)

    found = outcome(system, stocks=[stock], moves=[first, second], undos=[undo_id, undo_id])

    assert found.held
    assert (found.stocked, found.unanswered) == (ROWS, 0)
    assert found.moves == RunTotals(2, 2, 0, 2 * ROWS, [])
    assert found.undos == RunTotals(1, 1, 0, ROWS - 1, [])


@pytest.mark.parametrize(
    ("harm", "moved", "taken_back"),
    [
        ("DELETE FROM ledger WHERE record_id = 7", True, False),
        ("UPDATE ledger SET claim = 'reassign:99' WHERE record_id = 7", True, False),
        ("UPDATE runs SET records = records - 1 WHERE kind = 'reassign'", True, False),
        ("UPDATE runs SET state = 'loading', ended_at = NULL WHERE kind = 'reassign'", True, False),
        ("UPDATE reversals SET last_ordinal = last_ordinal - 1", False, True),
        ("UPDATE undos SET returns_turns = :yes", False, True),
        ("UPDATE runs SET skipped = 1 WHERE kind = 'undo'", False, True),
    ],
)
def test_a_reassignment_or_an_undo_that_lacks_a_record_is_named(
    system: System, send: Tasks, stock: int, harm: str, moved: bool, taken_back: bool
) -> None:
    run_id = reassigned(system, send, smart_list(system, {}))
    undo_id = undone(system, send, run_id)
    asked = {"stocks": [stock], "moves": [run_id], "undos": [undo_id]}
    assert outcome(system, **asked).held

    with writing(system.engine) as session:
        session.execute(text(harm), {"yes": True} if ":yes" in harm else {})

    found = outcome(system, **asked)
    assert not found.held
    assert found.lost_runs == [run_id] * moved + [undo_id] * taken_back


def test_a_reassignment_that_nobody_asked_for_is_counted(
    system: System, send: Tasks, stock: int
) -> None:
    runs_made = [reassigned(system, send, smart_list(system, {})) for _ in range(3)]

    assert outcome(system, stocks=[stock], moves=runs_made).held
    found = outcome(system, stocks=[stock], moves=runs_made[:1], asked=3)

    assert (found.held, found.runs_twice) == (False, 1)


def test_a_stock_that_is_not_whole_is_named(system: System, send: Tasks, stock: int) -> None:
    tamper(system, "UPDATE runs SET records = records - 1")

    assert outcome(system, stocks=[stock]).lost_runs == [stock]


def test_a_turn_of_the_wrong_member_is_a_violation(system: System, send: Tasks) -> None:
    pool(system, 3)
    imported(system, send, sheet(ROWS))

    tamper(system, "UPDATE ledger SET user_id = 1 WHERE turn = 2")

    found = outcome(system)
    assert not found.held
    assert found.violations > 0
    assert any(words.startswith("Inbound, turn 2, in turn: ") for words in found.first_violations)


def test_recovery_lasts_until_every_lead_accepted_before_the_end_of_the_fault_has_its_owner() -> (
    None
):
    times = [(10.0, 10.5), (11.0, 17.0), (12.0, 12.5), (14.0, 30.0)]
    struck = [
        Injection("early", 8.0, 9.0),
        Injection("amid", 8.0, 12.0),
        Injection("late", 13.0, 13.0),
    ]

    assert measure_recovery(struck, times) == Recovery(5.0, "amid")


def test_a_fault_after_which_nobody_waited_took_no_time_to_recover() -> None:
    assert measure_recovery([Injection("flush", 20.0, 20.0)], [(10.0, 11.0)]) == Recovery()
    assert measure_recovery([], [(10.0, 11.0)]) == Recovery()
