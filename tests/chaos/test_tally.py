"""What came of it: what was answered is held against the books, and recovery is measured."""

from collections import Counter
from collections.abc import Collection
from functools import partial

import pytest
from sqlalchemy import text

from tests.factories import accepted, captured, imported, person, pool, sheet
from tests.tasks import Tasks
from worker.chaos.producers import CREATED, Accepted
from worker.chaos.storm import Struck
from worker.chaos.tally import Outcome, Recovery, longest_recovery, tally
from worker.domain.claims import request_claim
from worker.domain.permissions import Actor
from worker.domain.resources import LEAD
from worker.flows import runs
from worker.flows.records import Asking, create
from worker.flows.system import System
from worker.flows.verify import verify
from worker.store.engine import writing

LEADS, ROWS = 5, 30


def outcome(
    system: System, leads: list[int], imports: list[int], to_cancel: Collection[int] = (), created: dict[int, int] | None = None
) -> Outcome:
    asked = Accepted(dict.fromkeys(leads, 0.0), created or {}, imports, set(to_cancel))
    return tally(system, [], asked, Counter(), Counter(), verify(system))


def tamper(system: System, statement: str) -> None:
    with writing(system.engine) as session:
        session.execute(text(statement))


def test_all_that_was_accepted_is_there_and_assigned(system: System, send: Tasks) -> None:
    pool(system, 3)
    leads, run_id = captured(system, LEADS), imported(system, send, sheet(ROWS, bad=[0]))

    found = outcome(system, leads[1:], [run_id])

    assert found.held
    assert (found.captured, found.assigned, found.imports_done, found.imported) == (LEADS - 1, LEADS - 1, 1, ROWS - 1)
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
def test_a_lead_that_was_lost_or_has_no_rightful_owner_is_named(system: System, send: Tasks, harm: str) -> None:
    pool(system, 3)
    leads = captured(system, LEADS)
    send.drain(system)
    assert outcome(system, leads, []).held

    tamper(system, harm)

    found = outcome(system, leads, [])
    assert (found.held, found.lost_leads) == (False, [2])


def create_leads(system: System, *names: str) -> dict[int, int]:
    """The owners of new leads of those names, who were created for the pool Inbound."""
    asking, pool_id = Asking(Actor(person(system, "a@example.com")), "", system.ring), pool(system, 3).id
    made = {}
    for number, name in enumerate(names):
        values = {"last_name": name, "owner_id": pool_id}
        work = partial(create, asking=asking._replace(claim=request_claim(str(number))), resource=LEAD, values=values)
        lead = system.transact(work)
        made[lead["id"]] = lead["owner_id"]
    return made


def test_leads_that_were_created_are_there_once_and_belong_to_whom_the_answer_showed(system: System) -> None:
    made = create_leads(system, f"{CREATED}1", f"{CREATED}2")

    found = outcome(system, [], [], created=made)

    assert (found.held, found.created, found.created_in_turn, found.unanswered) == (True, 2, 2, 0)


def test_a_lead_that_was_created_twice_or_is_somebody_elses_is_named(system: System) -> None:
    made = create_leads(system, f"{CREATED}1", f"{CREATED}2", f"{CREATED}2")
    first, *_ = made

    found = outcome(system, [], [], created={**made, first: 99})

    assert (found.held, found.created_twice, found.lost_leads) == (False, [f"{CREATED}2"], [first])


def test_an_import_that_lacks_a_record_or_has_not_ended_is_named(system: System, send: Tasks) -> None:
    pool(system, 3)
    done, waiting = imported(system, send, sheet(ROWS)), accepted(system, sheet(ROWS))
    assert outcome(system, [], [done]).held

    tamper(system, "DELETE FROM leads WHERE id = 7")

    found = outcome(system, [], [done, waiting])
    assert (found.held, found.lost_imports, found.imports_done) == (False, [done, waiting], 0)


def test_an_import_may_be_cancelled_only_by_request(system: System, send: Tasks) -> None:
    pool(system, 3)
    run_id = accepted(system, sheet(ROWS))
    system.transact(lambda session: runs.cancel(session, system.ring, run_id))

    asked, unasked = outcome(system, [], [run_id], [run_id]), outcome(system, [], [run_id])

    assert (asked.held, asked.imports_cancelled, asked.lost_imports) == (True, 1, [])
    assert (unasked.held, unasked.imports_cancelled, unasked.lost_imports) == (False, 0, [run_id])


def test_a_turn_of_the_wrong_member_is_a_violation(system: System, send: Tasks) -> None:
    pool(system, 3)
    imported(system, send, sheet(ROWS))

    tamper(system, "UPDATE ledger SET user_id = 1 WHERE turn = 2")

    found = outcome(system, [], [])
    assert not found.held
    assert found.violations > 0
    assert any(words.startswith("Inbound, turn 2, in turn: ") for words in found.first_violations)


def test_recovery_lasts_until_every_lead_accepted_before_the_end_of_the_fault_has_its_owner() -> None:
    times = [(10.0, 10.5), (11.0, 17.0), (12.0, 12.5), (14.0, 30.0)]
    struck = [Struck("early", 8.0, 9.0), Struck("amid", 8.0, 12.0), Struck("late", 13.0, 13.0)]

    assert longest_recovery(struck, times) == Recovery(5.0, "amid")


def test_a_fault_after_which_nobody_waited_took_no_time_to_recover() -> None:
    assert longest_recovery([Struck("flush", 20.0, 20.0)], [(10.0, 11.0)]) == Recovery()
    assert longest_recovery([], [(10.0, 11.0)]) == Recovery()
