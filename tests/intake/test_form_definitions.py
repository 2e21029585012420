"""Definitions of forms: what is taken, in which form, and what is refused with a reason."""

from typing import Any, cast

import pytest

from worker.domain.intake.embedding import write_form, write_iframe
from worker.domain.intake.forms import (
    USUAL_FIELDS,
    Field,
    Form,
    FormValues,
    make_slug,
    normalize,
    read_origin,
)
from worker.errors.intake import BadForm

LAST = Field("last_name", "Last name")


def fields(*given: Field) -> tuple[Field, ...]:
    normal = normalize({"fields": given})["fields"]
    assert isinstance(normal, tuple)
    return normal


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("Last name=last_name", Field("last_name", "Last name", "")),
        ("Email=email:email*", Field("email", "Email", "email", True)),
        (" Surname = surname* ", Field(" surname", "Surname ", "", True)),
        (
            "Size=Team size:select(1-10| 11-50 |more)*",
            Field("Team size", "Size", "select", True, ("1-10", "11-50", "more")),
        ),
    ],
)
def test_a_field_is_written_in_one_line(text: str, field: Field) -> None:
    assert Field.parse(text) == field


@pytest.mark.parametrize(
    "text",
    ["", "Email", "=email", "Email=", "Email=email:", "Email=email:email**", "Size=size:select(a"],
)
def test_what_is_no_field_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadForm, match=r"Email=email:email\*"):
        Field.parse(text)


def test_a_field_means_that_of_a_lead_by_any_of_its_names_and_has_its_usual_type() -> None:
    taken = fields(
        Field("Surname", "Name", ""),
        Field("E-Mail", "Email", ""),
        Field("notes", "Message", ""),
        Field("Colour", "Colour", ""),
    )

    assert [(field.name, field.type) for field in taken] == [
        ("last_name", "text"),
        ("email", "email"),
        ("description", "textarea"),
        ("Colour", "text"),
    ]


def test_the_usual_fields_are_fields() -> None:
    assert fields(*USUAL_FIELDS) == USUAL_FIELDS


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([Field("email", "Email")], "needs one of last_name and organization_name"),
        ([], "needs one of last_name"),
        ([LAST, Field("surname", "Surname")], "two of its fields are last_name"),
        ([LAST, Field("tags", "Tags")], "no field can be called tags"),
        ([LAST, Field("custom_fields", "Any")], "no field can be called custom_fields"),
        ([LAST, Field("_token", "Token")], "begins with no underscore"),
        ([LAST, Field("colour", " ")], "needs a label"),
        ([LAST, Field(" ", "Colour")], "needs a label"),
        ([LAST, Field("colour", "Colour", "colour")], "can't be a colour; it may be text, email"),
        ([LAST, Field("colour", "Colour", "select")], "a select has 1 to 200 choices"),
        ([LAST, Field("colour", "Colour", "text", choices=("red",))], "nothing else has any"),
        ([LAST, Field("a\0b", "Colour")], "is one line"),
        ([LAST, Field("colour", "Col\nour")], "is one line"),
        ([LAST, Field("colour", "C" * 201)], "at most 200 characters"),
        ([LAST, *(Field(f"f{number}", "F") for number in range(50))], "more than 50 fields"),
    ],
)
def test_fields_that_make_no_form_are_refused(given: list[Field], words: str) -> None:
    with pytest.raises(BadForm, match=words):
        fields(*given)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Contact us", "contact-us"),
        ("  Größe & Maß! ", "groe-ma"),
        ("Été 2026", "ete-2026"),
        ("a" * 100, "a" * 80),
    ],
)
def test_a_slug_is_made_of_a_name(name: str, slug: str) -> None:
    assert make_slug(name).startswith(slug[:3])
    assert normalize({"slug": make_slug(name)}) == {"slug": make_slug(name)}


def test_a_name_of_which_no_address_can_be_made_wants_a_slug() -> None:
    with pytest.raises(BadForm, match="give it a slug"):
        make_slug("お問い合わせ")


@pytest.mark.parametrize(
    ("what", "value", "words"),
    [
        ("name", " ", "needs a name"),
        ("slug", "a b", "single hyphens"),
        ("slug", "-a", "single hyphens"),
        ("slug", "a" * 81, "at most 80"),
        ("redirect_url", "javascript:alert(1)", "must begin with https://"),
        ("redirect_url", "//example.com", "must begin with https://"),
        ("redirect_url", "https:///x", "must begin with https://"),
        ("redirect_url", "https://example.com/\r\nSet-Cookie: a=b", "must begin with https://"),
        ("origins", ["https://example.com/path"], "must look like"),
        ("origins", ["https://*.example.com"], "must look like"),
        ("origins", ["https://a.com; script-src *"], "must look like"),
        ("origins", ["null"], "must look like"),
        ("origins", ["https://example.com:99999"], "must look like"),
        ("origins", [f"https://a{number}.com" for number in range(21)], "more than 20 origins"),
        ("tags", [f"t{number}" for number in range(21)], "more than 20 tags"),
        ("thanks", "x" * 2001, "longer than 2000"),
        ("thanks", "\0", "no database stores"),
        ("source", "a\nb", "is one line"),
    ],
)
def test_what_is_wrong_with_a_definition_is_told(what: str, value: Any, words: str) -> None:
    with pytest.raises(BadForm, match=words):
        normalize(cast("FormValues", {what: value}))


def test_a_definition_is_stored_in_one_form() -> None:
    given: FormValues = {
        "name": " Web ",
        "slug": " Web-1 ",
        "source": " ",
        "tags": [" a", "a", ""],
        "thanks": "",
        "redirect_url": " https://a.com/x ",
    }

    given["origins"], given["enabled"] = ["https://A.com/", "http://localhost:8080"], False

    taken = normalize(given)

    assert taken == {
        "name": "Web",
        "slug": "web-1",
        "source": None,
        "tags": ["a"],
        "thanks": None,
        "redirect_url": "https://a.com/x",
        "origins": ["https://a.com", "http://localhost:8080"],
        "enabled": False,
    }


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://Example.com/a?b#c", "https://example.com"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
        ("https://user@example.com:8443/", "https://example.com:8443"),
        ("ftp://example.com", None),
        ("https://exa mple.com", None),
        ("https://[::1", None),
    ],
)
def test_an_origin_is_scheme_host_and_port(address: str, origin: str | None) -> None:
    assert read_origin(address) == origin


def test_lines_to_be_copied_bear_hostile_names_as_text() -> None:
    asked = (
        Field('"><script>', "<b>Last</b>", "text", True),
        Field("c", "&", "select", choices=("<i>",)),
        Field("t", "T", "textarea"),
        Field("x", "X", "checkbox"),
    )
    form = Form(1, "web", '"Web"', 1, None, (), True, asked, None, None, ())

    lines = write_iframe(form, "https://a.com/forms/web") + write_form(
        form, "https://a.com/forms/web"
    )

    assert 'title="&quot;Web&quot;"' in lines
    assert "<script>" not in lines
    assert "<b>" not in lines
    assert "<option>&lt;i&gt;</option>" in lines
