"""What commands print: names as they are, whatever they look like."""

import io

import pytest
from rich.console import Console

from worker.cli.dry_run import print_dry_run
from worker.cli.output import facts_list, rows, table
from worker.cli.run_output import about

ODD = "[/x] [bold]B[/bold]"


def printed(what: object) -> str:
    out = io.StringIO()
    Console(file=out, width=200).print(what)
    return out.getvalue()


def test_a_name_that_looks_like_markup_is_printed_as_it_is() -> None:
    assert ODD in printed(facts_list({"list": ODD}))
    assert ODD in printed(rows(table("list"), [{"list": ODD}], "list"))


def test_numbers_have_separators_and_what_is_unknown_is_left_out() -> None:
    assert printed(facts_list({"rows": 1234567, "done": True, "reason": None})).split() == [
        "rows",
        "1,234,567",
        "done",
        "yes",
    ]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"kind": "import", "file": "leads.csv"}, "leads.csv"),
        ({"kind": "reassign", "list": "Oslo", "ids": None}, "Oslo"),
        ({"kind": "reassign", "list": None, "ids": 1200}, "1,200 ids"),
        ({"kind": "undo", "undoes": 5}, "run 5"),
    ],
)
def test_a_run_is_about_a_file_a_list_some_ids_or_another_run(
    facts: dict[str, object], words: str
) -> None:
    assert about(facts) == words


def test_a_forecast_is_a_table_with_who_is_next(capsys: pytest.CaptureFixture[str]) -> None:
    ann, bob = (
        {"id": number, "name": name, "email": f"{number}@example.com"}
        for number, name in enumerate((ODD, "Bob"))
    )
    shares = [ann | {"records": 1200, "stay": 7}, bob | {"records": 1199, "stay": 0}]
    facts = {
        "record_type": "lead", "owner": "Inbound", "records": 2399, "rows": 2400, "errors": 1, "members": shares, "next_before": ann,
        "next_after": bob, "first_errors": [{"line": 9, "field": "email", "reason": "is longer than 320 characters"}],
    }  # fmt: skip

    print_dry_run(facts, json=False)

    out = capsys.readouterr().out
    assert "2,399 leads would go to Inbound; 1 of 2,400 rows would become none" in out
    assert f"next: {ODD} → Bob" in out
    assert ["1", *ODD.split(), "0@example.com", "1,200", "7"] in [
        line.split()[:6] for line in out.splitlines()
    ]
    assert "is longer than 320 characters" in out
