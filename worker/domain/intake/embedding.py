"""How a form gets onto somebody's own pages: lines of HTML to be copied."""

from html import escape

from worker.domain.intake.forms import CHECKBOX, SELECT, TEXTAREA, Field, Form

PIXELS = {TEXTAREA: 190, CHECKBOX: 60}
PIXELS_OF_A_LINE, PIXELS_AROUND = 90, 300
"""About how high a form is: a frame doesn't grow with what is in it."""


def iframe(form: Form, address: str) -> str:
    """The hosted page in a frame."""
    height = PIXELS_AROUND + sum(PIXELS.get(field.type, PIXELS_OF_A_LINE) for field in form.fields)
    return f'<iframe src="{escape(address)}" title="{escape(form.name)}" width="100%" height="{height}" style="border: 0"></iframe>'


def plain(form: Form, address: str) -> str:
    """A form of one's own, which leads on to the hosted page with all that was typed."""
    lines = (f"  {_labelled(field)}" for field in form.fields)
    return "\n".join(
        [
            f'<form action="{escape(address)}" method="post">',
            *lines,
            "  <button>Send</button>",
            "</form>",
        ]
    )


def _labelled(field: Field) -> str:
    label, control = escape(field.label), _control(field)
    return (
        f"<label>{control} {label}</label>"
        if field.type == CHECKBOX
        else f"<label>{label} {control}</label>"
    )


def _control(field: Field) -> str:
    attributes = f'name="{escape(field.name)}"{" required" if field.required else ""}'
    if field.type == TEXTAREA:
        return f"<textarea {attributes}></textarea>"
    if field.type == SELECT:
        options = "".join(f"<option>{escape(choice)}</option>" for choice in field.choices)
        return f'<select {attributes}><option value=""></option>{options}</select>'
    return (
        f'<input type="{field.type}" {attributes}{" value=yes" if field.type == CHECKBOX else ""}>'
    )
