"""Paths into JSON: names, which people have stored since before JMESPath, and JMESPath."""

import pytest

from worker.domain.intake.paths import MOST_NAMES, find_text, is_path

CONTENT: dict[str, object] = {
    "a": {"b": "deep", "x.y": "a dot within", "1": "a number as a name", "no": False},
    "x.y": "with a dot",
    "list": ["first", {"c": "second"}],
    "people": [{"name": "Ann", "role": "buyer"}, {"name": "Bob", "role": "boss"}],
    "empty": " ",
    "none": None,
    "Full Name": "Ann Lee",
    "What's up?": "odd",
    "contact[email]": "of a form",
    'q"q': "quoted",
    "a|b": "a bar",
    "wide": "a\0b",
    "ü": "umlaut",
}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.b", "deep"),
        ("x.y", "with a dot"),
        ("a.x.y", "a dot within"),
        ("a.1", "a number as a name"),
        ("a.no", "false"),
        ("list.1.c", "second"),
        ("none|empty|a.b", "deep"),
        ("Full Name", "Ann Lee"),
        ("What's up?", "odd"),
        ("contact[email]", "of a form"),
        ('q"q', "quoted"),
        ("ü", "umlaut"),
        ("wide", "a?b"),
    ],
)
def test_names_lead_to_a_text_whatever_characters_they_hold(path: str, text: str) -> None:
    assert is_path(path)
    assert find_text(CONTENT, path) == text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("none || a.b", "deep"),
        ("list[1].c", "second"),
        ('"a|b"', "a bar"),
        ("people[?role=='boss'].name", "Bob"),
        ("people[*].name | [0]", "Ann"),
        ("join(' ', people[*].name)", "Ann Bob"),
    ],
)
def test_jmespath_leads_to_a_text(path: str, text: str) -> None:
    assert is_path(path)
    assert find_text(CONTENT, path) == text


@pytest.mark.parametrize(
    "path", ["nothing", "a", "a.b.c", "list.9", "list.x", "length(none)", "people[9]", "none || b"]
)
def test_a_path_may_lead_to_no_text(path: str) -> None:
    assert is_path(path)
    assert find_text(CONTENT, path) is None


@pytest.mark.parametrize(
    "path", ["", "|", ".", "a.", "a..b", "a|", "a ||", "||", "1" + ".1" * MOST_NAMES]
)
def test_what_is_no_path_is_refused(path: str) -> None:
    assert not is_path(path)
