"""Smart lists, as they are saved and read on the command line."""

import subprocess
from pathlib import Path

import pytest

from tests.acceptance.stack import EVENHAND, ROOT, Home, home
from tests.support.factories import lead, person
from worker.domain.records.record_type import RecordType
from worker.store.records import labels, records


@pytest.fixture
def here(sqlite_url: str, tmp_path: Path) -> Home:
    """A home with two people and three leads, two of them from Oslo."""
    made = home(tmp_path / "home", sqlite_url)
    with made.system() as system:
        for city in ("Oslo", "Rome", "Oslo"):
            number, values = (
                lead(system, "ann@example.com"),
                {"address_city": city, "last_name": f"From {city}", "email": "x@example.com"},
            )
            system.transact(records.change, RecordType.LEAD, number, values)
        person(system, "bob@example.com")
        system.transact(labels.register, RecordType.LEAD, {labels.CUSTOM_FIELD: ["Region"]})
    return made


def test_a_list_is_saved_shown_counted_changed_and_deleted(here: Home, tmp_path: Path) -> None:
    asked = tmp_path / "asked.json"
    asked.write_text('{"city": {"starts_with": "r"}}', encoding="utf-8")

    made = here.facts("list", "create", "Oslo", "--filter", '{"city": "Oslo"}', "--sort", "id:desc")
    own = here.facts("list", "create", "Oslo", "--type", "lead", "--user", "bob@example.com")
    shown = here.facts("list", "show", "Oslo")

    assert (made["published"], made["owner"], made["order"]) == (True, None, "id:desc")
    assert (own["published"], own["owner"]["email"], own["filter"]) == (
        False,
        "bob@example.com",
        {},
    )
    assert (shown["id"], shown["count"], shown["next"]) == (made["id"], 2, None)
    assert [each["id"] for each in shown["records"]] == [3, 1]
    assert here.facts("list", "count", str(own["id"])) == {"count": 3}
    assert [each["id"] for each in here.facts("list", "list")] == [made["id"], own["id"]]
    assert (
        here.facts("list", "change", "Oslo", "--filter", f"@{asked}", "--name", "Rome")["name"]
        == "Rome"
    )
    assert here.facts("list", "count", "rome") == {"count": 1}
    assert here.facts("list", "unpublish", "Rome")["published"] is False
    assert here.facts("list", "publish", "Rome")["published"] is True
    here.run("list", "delete", "Rome")
    assert [each["id"] for each in here.facts("list", "list")] == [own["id"]]


def test_people_read_tables_and_sentences(here: Home) -> None:
    said = here.run("list", "create", "Oslo", "--filter", '{"city": "Oslo"}').stderr
    table = here.run("list", "list").stdout
    shown = here.run("list", "show", "Oslo")

    assert "Saved the list Oslo as list 1." in said
    assert '{"attribute": {"name": "city"}, "parameter": {"eq": "Oslo"}}' in table
    assert "From Oslo" in shown.stdout
    assert "x@example.com" in shown.stdout
    assert "2 leads" in shown.stderr
    assert "2 leads" in here.run("list", "count", "1").stderr
    assert "Deleted the list Oslo." in here.run("list", "delete", "1").stderr


def test_a_filter_comes_in_through_a_pipe(here: Home) -> None:
    command = [*EVENHAND, "list", "create", "Rome", "--filter", "-"]
    subprocess.run(
        command,
        input='{"city": "Rome"}',
        text=True,
        check=True,
        env=here.environment,
        cwd=ROOT,
        capture_output=True,
    )

    assert here.facts("list", "count", "Rome") == {"count": 1}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("create", "x", "--filter", "{"), "The filter can't be read: it is no JSON"),
        (("create", "x", "--filter", "@nowhere.json"), "nowhere.json: No such file"),
        (
            ("create", "x", "--filter", '{"citty": "x"}'),
            "/filter/citty is nothing that a lead can be asked for",
        ),
        (("create", "x", "--sort", "color"), "/order must be a field"),
        (("create", "x", "--type", "user"), "'user' is not a record type"),
        (("create", "x", "--user", "nobody@example.com"), "no active user 'nobody@example.com'"),
        (("create", "12"), "'12' can't be a list's name"),
        (
            ("create", "x", "--filter", '{"custom_fields.Nowhere": 1}'),
            "No lead has a custom field 'Nowhere'",
        ),
        (("show", "x"), "There is no list 'x'"),
        (("count", "import:7"), "There is no run 7"),
        (("delete", "import:7"), "There is no list 'import:7'"),
        (("change", "x"), "say --name, --filter or --sort"),
    ],
)
def test_what_is_wrong_is_a_sentence(here: Home, arguments: tuple[str, ...], words: str) -> None:
    assert words in " ".join(here.run("list", *arguments, fails=2).stderr.split())
