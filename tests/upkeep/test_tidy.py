"""Leftover files: what nobody needs any more goes, receipts and what may still be of use stay."""

import os
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import update

from tests.support.factories import accepted, imported, pool, sheet
from tests.support.invariants import everything, receipt, rows
from tests.support.tasks import Tasks, run
from worker.domain.runs.runs import RunState
from worker.domain.upkeep import Repair
from worker.flows.runs import cancel, retry, scans
from worker.flows.runs.imports import RECEIPT, UPLOAD
from worker.flows.system import System
from worker.flows.upkeep import tidy
from worker.store.runs import runs as store
from worker.store.sql.engine import writing
from worker.store.tables import runs as run_table

MOMENT = timedelta(minutes=1)


def root(system: System) -> Path:
    return Path(system.uploads._root)


def folder(system: System, run_id: int) -> Path:
    [found] = rows(system, "SELECT folder FROM imports WHERE run_id = :run", run=run_id)
    return root(system) / found["folder"]


def files(path: Path) -> set[str]:
    return {file.name for file in path.iterdir()}


def ended(system: System, age: timedelta) -> None:
    """All runs that have ended did so that long ago."""
    with writing(system.engine) as session:
        long_ago = (
            update(run_table)
            .where(run_table.c.ended_at.is_not(None))
            .values(ended_at=datetime.now(UTC) - age)
        )
        session.execute(long_ago)


def written(path: Path, age: timedelta) -> Path:
    """What lies there was written that long ago."""
    moment = (datetime.now(UTC) - age).timestamp()
    for each in (*path.rglob("*"), path):
        os.utime(each, (moment, moment))
    return path


def forgotten(system: System, age: timedelta, name: str = "0123456789abcdef" * 2) -> Path:
    """An upload whose run was never recorded."""
    system.uploads.store(f"{name}/{UPLOAD}", BytesIO(b"Last Name\nLee\n"))
    return written(root(system) / name, age)


# --- runs that have ended ---


def test_what_a_slow_worker_wrote_after_the_end_goes_and_the_receipt_stays(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    run_id = imported(system, send, sheet(300))
    told = receipt(system, run_id)
    (folder(system, run_id) / "receipt-000001.csv").write_text("late")
    (folder(system, run_id) / "receipt-000002.csv.d12af3").write_text("torn")

    ended(system, tidy.LATE - MOMENT)
    assert tidy.tidy(system) == []
    ended(system, tidy.LATE + MOMENT)
    [found] = tidy.tidy(system)

    assert found == Repair(f"2 files of run {run_id}, which has ended", "removed them")
    assert files(folder(system, run_id)) == {RECEIPT}
    assert receipt(system, run_id) == told
    assert tidy.tidy(system) == []


def test_the_upload_of_a_run_whose_last_files_were_not_removed_goes(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    run_id = imported(system, send, sheet(20))
    (folder(system, run_id) / UPLOAD).write_text("still there")
    ended(system, tidy.LATE + MOMENT)

    assert len(tidy.tidy(system)) == 1
    assert files(folder(system, run_id)) == {RECEIPT}


def test_nothing_of_a_live_run_goes(system: System, send: Tasks) -> None:
    pool(system, 3)
    run_id = accepted(system, sheet(700))
    run(system, send.waiting.pop())
    run(system, send.waiting.pop(0))
    written(folder(system, run_id), 30 * tidy.FORGOTTEN)
    before = files(folder(system, run_id))

    assert tidy.tidy(system) == []

    assert files(folder(system, run_id)) == before
    send.drain(system)
    assert len(receipt(system, run_id)) == 700


def test_the_upload_of_a_run_that_failed_is_kept_for_a_week(system: System, send: Tasks) -> None:
    pool(system, 3)
    run_id = accepted(system, sheet(300))
    system.transact(scans.fail, run_id, "for a reason")

    ended(system, tidy.KEPT_FOR_RETRY - MOMENT)
    assert tidy.tidy(system) == []
    system.transact(retry.retry, run_id)
    send.drain(system)

    assert len(receipt(system, run_id)) == 300


def test_the_upload_of_a_run_that_failed_goes_after_a_week(system: System, send: Tasks) -> None:
    pool(system, 3)
    run_id = accepted(system, sheet(300))
    system.transact(scans.fail, run_id, "for a reason")

    ended(system, tidy.KEPT_FOR_RETRY + MOMENT)
    assert len(tidy.tidy(system)) == 1

    assert files(folder(system, run_id)) == set()
    system.transact(retry.retry, run_id)
    send.drain(system, times=2)
    [failed] = rows(system, "SELECT state, reason FROM runs")
    assert failed["state"] == "failed"
    assert "gone from the upload storage" in failed["reason"]


def test_the_receipt_of_a_cancelled_run_is_never_lost_on_the_way(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    run_id = accepted(system, sheet(700))
    run(system, send.waiting.pop())
    run(system, send.waiting.pop(0))
    system.transact(cancel.cancel, run_id)

    ended(system, tidy.LATE + MOMENT)
    tidy.tidy(system)
    send.drain(system)

    assert len(receipt(system, run_id)) == 250


# --- uploads without a run ---


def test_an_upload_that_never_became_an_import_goes_after_a_day(system: System) -> None:
    young, old = (
        forgotten(system, tidy.FORGOTTEN - MOMENT, "a" * 32),
        forgotten(system, tidy.FORGOTTEN + MOMENT, "b" * 32),
    )

    [found] = tidy.tidy(system)

    assert found == Repair("1 uploads that never became an import", "removed them")
    assert (young.exists(), old.exists()) == (True, False)
    assert tidy.tidy(system) == []


def test_an_upload_of_which_something_is_young_is_still_on_its_way(system: System) -> None:
    folder = forgotten(system, 3 * tidy.FORGOTTEN)
    (folder / f"{UPLOAD}.1a2b3c4d").write_text("on its way")

    assert tidy.tidy(system) == []
    assert folder.exists()


def test_a_folder_that_was_only_just_made_is_left_to_who_made_it(system: System) -> None:
    folder = root(system) / ("c" * 32)
    folder.mkdir(parents=True)

    assert tidy.tidy(system) == []
    assert folder.exists()


@pytest.mark.parametrize("name", ["archive", "notes.txt", ".snapshot"])
def test_what_is_not_ours_is_left_alone(system: System, name: str) -> None:
    foreign = root(system) / name
    if "txt" in name:
        foreign.parent.mkdir(parents=True, exist_ok=True)
        foreign.write_text("theirs")
    else:
        foreign.mkdir(parents=True)
        (foreign / "theirs.txt").write_text("theirs")
    written(foreign, 3 * tidy.FORGOTTEN)

    assert tidy.tidy(system) == []
    assert foreign.exists()


def test_a_storage_in_which_nothing_lies_yet_is_in_order(system: System) -> None:
    assert not root(system).exists()

    assert tidy.tidy(system) == []


def test_nothing_is_done_on_a_healthy_system(system: System, send: Tasks) -> None:
    pool(system, 3)
    run_id = imported(system, send, sheet(300))
    accepted(system, sheet(20))
    before, lies = everything(system), files(folder(system, run_id))

    assert tidy.tidy(system) == []

    assert (everything(system), files(folder(system, run_id))) == (before, lies)


def test_a_run_that_failed_halfway_can_still_be_cancelled_when_its_upload_is_gone(
    system: System, send: Tasks
) -> None:
    pool(system, 3)
    run_id = accepted(system, sheet(700))
    run(system, send.waiting.pop())
    run(system, send.lose()[0])
    system.transact(store.end, run_id, RunState.FAILED, "two chunks were set aside")
    ended(system, tidy.KEPT_FOR_RETRY + MOMENT)
    tidy.tidy(system)

    system.transact(cancel.cancel, run_id)
    send.drain(system)

    [loaded] = rows(
        system, "SELECT records FROM runs WHERE state = 'cancelled' AND ended_at IS NOT NULL"
    )
    assert len(receipt(system, run_id)) == loaded["records"] > 0
    assert UPLOAD not in files(folder(system, run_id))
