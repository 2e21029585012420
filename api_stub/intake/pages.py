"""The pages that a visitor of a form sees: plain HTML, which loads a style sheet of ours and
nothing else, and runs no script."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from worker.domain.intake import forms
from worker.domain.intake.forms import Field, Form, origin_of
from worker.domain.intake.submissions import at
from worker.domain.storable import replace_unstorable
from worker.errors.records import Fault

TRAP, TOKEN = "homepage", "_token"
"""The fields that are ours: one that nobody sees, under a name that no field of a lead has, and the
form token."""

STYLE = (files("api_stub.intake") / "static" / "form.css").read_text()
STYLE_ADDRESS = f"form.css?v={hashlib.sha256(STYLE.encode()).hexdigest()[:12]}"

AUTOCOMPLETE = {
    "first_name": "given-name",
    "last_name": "family-name",
    "organization_name": "organization",
    "title": "organization-title",
    "email": "email",
    "phone": "tel",
    "mobile": "tel",
    "website": "url",
    "address_line1": "address-line1",
    "address_city": "address-level2",
    "address_state": "address-level1",
    "address_postal_code": "postal-code",
    "address_country": "country-name",
}
"""What a browser knows of its user, by field of a lead."""

INPUT_MODES = {forms.EMAIL: "email", forms.TEL: "tel", forms.URL: "url", forms.NUMBER: "decimal"}

_templates = Environment(
    loader=PackageLoader("api_stub.intake"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Control:
    """A field as it is shown: what stands in it, and what is wrong with that."""

    id: str
    field: Field
    value: str
    fault: str | None

    @property
    def autocomplete(self) -> str | None:
        return AUTOCOMPLETE.get(self.field.name)

    @property
    def mode(self) -> str | None:
        return INPUT_MODES.get(self.field.type)

    @property
    def kind(self) -> str:
        """The type of the input. A number's would drop what is no number before anybody could say
        so."""
        return forms.TEXT if self.field.type == forms.NUMBER else self.field.type

    @property
    def is_ticked(self) -> bool:
        return self.value not in ("", "no")


@dataclass(frozen=True)
class Shown:
    """A form to be filled in: with what was typed before, what is wrong with it, and a word about
    why it is here again."""

    form: Form
    token: str
    typed: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    notice: str = ""

    @property
    def controls(self) -> list[Control]:
        return [self._control(number, each) for number, each in enumerate(self.form.fields, 1)]

    def _control(self, number: int, each: Field) -> Control:
        fault = next((fault.message for fault in self.faults if fault.field == at(each.name)), None)
        return Control(
            f"field-{number}", each, replace_unstorable(str(self.typed.get(each.name, ""))), fault
        )


def form_page(shown: Shown, status: int = 200) -> Response:
    """The form; again, if it was sent and didn't pass."""
    return _page("form.html", shown.form, status, shown=shown, trap=TRAP, token=TOKEN)


def thanks_page(form: Form) -> Response:
    return _page("thanks.html", form, 200, form=form)


def notice_page(title: str, words: str, status: int, form: Form | None = None) -> Response:
    """A page that says why there is no form."""
    return _page("notice.html", form, status, title=title, words=words)


def kept_page(
    words: str, typed: Mapping[str, str], status: int, form: Form | None = None
) -> Response:
    """All that was typed, to be sent again in a while. It needs neither the form nor any server but
    this one."""
    labels = {each.name: each.label for each in form.fields} if form else {}
    lines = [
        (labels.get(name) or name.replace("_", " ").capitalize(), replace_unstorable(value))
        for name, value in typed.items()
        if _is_telling(name, value)
    ]
    hidden = {replace_unstorable(name): replace_unstorable(value) for name, value in typed.items()}
    return _page("kept.html", form, status, words=words, lines=lines, hidden=hidden)


def _is_telling(name: str, value: str) -> bool:
    return bool(value.strip()) and name not in (TRAP, TOKEN)


def _page(template: str, of: Form | None, status: int, **shown: Any) -> Response:
    page = _templates.get_template(template).render(style=STYLE_ADDRESS, **shown)
    return HTMLResponse(page, status, headers(of))


def headers(form: Form | None) -> dict[str, str]:
    """What a browser is told of a page. One of a form may be framed by the form's origins alone;
    one that is of none tells nothing that a frame could abuse."""
    return {
        "Content-Security-Policy": "; ".join(_policy(form)),
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }


def _policy(form: Form | None) -> list[str]:
    onward = (
        origin_of(form.redirect_url) if form and form.redirect_url else None
    )  # browsers hold a redirect for part of the sending
    policy = [
        "default-src 'none'",
        "style-src 'self'",
        "base-uri 'none'",
        f"form-action 'self'{f' {onward}' if onward else ''}",
    ]
    return (
        policy
        if form is None
        else [*policy, f"frame-ancestors {' '.join(form.origins) or chr(39) + 'none' + chr(39)}"]
    )
