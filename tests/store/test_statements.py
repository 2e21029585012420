"""Work is set-based: the number of statements doesn't grow with the number of rows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import event

from tests.support.factories import accepted, captured, lead, pool, sheet
from tests.support.invariants import rows
from tests.support.tasks import Tasks, run
from worker.domain.records.record_type import RecordType
from worker.domain.turns.causes import Cause
from worker.flows.system import System
from worker.flows.turns import assign


@contextmanager
def counting(system: System) -> Iterator[list[str]]:
    """The statements that the database is sent meanwhile."""
    sent: list[str] = []

    def note(*given: Any) -> None:
        sent.append(given[2])

    event.listen(system.engine, "before_cursor_execute", note)
    yield sent
    event.remove(system.engine, "before_cursor_execute", note)


def statements(system: System, work: Callable[[], Any]) -> int:
    with counting(system) as sent:
        work()
    return len(sent)


def test_a_chunk_takes_the_same_statements_whatever_its_size(system: System, send: Tasks) -> None:
    pool(system, 3)
    counts = []
    for size in (2, 200):
        accepted(system, sheet(size))
        for step in ("imports.scan", "imports.load_chunk", "imports.close"):
            [task] = send.lose()
            assert task.name == step
            counts.append(statements(system, partial(run, system, task)))

    assert counts[1:3] == counts[4:6]
    assert counts[0] >= counts[3]  # the first scan also seeds


def test_many_leads_take_the_same_statements_as_one(system: System) -> None:
    inbound = pool(system, 3)

    def give(count: int) -> int:
        requests = [
            assign.TurnRequest(f"lead:{number}", number, None)
            for number in [lead(system) for _ in range(count)]
        ]
        work = partial(
            assign.assign,
            pool_id=inbound.id,
            record_type=RecordType.LEAD,
            requests=requests,
            cause=Cause.CAPTURE,
        )
        return statements(system, lambda: system.transact(work))

    give(1)
    assert give(2) == give(50)


def test_many_leads_are_captured_with_the_same_statements_as_one(
    system: System, send: Tasks
) -> None:
    pool(system, 3)

    def accept(count: int) -> int:
        return statements(system, partial(captured, system, count))

    def assign(count: int) -> int:
        [task] = send.lose()
        assert len(rows(system, "SELECT lead_id FROM captures")) == count
        return statements(system, partial(run, system, task))

    first, _ = accept(1), assign(1)  # which also seeds
    accepted, assigned = zip(*((accept(count), assign(count)) for count in (1, 100)), strict=True)

    assert accepted == (first, first)
    assert assigned[0] == assigned[1]
