"""Forecasts: they tell what then happens, and change nothing."""

import io
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.store.test_statements import counting
from tests.support.factories import (
    captured,
    email,
    give_leads,
    imported,
    join,
    leave,
    owned,
    owner_id_of,
    person,
    pool,
    reassigned,
    sheet,
    smart_list,
    to_reassign,
)
from tests.support.invariants import everything, rows
from tests.support.tasks import Tasks, run
from worker.domain.filters import RecordList
from worker.domain.runs.record_ids import RecordIds
from worker.errors.people import UnknownRecordType
from worker.errors.records import UnknownField, UnknownRecord
from worker.errors.runs import UnreadableFile
from worker.errors.turns import EmptyPool, UnknownOwner, WrongPoolType
from worker.flows.names import find_owner_by_name, find_pool_by_name
from worker.flows.runs import cancel, dry_runs, imports
from worker.flows.system import System
from worker.flows.turns import pools

Facts = dict[str, Any]

ROWS, BAD = 28, {0, 5, 9, 10, 27}


def forecast_of(system: System, wanted: RecordList | RecordIds, owner: str = "Inbound") -> Facts:
    with system.reading() as session:
        return asdict(
            dry_runs.preview_reassignment(session, wanted, find_owner_by_name(session, owner).id)
        )


def forecast_of_file(
    system: System, file: Any, owner: str = "Inbound", record_type: str = "lead"
) -> Facts:
    request = imports.ImportRequest("leads.csv", record_type, owner_id_of(system, owner), {})
    return asdict(dry_runs.preview_import(system, request, file))


def told(facts: Facts) -> dict[str, int]:
    """How many records each would get."""
    return {member["email"]: member["records"] for member in facts["members"] if member["records"]}


def next_of(system: System) -> str:
    with system.reading() as session:
        return str(pools.show(session, find_pool_by_name(session, "Inbound").id).next)


def counted(system: System, run_id: int) -> dict[str, int]:
    """How many records each got by a run's turns."""
    claimed = (
        "SELECT email, count(*) AS records FROM ledger JOIN users ON users.id = user_id"
        " WHERE claim LIKE :claim GROUP BY email"
    )
    return {row["email"]: row["records"] for row in rows(system, claimed, claim=f"%:{run_id}")}


def holding(system: System) -> Any:
    """All that the database holds, and each ring."""
    return everything(system), [
        system.ring.state(pool["id"]) for pool in rows(system, "SELECT id FROM pools ORDER BY id")
    ]


def assert_comes_true(system: System, send: Tasks, wanted: RecordList | RecordIds) -> Facts:
    """The forecast changes nothing, and tells what a reassignment then does. Returns it."""
    owners_before = {
        row["id"]: row["owner_id"] for row in rows(system, "SELECT id, owner_id FROM leads")
    }
    before, sent = holding(system), len(send.waiting)
    facts = forecast_of(system, wanted)
    assert holding(system) == before
    assert len(send.waiting) == sent
    assert facts["next_before"]["name"] == next_of(system)

    run_id = reassigned(system, send, wanted)

    moved = rows(
        system,
        "SELECT record_id, user_id FROM ledger WHERE claim = :claim",
        claim=f"reassign:{run_id}",
    )
    assert told(facts) == counted(system, run_id)
    assert facts["records"] == len(moved)
    assert facts["stay"] == sum(
        owners_before[entry["record_id"]] == entry["user_id"] for entry in moved
    )
    assert facts["next_after"]["name"] == next_of(system)
    return facts


# --- of a reassignment ---


def test_a_forecast_tells_each_members_share_in_the_order_of_the_ring(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    give_leads(system, 1)
    owned(system, 3, email(1))

    facts = forecast_of(system, smart_list(system, {}, "id:desc"))

    assert [(member["name"], member["records"], member["stay"]) for member in facts["members"]] == [
        ("A", 1, 0),
        ("B", 2, 1),
        ("C", 1, 0),
    ]
    assert (facts["records"], facts["stay"], facts["owner"], facts["list"]) == (
        4,
        1,
        "Inbound",
        "a list",
    )
    assert (facts["next_before"]["email"], facts["next_after"]["email"]) == (email(1), email(2))
    assert_comes_true(system, send, smart_list(system, {}, "id:desc"))


def test_what_a_forecast_tells_of_several_chunks_comes_true(system: System, send: Tasks) -> None:
    pool(system, 3)
    imported(system, send, sheet(ROWS))

    facts = assert_comes_true(system, send, smart_list(system, {}, "last_name:desc"))

    assert facts["records"] == ROWS
    assert 0 < facts["stay"] < ROWS


def test_returned_turns_are_told_first(system: System, send: Tasks) -> None:
    pool(system, 3)
    ids = owned(system, 8)
    cancelled = to_reassign(system, smart_list(system, {}))
    run(system, send.waiting.pop())
    join(system, email(3))
    give_leads(system, 2)
    system.transact(cancel.cancel, cancelled)
    send.drain(system)

    facts = assert_comes_true(system, send, RecordIds("lead", ids[:5]))

    assert told(facts) == {email(0): 2, email(1): 2, email(2): 1}
    assert_comes_true(system, send, RecordIds("lead", ids[::-1]))


def test_a_roster_change_between_two_turns_is_heeded(system: System, send: Tasks) -> None:
    pool(system, 3)
    ids = owned(system, 7)
    give_leads(system, 2)
    leave(system, email(2))
    join(system, email(4), email(5))

    facts = assert_comes_true(system, send, RecordIds("lead", ids))

    assert [member["email"] for member in facts["members"]] == [
        email(0),
        email(1),
        email(4),
        email(5),
    ]


def _forgotten(system: System, pool_id: int) -> None:
    system.ring.drop(pool_id)


def _garbled(system: System, pool_id: int) -> None:
    system.ring._client.hset(f"{{pool:{pool_id}}}:ring", "next", "soon")


def _gone_back(system: System, pool_id: int) -> None:
    """The ring is where it was five turns ago, under the same epoch."""
    key = f"{{pool:{pool_id}}}:ring"
    cursor, slots = (int(system.ring._client.hget(key, name)) for name in ("cursor", "slots"))
    system.ring._client.hset(
        key,
        mapping={
            "next": int(system.ring._client.hget(key, "next")) - 5,
            "cursor": (cursor - 5) % slots,
        },
    )


@pytest.mark.parametrize("spoil", [_forgotten, _gone_back])
def test_a_ring_that_forgot_is_told_as_seeding_will_find_it(
    system: System, send: Tasks, spoil: Callable[[System, int], None]
) -> None:
    inbound = pool(system, 3)
    ids = owned(system, 7)
    cancelled = to_reassign(system, RecordIds("lead", ids[:2]))
    run(system, send.waiting.pop())
    give_leads(system, 6)
    system.transact(cancel.cancel, cancelled)
    send.drain(system)
    leave(system, email(1))
    spoil(system, inbound.id)

    facts = assert_comes_true(system, send, RecordIds("lead", ids))

    assert told(facts) == {email(0): 4, email(2): 3}


def test_a_ring_that_makes_no_sense_is_told_by_sql(system: System) -> None:
    inbound = pool(system, 2)
    owned(system, 3)
    give_leads(system, 1)
    _garbled(system, inbound.id)

    assert forecast_of(system, smart_list(system, {"first_name": "F"}))["next_before"][
        "email"
    ] == email(1)


def test_a_person_gets_all_and_nobody_is_next(system: System) -> None:
    pool(system, 2)
    owned(system, 2, "zoe@example.com")
    give_leads(system, 3)

    facts = forecast_of(system, smart_list(system, {}), "zoe@example.com")

    assert [(member["name"], member["records"], member["stay"]) for member in facts["members"]] == [
        ("Zoe", 5, 2)
    ]
    assert (facts["records"], facts["stay"], facts["next_before"], facts["next_after"]) == (
        5,
        2,
        None,
        None,
    )


def test_leads_that_wait_in_line_are_told_like_others(system: System, send: Tasks) -> None:
    pool(system, 0, "Empty")
    pool(system, 2)
    captured(system, 3, "Empty")
    send.lose()

    assert_comes_true(system, send, smart_list(system, {"owner": "Empty"}))


def test_an_empty_list_leaves_who_is_next(system: System) -> None:
    pool(system, 2)
    give_leads(system, 1)

    facts = forecast_of(system, smart_list(system, {"status": "Nobody's"}))

    assert (facts["records"], [member["records"] for member in facts["members"]]) == (0, [0, 0])
    assert (
        facts["next_before"]
        == facts["next_after"]
        == {"id": person(system, email(1)), "name": "B", "email": email(1)}
    )


def test_a_forecast_is_refused_for_what_a_reassignment_is_refused_for(system: System) -> None:
    pool(system, 1)
    pool(system, 0, "Empty")

    for owner, record_type, error in (
        ("nobody", "lead", UnknownOwner),
        ("Empty", "lead", EmptyPool),
        ("Inbound", "deal", WrongPoolType),
    ):
        with pytest.raises(error):
            forecast_of(system, smart_list(system, {}, record_type=record_type), owner)
    with pytest.raises(UnknownRecord, match="no lead 99"):
        forecast_of(system, RecordIds("lead", [99]))


def test_a_forecast_takes_the_same_statements_whatever_the_size_of_the_list(system: System) -> None:
    pool(system, 3)
    counts = []
    for _ in range(2):
        owned(system, ROWS)
        with counting(system) as sent:
            forecast_of(system, smart_list(system, {}))
        counts.append(len(sent))

    assert counts[0] == counts[1]


# --- of an import ---


def test_what_is_told_of_a_file_comes_true(system: System, send: Tasks, tmp_path: Path) -> None:
    pool(system, 3)
    give_leads(system, 1)
    before = holding(system)

    facts = forecast_of_file(system, sheet(ROWS, BAD))

    assert holding(system) == before
    assert (send.waiting, (tmp_path / "uploads").exists()) == ([], False)
    run_id = imported(system, send, sheet(ROWS, BAD))
    [done] = rows(system, "SELECT rows, records, errors FROM runs WHERE id = :run", run=run_id)
    assert {name: facts[name] for name in ("rows", "records", "errors")} == done
    assert told(facts) == counted(system, run_id)
    assert facts["next_after"]["name"] == next_of(system)
    assert (facts["stay"], facts["file"], facts["list"]) == (0, "leads.csv", None)
    assert [error["line"] for error in facts["first_errors"]] == sorted(row + 2 for row in BAD)


def test_of_a_file_the_first_hundred_errors_are_told(system: System) -> None:
    pool(system, 1)

    facts = forecast_of_file(system, sheet(150, range(120)))

    assert (facts["errors"], len(facts["first_errors"]), facts["records"]) == (120, 100, 30)


def test_a_person_would_get_all_rows_of_a_file(system: System) -> None:
    zoe = person(system, "zoe@example.com")

    facts = forecast_of_file(system, sheet(5, record_type="deal"), "zoe@example.com", "deal")

    assert [(member["id"], member["records"]) for member in facts["members"]] == [(zoe, 5)]
    assert (facts["next_before"], facts["next_after"]) == (None, None)


def test_a_file_is_refused_for_what_an_import_is_refused_for(system: System) -> None:
    pool(system, 0, "Empty")
    pool(system, 1)

    for file, owner, record_type, error in (
        (sheet(1), "Empty", "lead", EmptyPool),
        (sheet(1), "nobody", "lead", UnknownOwner),
        (sheet(1), "Inbound", "ticket", UnknownRecordType),
        (io.BytesIO(b""), "Inbound", "lead", UnreadableFile),
        (io.BytesIO(b"Last Name\n\xff\n"), "Inbound", "lead", UnreadableFile),
    ):
        with pytest.raises(error):
            forecast_of_file(system, file, owner, record_type)
    with pytest.raises(UnknownField):
        dry_runs.preview_import(
            system,
            imports.ImportRequest(
                "leads.csv", "lead", owner_id_of(system, "Inbound"), {"Territory": "nonsense"}
            ),
            sheet(1),
        )
