"""Lines of HTML that bring a form onto other pages. People copy them."""

from html import escape

from worker.domain.intake.forms import CHECKBOX, SELECT, TEXTAREA, Field, Form

PIXELS = {TEXTAREA: 190, CHECKBOX: 60}
PIXELS_OF_A_LINE, PIXELS_AROUND = 90, 300
"""How high a form is, roughly: a frame doesn't grow with its page."""


def write_iframe(form: Form, address: str) -> str:
    """A frame with the hosted page in it."""
    height = PIXELS_AROUND + sum(PIXELS.get(field.type, PIXELS_OF_A_LINE) for field in form.fields)
    return (
        f'<iframe src="{escape(address)}" title="{escape(form.name)}" '
        f'width="100%" height="{height}" style="border: 0"></iframe>'
    )


def write_form(form: Form, address: str) -> str:
    """A form that leads on to the hosted page with all that was typed."""
    return "\n".join(
        [
            f'<form action="{escape(address)}" method="post">',
            *(f"  {_write_labelled(field)}" for field in form.fields),
            "  <button>Send</button>",
            "</form>",
        ]
    )


def _write_labelled(field: Field) -> str:
    label, control = escape(field.label), _write_control(field)
    inner = f"{control} {label}" if field.type == CHECKBOX else f"{label} {control}"
    return f"<label>{inner}</label>"


def _write_control(field: Field) -> str:
    attributes = f'name="{escape(field.name)}"{" required" if field.required else ""}'
    if field.type == TEXTAREA:
        return f"<textarea {attributes}></textarea>"
    if field.type == SELECT:
        options = "".join(f"<option>{escape(choice)}</option>" for choice in field.choices)
        return f'<select {attributes}><option value=""></option>{options}</select>'
    value = " value=yes" if field.type == CHECKBOX else ""
    return f'<input type="{field.type}" {attributes}{value}>'
