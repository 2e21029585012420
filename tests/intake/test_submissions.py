"""What was typed into a form: read field by field, or refused where it is wrong."""

from typing import Any

import pytest

from worker.domain.intake.forms import (
    CHECKBOX,
    EMAIL,
    NUMBER,
    SELECT,
    TEL,
    TEXT,
    TEXTAREA,
    URL,
    Field,
)
from worker.domain.intake.submissions import find_unknown, make_pointer, read_submission

LAST, COMPANY = Field("last_name", "Last name"), Field("organization_name", "Company")
NAMED = {"last_name": "Lee"}


def value(kind: str, given: Any, **more: Any) -> str:
    """What is read of a field of that type."""
    reading = read_submission([LAST, Field("x", "X", kind, **more)], NAMED | {"x": given})
    assert reading.faults == []
    return reading.values["x"]


def fault(kind: str, given: Any, **more: Any) -> tuple[str, str]:
    [found] = read_submission([LAST, Field("x", "X", kind, **more)], NAMED | {"x": given}).faults
    assert found.field == "/fields/x"
    return found.code, found.message


@pytest.mark.parametrize(
    ("kind", "given", "read"),
    [
        (TEXT, "  a\r\nb ", "a b"),
        (TEXT, 7, "7"),
        (TEXT, None, ""),
        (TEXT, "<script>", "<script>"),
        (TEXTAREA, " a\r\nb\r\n", "a\nb"),
        (EMAIL, "Ann@Example.COM", "Ann@example.com"),
        (EMAIL, "ann+web@sub.example.co.uk", "ann+web@sub.example.co.uk"),
        (EMAIL, "jörg@müller.de", "jörg@müller.de"),
        (TEL, "+44 (0)20 7946-0018 ext. 12", "+44 (0)20 7946-0018 ext. 12"),
        (URL, "www.example.com/a?b=c", "https://www.example.com/a?b=c"),
        (URL, "HTTP://example.com", "HTTP://example.com"),
        (NUMBER, "-12.50", "-12.50"),
        (NUMBER, 3.5, "3.5"),
        (CHECKBOX, "on", "yes"),
        (CHECKBOX, True, "yes"),
        (CHECKBOX, False, ""),
        (CHECKBOX, None, ""),
    ],
)
def test_a_good_value_is_read_in_the_form_that_is_stored(kind: str, given: Any, read: str) -> None:
    assert value(kind, given) == read


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        (EMAIL, "ann", "X must be an address such as name@example.com."),
        (EMAIL, "ann@", "must be an address"),
        (EMAIL, "ann@localhost", "must be an address"),
        (EMAIL, "ann@example..com", "must be an address"),
        (EMAIL, "a b@example.com", "must be an address"),
        (EMAIL, f"{'a' * 300}@example.com", "must be an address"),
        (EMAIL, "a" * 321, "longer than 320 characters"),
        (TEL, "call me", "must be a number such as"),
        (TEL, "--", "must be a number such as"),
        (URL, "javascript:alert(1)", "must be an address such as www"),
        (URL, "ftp://example.com", "must be an address such as www"),
        (URL, "no host", "must be an address such as www"),
        (NUMBER, "1e5", "must be a number"),
        (NUMBER, "1,5", "must be a number"),
        (NUMBER, float("nan"), "must be a number"),
        (CHECKBOX, "perhaps", "is either ticked or not"),
        (TEXT, "a" * 1001, "longer than 1,000 characters"),
        (TEXTAREA, "a" * 10_001, "longer than 10,000 characters"),
        (TEXT, "a\0b", "holds a character that can't be stored"),
        (TEXT, "\ud800", "holds a character that can't be stored"),
        (TEXT, ["a"], "must be text, a number"),
        (TEXT, {"a": 1}, "must be text, a number"),
    ],
)
def test_a_wrong_value_is_told_with_its_label(kind: str, given: Any, words: str) -> None:
    code, message = fault(kind, given)

    assert code == "incorrect_value"
    assert words in message
    assert message.startswith("X ")


def test_a_select_takes_its_choices_alone() -> None:
    assert value(SELECT, "red", choices=("red", "blue")) == "red"
    assert value(SELECT, "", choices=("red",)) == ""
    assert fault(SELECT, "green", choices=("red", "blue")) == (
        "incorrect_value",
        "X must be one of the choices.",
    )


def test_what_is_required_is_told_as_missing_or_blank() -> None:
    asked = [LAST, Field("x", "X", TEXT, True)]

    assert [(fault.code, fault.message) for fault in read_submission(asked, NAMED).faults] == [
        ("missing", "X is needed.")
    ]
    assert [fault.code for fault in read_submission(asked, NAMED | {"x": "  "}).faults] == ["blank"]
    assert fault(CHECKBOX, False, required=True) == ("blank", "“X” must be ticked.")


def test_a_lead_needs_something_to_be_called_by() -> None:
    asked = [Field("email", "Email", EMAIL), LAST, COMPANY]

    nameless = read_submission(asked, {"email": "ann@example.com"})

    assert [(fault.field, fault.message) for fault in nameless.faults] == [
        ("/fields/last_name", "Last name or Company is needed.")
    ]
    assert read_submission(asked, {"organization_name": "ACME"}).faults == []


def test_all_that_is_wrong_is_told_at_once() -> None:
    asked = [LAST, Field("a", "A", NUMBER), Field("b", "B", TEXT, True)]

    assert [fault.field for fault in read_submission(asked, NAMED | {"a": "x"}).faults] == [
        "/fields/a",
        "/fields/b",
    ]


def test_names_that_the_form_does_not_have_are_left_out_or_told() -> None:
    assert read_submission([LAST], NAMED | {"owner_id": "1"}).values == NAMED
    assert [fault.field for fault in find_unknown([LAST], ["last_name", "a/b", "\ud800"])] == [
        "/fields/a~1b",
        "/fields/?",
    ]
    assert make_pointer("a~b") == "/fields/a~0b"
