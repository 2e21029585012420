"""evenhand form: pages through which leads come in by themselves."""

from typing import Annotated, Any

import typer

from worker.cli.arguments import Limit
from worker.cli.output import Json, console, facts_list, print_json, print_line, rows, say, table
from worker.domain.intake.forms import USUAL_FIELDS, Field
from worker.flows.intake import forms
from worker.flows.system import system
from worker.settings import LOOPBACK, settings
from worker.store.views.facts import Facts

form = typer.Typer(
    no_args_is_help=True,
    help="Forms: define them, get them onto pages, see what was sent through them.",
)
app = typer.Typer()
app.add_typer(form, name="form")

Name = Annotated[
    str, typer.Argument(help="The last part of its address, or the name if only one has it.")
]
Fields = Annotated[
    list[str],
    typer.Option(
        "--field",
        help='What it asks for, in order, as "Label=name:type*": the type is text, email, tel, url, textarea, select(one|other), checkbox '
        "or number, and the star stands for required. Without any: first name, last name*, email*, company and message.",
    ),
]


@form.command(
    epilog="Example: evenhand form add 'Contact us' --owner Inbound --field 'Last name=last_name*' --field 'Email=email:email*'"
)
def add(
    name: Annotated[str, typer.Argument(help="The heading of its page.")],
    owner: Annotated[str, typer.Option(help="The pool or the user who gets the leads.")],
    field: Fields = [],  # noqa: B006  typer copies it
    slug: Annotated[
        str | None,
        typer.Option(help="The last part of its address; made of the name unless given."),
    ] = None,
    source: Annotated[str | None, typer.Option(help="The source of the leads.")] = None,
    tag: Annotated[list[str], typer.Option(help="A tag of the leads. Repeat it for more.")] = [],  # noqa: B006
    thanks: Annotated[str | None, typer.Option(help="What is said afterwards.")] = None,
    redirect: Annotated[
        str | None, typer.Option(help="The address to go on to afterwards instead.")
    ] = None,
    origin: Annotated[
        list[str],
        typer.Option(
            help="Pages of others that may embed it, such as https://www.example.com. Repeat it for more."
        ),
    ] = [],  # noqa: B006
    json: Json = False,
) -> None:
    """Define a form. Its page is there at once, where the API runs."""
    fields = [Field.parse(text) for text in field] or USUAL_FIELDS
    values = {
        "name": name,
        "owner": owner,
        "slug": slug,
        "fields": fields,
        "source": source,
        "tags": tag,
    }
    more = {"thanks": thanks, "redirect_url": redirect, "origins": origin}
    facts = system().transact(
        lambda session: forms.shown(session, forms.add(session, values | more, None), _base())
    )
    print_json(facts) if json else say(
        f"Defined the form {facts['name']}, which is at {facts['address']}"
    )


@form.command("list", epilog="Example: evenhand form list")
def list_forms(json: Json = False) -> None:
    """List all forms, with their addresses."""
    with system().reading() as session:
        facts = forms.listed(session, _base())
    if json:
        print_json(facts)
    else:
        columns = table("id", "name", "leads go to", "enabled", "address", right=("id",))
        console.print(rows(columns, facts, "id", "name", "owner", "enabled", "address"))


@form.command(epilog="Example: evenhand form show contact-us")
def show(name: Name, json: Json = False) -> None:
    """Show a form: what it asks for, its address, and how to get it onto other pages."""
    with system().reading() as session:
        facts = forms.shown(session, forms.form_named(session, name).id, _base())
    print_json(facts) if json else _print(facts)


def _print(facts: Facts) -> None:
    listed = {name: ", ".join(facts[name]) or None for name in ("tags", "origins")}
    plain = {name: facts[name] for name in ("name", "owner", "enabled", "source", "thanks")}
    console.print(
        facts_list(
            {"address": facts["address"], **plain, **listed, "afterwards": facts["redirect_url"]}
        )
    )
    columns = table("field", "label", "type", "required", "choices")
    console.print(
        rows(
            columns,
            [each | {"choices": ", ".join(each["choices"])} for each in facts["fields"]],
            *_FIELD,
        )
    )
    say("\nThe page in a frame, on pages of the origins that the form allows:")
    print_line(facts["iframe"])
    say("\nA form of your own, which leads on to the page with all that was typed:")
    print_line(facts["html"])


_FIELD = ("name", "label", "type", "required", "choices")


@form.command(epilog="Example: evenhand form enable contact-us")
def enable(name: Name) -> None:
    """Open a form again."""
    _set_enabled(name, True)
    say(f"The form {name} is open.")


@form.command(epilog="Example: evenhand form disable contact-us")
def disable(name: Name) -> None:
    """Close a form: its page says that there is none."""
    _set_enabled(name, False)
    say(f"The form {name} is closed.")


def _set_enabled(name: str, enabled: bool) -> None:
    def change(session: Any) -> None:
        forms.change(session, forms.form_named(session, name).id, {"enabled": enabled})

    system().transact(change)


@form.command(epilog="Example: evenhand form delete contact-us")
def delete(name: Name) -> None:
    """Delete a form, with the list of what was sent through it. Its leads stay."""
    system().transact(lambda session: forms.remove(session, forms.form_named(session, name).id))
    say(f"Deleted the form {name}.")


@form.command("deliveries", epilog="Example: evenhand form deliveries contact-us --limit 10")
def list_deliveries(name: Name, limit: Limit = 50, json: Json = False) -> None:
    """List what was sent through a form within 30 days, newest first, and what became of it."""
    with system().reading() as session:
        facts = forms.delivered(session, forms.form_named(session, name).id, None, limit)[
            "deliveries"
        ]
    if json:
        print_json(facts)
    else:
        told = [each | {"lead": next(iter(each["leads"]), None)} for each in facts]
        columns = table(
            "id",
            "at",
            "outcome",
            "lead",
            "sent again",
            "reason",
            right=("id", "lead", "sent again"),
        )
        console.print(rows(columns, told, "id", "at", "outcome", "lead", "repeats", "reason"))


def _base() -> str:
    return settings().public_url or f"http://{LOOPBACK}:8000"
