"""What commands print: names as they are, whatever they look like."""

import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from worker.cli.dry_run import print_dry_run
from worker.cli.output import add_rows, list_fields, make_table
from worker.cli.run_output import name_subject
from worker.domain.files.rows import RowError
from worker.domain.records.record_type import RecordType
from worker.domain.runs.runs import RunKind, RunState
from worker.store.views.runs import DryRun, DryRunShare, RunSummary
from worker.store.views.who import Who

NOW = datetime(2026, 7, 1, tzinfo=UTC)

ODD = "[/x] [bold]B[/bold]"


def printed(what: object) -> str:
    out = io.StringIO()
    Console(file=out, width=200).print(what)
    return out.getvalue()


def test_a_name_that_looks_like_markup_is_printed_as_it_is() -> None:
    assert ODD in printed(list_fields({"list": ODD}))
    assert ODD in printed(add_rows(make_table("list"), [{"list": ODD}], "list"))


def test_numbers_have_separators_and_what_is_unknown_is_left_out() -> None:
    assert printed(list_fields({"rows": 1234567, "done": True, "reason": None})).split() == [
        "rows",
        "1,234,567",
        "done",
        "yes",
    ]


RUN = RunSummary(
    id=1,
    kind=RunKind.IMPORT,
    state=RunState.DONE,
    record_type=RecordType.LEAD,
    owner="Inbound",
    file=None,
    list=None,
    ids=None,
    undoes=None,
    undone_by=None,
    returns_turns=None,
    progress=1.0,
    rows=0,
    records=0,
    errors=0,
    skipped=0,
    turns=0,
    returned=0,
    chunks_set_aside=0,
    reason=None,
    accepted_at=NOW,
    started_at=NOW,
    ended_at=NOW,
)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"kind": RunKind.IMPORT, "file": "leads.csv"}, "leads.csv"),
        ({"kind": RunKind.REASSIGN, "list": "Oslo", "ids": None}, "Oslo"),
        ({"kind": RunKind.REASSIGN, "list": None, "ids": 1200}, "1,200 ids"),
        ({"kind": RunKind.UNDO, "undoes": 5}, "run 5"),
    ],
)
def test_a_run_is_about_a_file_a_list_some_ids_or_another_run(
    facts: dict[str, Any], words: str
) -> None:
    run = replace(RUN, **facts)

    assert name_subject(run) == words


def test_a_forecast_is_a_table_with_who_is_next(capsys: pytest.CaptureFixture[str]) -> None:
    ann, bob = (
        DryRunShare(0, ODD, "0@example.com", 1200, 7),
        DryRunShare(1, "Bob", "1@example.com", 1199, 0),
    )
    dry_run = DryRun(
        kind=RunKind.IMPORT,
        record_type=RecordType.LEAD,
        owner="Inbound",
        list=None,
        file="leads.csv",
        rows=2400,
        records=2399,
        stay=7,
        errors=1,
        first_errors=(RowError(9, "email", "is longer than 320 characters"),),
        members=(ann, bob),
        next_before=Who(ann.id, ann.name, ann.email),
        next_after=Who(bob.id, bob.name, bob.email),
    )

    print_dry_run(dry_run, json=False)

    out = capsys.readouterr().out
    assert "2,399 leads would go to Inbound; 1 of 2,400 rows would become none" in out
    assert f"next: {ODD} → Bob" in out
    assert ["1", *ODD.split(), "0@example.com", "1,200", "7"] in [
        line.split()[:6] for line in out.splitlines()
    ]
    assert "is longer than 320 characters" in out
