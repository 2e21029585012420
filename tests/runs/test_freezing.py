"""Lists that are frozen more than once, since a worker died or was too slow; and lists that name a
record twice."""

import pytest

from tests.support.factories import give_leads, owned, pool, reassigned, smart_list, to_reassign
from tests.support.invariants import assert_all_is_well, entries_of, rows
from tests.support.tasks import Tasks
from worker.domain.runs.record_ids import RecordIds
from worker.errors.runs import RepeatedRecord
from worker.flows.system import System


@pytest.mark.parametrize("more", [-1, 2])
def test_a_list_that_has_changed_since_somebody_took_its_turns_and_died_gets_as_many_as_it_has(
    system: System, send: Tasks, more: int
) -> None:
    inbound = pool(system, 3)
    give_leads(system, 1)
    ids = owned(system, 3 + more, "boss@example.com")
    run_id = to_reassign(system, smart_list(system, {"owner": "boss@example.com"}, "id:desc"))
    system.ring.take_turns(inbound.id, [(f"reassign:{run_id}", 3)])

    send.drain(system)

    assert [entry["record_id"] for entry in entries_of(system, f"reassign:{run_id}")] == ids[::-1]
    assert [
        entry["turn"] for entry in rows(system, "SELECT turn FROM ledger ORDER BY turn")
    ] == list(range(1, 5 + more))
    assert_all_is_well(system)


def test_a_list_that_is_as_long_as_before_gets_the_turns_that_were_taken_for_it(
    system: System, send: Tasks
) -> None:
    inbound = pool(system, 3)
    give_leads(system, 1)
    run_id = to_reassign(system, RecordIds("lead", owned(system, 3)))
    system.ring.take_turns(inbound.id, [(f"reassign:{run_id}", 3)])
    assert give_leads(system, 1) == "b"

    send.drain(system)

    assert [entry["turn"] for entry in entries_of(system, f"reassign:{run_id}")] == [2, 3, 4]
    assert_all_is_well(system)


def test_a_record_that_is_named_twice_is_refused(system: System, send: Tasks) -> None:
    pool(system, 3)
    first, second = owned(system, 2)

    with pytest.raises(RepeatedRecord):
        reassigned(system, send, RecordIds("lead", [first, second, first]))

    assert rows(system, "SELECT id FROM runs") == []
