"""evenhand form: pages through which leads come in by themselves."""

from dataclasses import asdict
from typing import Annotated

import typer

from worker.cli.arguments import Limit
from worker.cli.output import (
    Json,
    add_rows,
    console,
    list_fields,
    make_table,
    print_json,
    print_line,
    say,
)
from worker.domain.intake.forms import USUAL_FIELDS, Field, FormValues
from worker.flows.intake import forms
from worker.flows.names import find_owner_by_name
from worker.flows.system import system
from worker.flows.unit import Unit
from worker.settings import LOOPBACK, settings
from worker.store.views.intake import FormView, list_forms

form = typer.Typer(
    no_args_is_help=True,
    help="Forms: define them, get them onto pages, see what was sent through them.",
)
app = typer.Typer()
app.add_typer(form, name="form")

FormName = Annotated[
    str, typer.Argument(help="The last part of its address, or the name if only one has it.")
]
TagOptions = Annotated[list[str], typer.Option(help="A tag of the leads. Repeat it for more.")]
FieldOptions = Annotated[
    list[str],
    typer.Option(
        "--field",
        help='What it asks for, in order, as "Label=name:type*": the type is text, email, tel, '
        "url, textarea, select(one|other), checkbox or number, and the star stands for required. "
        "Without any: first name, last name*, email*, company and message.",
    ),
]


@form.command(
    epilog="Example: evenhand form add 'Contact us' --owner Inbound "
    "--field 'Last name=last_name*' --field 'Email=email:email*'"
)
def add(
    name: Annotated[str, typer.Argument(help="The heading of its page.")],
    owner: Annotated[str, typer.Option(help="The pool or the user who gets the leads.")],
    field: FieldOptions = [],  # noqa: B006  typer copies it
    slug: Annotated[
        str | None,
        typer.Option(help="The last part of its address; made of the name unless given."),
    ] = None,
    source: Annotated[str | None, typer.Option(help="The source of the leads.")] = None,
    tag: TagOptions = [],  # noqa: B006  typer copies it
    thanks: Annotated[str | None, typer.Option(help="What is said afterwards.")] = None,
    redirect: Annotated[
        str | None, typer.Option(help="The address to go on to afterwards instead.")
    ] = None,
    origin: Annotated[
        list[str],
        typer.Option(
            help="Pages of others that may embed it, such as https://www.example.com. "
            "Repeat it for more."
        ),
    ] = [],  # noqa: B006
    json: Json = False,
) -> None:
    """Define a form. Its page is there at once, where the API runs."""
    values = FormValues(
        name=name,
        slug=slug,
        fields=[Field.parse(text) for text in field] or USUAL_FIELDS,
        source=source,
        tags=tag,
        thanks=thanks,
        redirect_url=redirect,
        origins=origin,
    )
    view = system().transact(_add, owner, values)
    print_json(view) if json else say(f"Defined the form {view.name}, which is at {view.address}")


def _add(unit: Unit, owner: str, values: FormValues) -> FormView:
    owner_id = find_owner_by_name(unit, owner).id
    return forms.show(unit, forms.add(unit, {**values, "owner_id": owner_id}), _find_base())


@form.command("list", epilog="Example: evenhand form list")
def list_all(json: Json = False) -> None:
    """List all forms, with their addresses."""
    with system().reading() as unit:
        views = list_forms(unit, _find_base())
    if json:
        print_json(views)
    else:
        columns = make_table("id", "name", "leads go to", "enabled", "address", right=("id",))
        console.print(add_rows(columns, views, "id", "name", "owner", "enabled", "address"))


@form.command(epilog="Example: evenhand form show contact-us")
def show(name: FormName, json: Json = False) -> None:
    """Show a form: what it asks for, its address, and how to get it onto other pages."""
    with system().reading() as unit:
        view = forms.show(unit, forms.find_by_name(unit, name).id, _find_base())
    print_json(view) if json else _print(view)


def _print(view: FormView) -> None:
    plain = ("address", "name", "owner", "enabled", "source", "thanks")
    facts = {name: getattr(view, name) for name in plain} | {
        "tags": ", ".join(view.tags) or None,
        "origins": ", ".join(view.origins) or None,
        "afterwards": view.redirect_url,
    }
    console.print(list_fields(facts))
    columns = ("field", "label", "type", "required", "choices")
    fields = [asdict(field) | {"choices": ", ".join(field.choices)} for field in view.fields]
    console.print(add_rows(make_table(*columns), fields, "name", *columns[1:]))
    say("\nThe page in a frame, on pages of the origins that the form allows:")
    print_line(view.iframe)
    say("\nA form of your own, which leads on to the page with all that was typed:")
    print_line(view.html)


@form.command(epilog="Example: evenhand form enable contact-us")
def enable(name: FormName) -> None:
    """Open a form again."""
    system().transact(_set_enabled, name, True)
    say(f"The form {name} is open.")


@form.command(epilog="Example: evenhand form disable contact-us")
def disable(name: FormName) -> None:
    """Close a form: its page says that there is none."""
    system().transact(_set_enabled, name, False)
    say(f"The form {name} is closed.")


def _set_enabled(unit: Unit, name: str, enabled: bool) -> None:
    forms.change(unit, forms.find_by_name(unit, name).id, {"enabled": enabled})


@form.command(epilog="Example: evenhand form delete contact-us")
def delete(name: FormName) -> None:
    """Delete a form, with the list of what was sent through it. Its leads stay."""
    system().transact(_remove, name)
    say(f"Deleted the form {name}.")


def _remove(unit: Unit, name: str) -> None:
    forms.remove(unit, forms.find_by_name(unit, name).id)


@form.command("deliveries", epilog="Example: evenhand form deliveries contact-us --limit 10")
def list_deliveries(name: FormName, limit: Limit = 50, json: Json = False) -> None:
    """List what was sent through a form within 30 days, newest first, and what became of it."""
    with system().reading() as unit:
        form_id = forms.find_by_name(unit, name).id
        deliveries = forms.list_deliveries(unit, form_id, None, limit).deliveries
    if json:
        print_json(deliveries)
        return
    shown = [asdict(each) | {"lead": next(iter(each.leads), None)} for each in deliveries]
    columns = ("id", "at", "outcome", "lead", "sent again", "reason")
    made = make_table(*columns, right=("id", "lead", "sent again"))
    console.print(add_rows(made, shown, "id", "at", "outcome", "lead", "repeats", "reason"))


def _find_base() -> str:
    return settings().public_url or f"http://{LOOPBACK}:8000"
