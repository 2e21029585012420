"""The pages that a visitor of a form sees: plain HTML, which loads our style sheet and nothing
else, and runs no script."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files

from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from worker.domain.intake import forms
from worker.domain.intake.forms import Field, Form, read_origin
from worker.domain.intake.submissions import make_pointer
from worker.domain.storable import replace_unstorable
from worker.errors.records import Fault

TRAP, TOKEN = "homepage", "_token"
"""Our own fields: a hidden one, under a name that no field of a lead has, and the form token."""

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
"""The values that a browser can fill in by itself, by field of a lead."""

INPUT_MODES = {forms.EMAIL: "email", forms.TEL: "tel", forms.URL: "url", forms.NUMBER: "decimal"}

_templates = Environment(
    loader=PackageLoader("api_stub.intake"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Control:
    """A field as the page shows it, with its value and the fault of the value."""

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
        """The type of the input. The type `number` would drop a wrong value before the visitor
        could be told."""
        return forms.TEXT if self.field.type == forms.NUMBER else self.field.type

    @property
    def is_ticked(self) -> bool:
        return self.value not in ("", "no")


@dataclass(frozen=True, slots=True)
class BlankForm:
    """A form, ready to fill in."""

    form: Form
    token: str
    typed: Mapping[str, str] = field(default_factory=dict)
    """The value that was typed before."""
    faults: tuple[Fault, ...] = ()
    """The fault of the value."""
    notice: str = ""
    """Why the form is shown again."""

    @property
    def controls(self) -> list[Control]:
        messages = {fault.field: fault.message for fault in reversed(self.faults)}
        return [
            Control(
                f"field-{number}",
                each,
                replace_unstorable(self.typed.get(each.name, "")),
                messages.get(make_pointer(each.name)),
            )
            for number, each in enumerate(self.form.fields, 1)
        ]


def render_form(shown: BlankForm, status: int = 200) -> Response:
    """The page with the form."""
    return _render("form.html", shown.form, status, shown=shown, trap=TRAP, token=TOKEN)


def render_thanks(form: Form) -> Response:
    """The page after a form was sent."""
    return _render("thanks.html", form, 200, form=form)


def render_notice(title: str, words: str, status: int, form: Form | None = None) -> Response:
    """A page that says why there is no form."""
    return _render("notice.html", form, status, title=title, words=words)


def render_kept(
    words: str, typed: Mapping[str, str], status: int, form: Form | None = None
) -> Response:
    """A page with all values, so that the visitor can send them again later. It needs neither the
    form nor any server but this one."""
    labels = {each.name: each.label for each in form.fields} if form else {}
    lines = [
        (labels.get(name) or name.replace("_", " ").capitalize(), replace_unstorable(value))
        for name, value in typed.items()
        if value.strip() and name not in (TRAP, TOKEN)
    ]
    hidden = {replace_unstorable(name): replace_unstorable(value) for name, value in typed.items()}
    return _render("kept.html", form, status, words=words, lines=lines, hidden=hidden)


def _render(template: str, of: Form | None, status: int, **shown: object) -> Response:
    page = _templates.get_template(template).render(style=STYLE_ADDRESS, **shown)
    return HTMLResponse(page, status, make_page_headers(of))


def make_page_headers(form: Form | None) -> dict[str, str]:
    """The security headers of a page. Only the form's origins may frame a page of a form; a page
    without a form holds nothing that a frame could abuse."""
    return {
        "Content-Security-Policy": "; ".join(_list_policy(form)),
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }


def _list_policy(form: Form | None) -> list[str]:
    redirect_url = form.redirect_url if form else None
    onward = read_origin(redirect_url) if redirect_url else None
    policy = [
        "default-src 'none'",
        "style-src 'self'",
        "base-uri 'none'",
        # browsers take a redirect for part of the sending
        f"form-action 'self'{f' {onward}' if onward else ''}",
    ]
    if form is not None:
        policy.append(f"frame-ancestors {' '.join(form.origins) or chr(39) + 'none' + chr(39)}")
    return policy
