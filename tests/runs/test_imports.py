"""Imports: from the file to records in turn, and a receipt for every row."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from redis import Redis

from tests.support.factories import (
    accepted,
    deactivate,
    delete_pool,
    email,
    give_leads,
    imported,
    join,
    leases_run_out,
    leave,
    person,
    pool,
    sheet,
)
from tests.support.invariants import assert_in_file_order, assert_promise, receipt, rows
from tests.support.tasks import Tasks, run
from worker.errors.people import UnknownRecordType
from worker.errors.records import UnknownField
from worker.errors.runs import UnknownHeader, UnreadableFile
from worker.errors.turns import EmptyPool, UnknownOwner, WrongPoolType
from worker.flows.runs import imports
from worker.flows.system import System
from worker.queue import Task
from worker.uploads import Uploads

ROWS, BAD = 28, {0, 5, 9, 10, 27}
"""Several chunks, whose first and last rows are bad."""


def run_of(system: System, run_id: int) -> dict[str, object]:
    [found] = rows(system, "SELECT * FROM runs WHERE id = :run", run=run_id)
    return found


def from_json(value: Any) -> Any:
    """What SQLite gives as text and PostgreSQL as it is."""
    return json.loads(value) if isinstance(value, str) else value


def everything(system: System) -> list[object]:
    """What must not change any more once an import is done."""
    tables = (
        "leads ORDER BY id",
        "ledger ORDER BY turn",
        "blocks",
        "chunks ORDER BY number",
        "runs",
        "imports",
    )
    return [rows(system, f"SELECT * FROM {table}") for table in tables]


def test_rows_get_turns_in_the_order_of_the_file(system: System, send: Tasks) -> None:
    pool(system, 3)
    assert give_leads(system, 1) == "a"

    run_id = imported(system, send, sheet(ROWS))

    assert assert_in_file_order(system, run_id) == list(range(2, ROWS + 2))
    assert [line["owner"][0] for line in receipt(system, run_id)[:5]] == list("bcabc")
    names = rows(
        system, "SELECT last_name, turn FROM leads WHERE last_name IS NOT NULL ORDER BY id"
    )
    assert names == [{"last_name": f"L{row}", "turn": row + 2} for row in range(ROWS)]
    assert give_leads(system, 1) == "bca"[ROWS % 3]
    assert_promise(system)


def test_the_receipt_has_a_line_for_every_row_in_its_order(system: System, send: Tasks) -> None:
    pool(system, 3)

    run_id = imported(system, send, sheet(ROWS, BAD))

    lines = receipt(system, run_id)
    assert [int(line["line"]) for line in lines] == list(range(2, ROWS + 2))
    assert {int(line["line"]) - 2 for line in lines if line["error"]} == BAD
    assert lines[0] == {
        "line": "2", "record_type": "lead", "record_id": "", "pool": "", "turn": "", "owner": "",
        "error": "last_name: needs last name or organization name",
    }  # fmt: skip
    assert lines[1] == {
        "line": "3",
        "record_type": "lead",
        "record_id": "1",
        "pool": "Inbound",
        "turn": "1",
        "owner": email(0),
        "error": "",
    }


def test_bad_rows_burn_no_turn(system: System, send: Tasks) -> None:
    pool(system, 3)

    run_id = imported(system, send, sheet(ROWS, BAD))

    assert assert_in_file_order(system, run_id) == list(range(1, ROWS - len(BAD) + 1))
    done = run_of(system, run_id)
    assert (done["rows"], done["records"], done["errors"], done["turns"]) == (
        ROWS,
        ROWS - len(BAD),
        len(BAD),
        ROWS - len(BAD),
    )
    assert_promise(system)


@pytest.mark.parametrize("seed", range(3))
def test_tasks_may_come_in_any_order_and_twice(system: System, send: Tasks, seed: int) -> None:
    pool(system, 3)
    first, second = accepted(system, sheet(ROWS, BAD)), accepted(system, sheet(12))

    send.drain(system, times=2, order=Random(seed))

    turns = [assert_in_file_order(system, run_id) for run_id in (first, second)]
    assert sorted(turns) == [list(range(block[0], block[-1] + 1)) for block in sorted(turns)]
    assert_promise(system)


def test_tasks_that_come_again_when_all_is_done_change_nothing(system: System, send: Tasks) -> None:
    pool(system, 3)
    run_id = accepted(system, sheet(ROWS, BAD))
    ran = send.drain(system)
    before, told = everything(system), receipt(system, run_id)

    for task in [*ran, *reversed(ran)]:
        run(system, task)

    assert send.waiting == []
    assert (everything(system), receipt(system, run_id)) == (before, told)


def test_a_replayed_chunk_enters_nothing_twice(system: System, send: Tasks) -> None:
    pool(system, 3)
    accepted(system, sheet(ROWS))
    run(system, send.waiting.pop())
    chunk = send.waiting[0]
    run(system, chunk)
    before = (
        rows(system, "SELECT * FROM ledger ORDER BY turn"),
        rows(system, "SELECT records, chunks_left FROM runs"),
    )

    run(system, chunk)

    assert (
        rows(system, "SELECT * FROM ledger ORDER BY turn"),
        rows(system, "SELECT records, chunks_left FROM runs"),
    ) == before
    assert_promise(system)


def test_a_person_may_own_every_row_and_takes_no_turn(system: System, send: Tasks) -> None:
    pool(system, 3)
    ann = person(system, "ann@example.com")

    run_id = imported(system, send, sheet(ROWS, BAD), "ann@example.com")

    lines = receipt(system, run_id)
    assert {(line["owner"], line["pool"], line["turn"]) for line in lines if not line["error"]} == {
        ("ann@example.com", "", "")
    }
    assert rows(system, "SELECT DISTINCT owner_id, pool_id, turn FROM leads") == [
        {"owner_id": ann, "pool_id": None, "turn": None}
    ]
    assert run_of(system, run_id)["turns"] == 0
    assert rows(system, "SELECT * FROM ledger") == []


@pytest.mark.parametrize("record_type", ["contact", "deal"])
def test_contacts_and_deals_are_imported_like_leads(
    system: System, send: Tasks, record_type: str
) -> None:
    pool(system, 3, "Others", record_type)

    run_id = imported(system, send, sheet(12, {5}, record_type), "Others", record_type)

    assert len(assert_in_file_order(system, run_id)) == 11
    assert {line["record_type"] for line in receipt(system, run_id)} == {record_type}
    assert len(rows(system, f"SELECT id FROM {record_type}s")) == 11
    assert_promise(system)


def test_each_row_is_stored_with_its_fields_tags_and_custom_fields(
    system: System, send: Tasks
) -> None:
    pool(system, 1, record_type="deal")
    file = io.BytesIO(
        "Deal;Amount;Close Date;Tags;Größe\n"
        "  Roof ;€ 1,250.5;2026-03-31;hot,new;12 m²\n"
        "Wall;;;;\n".encode()
    )

    imported(system, send, file, record_type="deal")

    roof, wall = rows(
        system,
        "SELECT name, value, estimated_close_date, tags, custom_fields FROM deals ORDER BY id",
    )
    kept = [from_json(deal[name]) for deal in (roof, wall) for name in ("tags", "custom_fields")]
    assert (roof["name"], float(roof["value"]), str(roof["estimated_close_date"])) == (
        "Roof",
        1250.5,
        "2026-03-31",
    )
    assert (wall["name"], wall["value"], wall["estimated_close_date"]) == ("Wall", None, None)
    assert kept == [["hot", "new"], {"Größe": "12 m²"}, [], {}]


def test_text_that_a_database_may_take_for_its_own_is_stored_as_it_is(
    system: System, send: Tasks
) -> None:
    pool(system, 1)
    odd = [
        "\\N",
        "\\.",
        "a\\tb",
        'say "hi"',
        "NULL",
        "two\nlines",
        "tab\there",
        "a,b",
        "'; --",
        "ünï\u2028code",
        "\r",
    ]
    cells = ",".join('"' + text.replace('"', '""') + '"' for text in odd)
    file = io.BytesIO(
        (
            "last_name,"
            + ",".join(f"c{n}" for n in range(len(odd)))
            + f"\nLee,{cells}\n"
            + f'"{odd[0]}"\n'
        ).encode()
    )

    run_id = imported(system, send, file)

    first, second = rows(system, "SELECT last_name, custom_fields FROM leads ORDER BY id")
    assert from_json(first["custom_fields"]) == {
        f"c{number}": text.strip() for number, text in enumerate(odd) if text.strip()
    }
    assert second["last_name"] == "\\N"
    assert_in_file_order(system, run_id)


def test_a_mapping_names_the_field_of_a_header(system: System, send: Tasks) -> None:
    pool(system, 1)

    accepted(system, io.BytesIO(b"Nom,Last Name\nLee,x\n"), mapping={"Nom": "last_name"})
    send.drain(system)

    assert rows(system, "SELECT last_name FROM leads") == [{"last_name": "Lee"}]


@pytest.mark.parametrize(
    ("file", "mapping", "error"),
    [
        (b"", {}, UnreadableFile),
        (b"\n\n", {}, UnreadableFile),
        (b"N\xe9m\nx\n", {}, UnreadableFile),
        (b"Name\nx\n", {"Name": "surname"}, UnknownField),
        (b"Name\nx\n", {"Nom": "last_name"}, UnknownHeader),
    ],
)
def test_what_is_wrong_with_the_header_is_said_at_once(
    system: System, send: Tasks, file: bytes, mapping: dict[str, str], error: type[Exception]
) -> None:
    pool(system, 1)

    with pytest.raises(error):
        accepted(system, io.BytesIO(file), mapping=mapping)

    assert rows(system, "SELECT * FROM runs") == []
    assert send.waiting == []


def test_an_owner_that_cannot_take_the_records_is_said_at_once(system: System, send: Tasks) -> None:
    pool(system, 1)
    pool(system, 0, "Empty")

    for owner, record_type, error in (
        ("nobody", "lead", UnknownOwner),
        ("Empty", "lead", EmptyPool),
        ("Inbound", "deal", WrongPoolType),
        ("Inbound", "ticket", UnknownRecordType),
    ):
        with pytest.raises(error):
            accepted(system, sheet(1), owner, record_type)
    assert rows(system, "SELECT * FROM runs") == []
    assert send.waiting == []


def test_a_file_of_only_a_header_is_done_with_no_rows(system: System, send: Tasks) -> None:
    pool(system, 1)

    run_id = imported(system, send, io.BytesIO(b"Last Name\n"))

    assert receipt(system, run_id) == []
    done = run_of(system, run_id)
    assert (done["state"], done["rows"], done["records"], done["turns"]) == ("done", 0, 0, 0)
    assert give_leads(system, 1) == "a"
    assert_promise(system)


def test_a_file_of_only_bad_rows_is_done_with_errors(system: System, send: Tasks) -> None:
    pool(system, 1)

    run_id = imported(system, send, sheet(300, set(range(300))))

    done = run_of(system, run_id)
    assert (done["state"], done["rows"], done["records"], done["errors"], done["turns"]) == (
        "done",
        300,
        0,
        300,
        0,
    )
    assert len(receipt(system, run_id)) == 300
    assert rows(system, "SELECT * FROM ledger") == rows(system, "SELECT * FROM leads") == []


def test_a_file_that_is_not_text_further_down_fails_with_the_line(
    system: System, send: Tasks
) -> None:
    pool(system, 1)

    run_id = imported(system, send, io.BytesIO(b"Last Name\nLee\nJos\xe9\n"))

    failed = run_of(system, run_id)
    assert failed["state"] == "failed"
    assert "line 3 is not UTF-8" in str(failed["reason"])
    assert failed["ended_at"]
    assert rows(system, "SELECT * FROM leads") == rows(system, "SELECT * FROM blocks") == []


def test_a_pool_that_all_left_before_the_scan_fails_the_run_with_the_reason(
    system: System, send: Tasks
) -> None:
    pool(system, 1)
    run_id = accepted(system, sheet(3))
    leave(system, email(0))

    send.drain(system)

    failed = run_of(system, run_id)
    assert failed["state"] == "failed"
    assert str(failed["reason"]).startswith("The pool Inbound has no members.")
    assert_promise(system)


def test_a_pool_deleted_before_the_scan_fails_the_run_with_the_reason(
    system: System, send: Tasks
) -> None:
    pool(system, 1)
    run_id = accepted(system, sheet(3))
    delete_pool(system)

    send.drain(system)

    failed = run_of(system, run_id)
    assert failed["state"] == "failed"
    assert "There is no pool" in str(failed["reason"])


def test_a_block_keeps_the_members_of_its_time(system: System, send: Tasks) -> None:
    pool(system, 3)
    run_id = accepted(system, sheet(ROWS))
    run(system, send.waiting.pop())
    leave(system, email(1))
    join(system, email(3))

    send.drain(system)

    assert {line["owner"] for line in receipt(system, run_id)} == {email(0), email(1), email(2)}
    assert_in_file_order(system, run_id)
    assert give_leads(system, 4) == "cdac"
    assert_promise(system)


def test_leads_that_come_during_an_import_take_the_turns_after_its_block(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    run_id = accepted(system, sheet(ROWS))
    run(system, send.waiting.pop())

    assert give_leads(system, 2) == "bc"
    send.drain(system)

    assert assert_in_file_order(system, run_id) == list(range(1, ROWS + 1))
    assert_promise(system)


def test_a_receipt_holds_no_formula(system: System, send: Tasks) -> None:
    pool(system, ["=b@example.com"], "+Inbound")

    run_id = imported(system, send, sheet(1), "+Inbound")

    [line] = receipt(system, run_id)
    assert (line["pool"], line["owner"]) == ("'+Inbound", "'=b@example.com")


def test_parts_of_a_receipt_are_gone_when_it_is_whole(
    system: System, send: Tasks, tmp_path: Path
) -> None:
    pool(system, 3)

    run_id = imported(system, send, sheet(ROWS))

    [run] = rows(system, "SELECT folder FROM imports WHERE run_id = :run", run=run_id)
    assert [path.name for path in (tmp_path / "uploads" / run["folder"]).iterdir()] == [
        imports.RECEIPT
    ]


def test_an_upload_that_is_gone_fails_its_run_with_the_reason(system: System, send: Tasks) -> None:
    pool(system, 3)
    run_id = accepted(system, sheet(ROWS))
    [run] = rows(system, "SELECT folder FROM imports WHERE run_id = :run", run=run_id)
    system.uploads.remove([f"{run['folder']}/{imports.UPLOAD}"])

    send.drain(system)

    [ended] = rows(system, "SELECT state, reason FROM runs WHERE id = :run", run=run_id)
    assert ended["state"] == "failed"
    assert "gone" in ended["reason"]
    assert_promise(system)


def test_a_scan_that_is_overtaken_by_its_own_repetition_leaves_the_run_done(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    run_id = accepted(system, sheet(ROWS))
    [scan] = send.waiting
    overtaking = replace(system, uploads=Overtaken(system, send, scan))

    run(overtaking, scan)

    assert [line["error"] for line in receipt(system, run_id)] == [""] * ROWS
    assert_in_file_order(system, run_id)
    assert_promise(system)


class Overtaken(Uploads):
    """Uploads whose first reader is so slow to open a file that others have done everything
    meanwhile."""

    def __init__(self, system: System, send: Tasks, task: Task) -> None:
        self.__dict__.update(system.uploads.__dict__)
        self._others: list[Callable[[], object]] = [
            lambda: leases_run_out(system),
            lambda: run(system, task),
            lambda: send.drain(system),
        ]

    def open(self, name: str) -> Any:
        while self._others:
            self._others.pop(0)()
        return super().open(name)


def test_a_user_deactivated_before_the_scan_fails_the_run_with_the_reason(
    system: System, send: Tasks
) -> None:
    person(system, email(0))
    run_id = accepted(system, sheet(ROWS), owner=email(0))
    deactivate(system, email(0))

    send.drain(system)

    assert (
        rows(system, "SELECT state, reason FROM runs WHERE id = :run", run=run_id)[0]["state"]
        == "failed"
    )
    assert rows(system, "SELECT 1 FROM leads") == []


def test_a_block_of_many_returned_turns_is_reserved_as_any_other(
    system: System, send: Tasks, valkey: Redis
) -> None:
    pool(system, 3)
    give_leads(system, 1)
    pool_id = rows(system, "SELECT id FROM pools")[0]["id"]
    system.ring.take_turns(pool_id, [("import:999", 6_000)])
    leave(system, email(1))
    valkey.flushall()

    run_id = imported(system, send, sheet(3_000))

    assert_in_file_order(system, run_id)
    assert_promise(system)
