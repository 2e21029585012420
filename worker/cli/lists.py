"""evenhand list: saved filters, and the records that they hold."""

import json as json_text
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from worker.cli.output import Json, console, facts_list, print_json, rows, say, table
from worker.errors.lists import BadFilterText
from worker.flows.names import user_named
from worker.flows.records import lists
from worker.flows.system import system
from worker.store.people import users
from worker.store.views.facts import Facts

smart_list = typer.Typer(
    no_args_is_help=True,
    help="Smart lists: saved filters with an order, and the records that they hold.",
)
app = typer.Typer()
app.add_typer(smart_list, name="list")

PER_PAGE = 25

Name = Annotated[str, typer.Argument(help="The name, the id, or import:N for what run N made.")]
FilterText = Annotated[
    str | None,
    typer.Option(
        "--filter",
        help="""Which records, as JSON such as '{"city": "Oslo"}'; @FILE reads a file, - what comes in.""",
    ),
]
Order = Annotated[
    str | None,
    typer.Option(
        "--sort", help="A field, with :asc or :desc after it or without; id unless given."
    ),
]


@smart_list.command(
    epilog="""Example: evenhand list create Oslo --type lead --filter '{"city": "Oslo"}' --sort last_name"""
)
def create(
    name: Annotated[str, typer.Argument(help="By which it is known.")],
    type: Annotated[str, typer.Option(help="What it holds: lead, contact or deal.")] = "lead",
    filter: FilterText = None,
    sort: Order = None,
    user: Annotated[
        str | None,
        typer.Option(help="Whose it is, by email. Without it the list is nobody's, and published."),
    ] = None,
    json: Json = False,
) -> None:
    """Save a list. Without a filter it holds all records of its type."""
    values = {"name": name, "record_type": type, "published": user is None, **_given(filter, sort)}

    def add(session: Any) -> Facts:
        owner_id = None if user is None else user_named(session, user).id
        return lists.shown(session, lists.create(session, values, None, owner_id), None)

    facts = system().transact(add)
    print_json(facts) if json else say(f"Saved the list {facts['name']} as list {facts['id']}.")


@smart_list.command("list", epilog="Example: evenhand list list")
def list_lists(json: Json = False) -> None:
    """List everybody's lists. Each import is one, too, as import:N."""
    with system().reading() as session:
        facts = lists.listed(session, None)
    if json:
        print_json(facts)
    else:
        told = [
            each
            | {"whose": (each["owner"] or {}).get("email"), "asks": json_text.dumps(each["filter"])}
            for each in facts
        ]
        columns = table(
            "id", "name", "type", "whose", "published", "sorted by", "filter", right=("id",)
        )
        console.print(
            rows(columns, told, "id", "name", "record_type", "whose", "published", "order", "asks")
        )


@smart_list.command(epilog="Example: evenhand list show Oslo --page 2; evenhand list show import:1")
def show(
    name: Name,
    page: Annotated[int, typer.Option(min=1, max=1_000_000, help="Which page.")] = 1,
    json: Json = False,
) -> None:
    """Show a list: what it asks for, how many records it holds, and a page of them."""
    with system().reading() as session:
        facts, found = lists.shown(session, name, None), lists.named(session, name, None)
        held = lists.records(session, found, page, PER_PAGE) | {
            "count": lists.count(session, found)
        }
        owners = users.by_id(session, (record["owner_id"] for record in held["records"]))
    if json:
        print_json(facts | held)
        return
    console.print(facts_list(_about(facts)))
    console.print(_records(held["records"], {owner.id: owner.name for owner in owners.values()}))
    say(
        f"{held['count']:,} {found.record_type}s"
        + (f"; --page {held['next']} shows more" if held["next"] else "")
    )


def _about(facts: Facts) -> Facts:
    plain = {
        "name": facts["name"],
        "holds": f"{facts['record_type']}s",
        "filter": json_text.dumps(facts["filter"], ensure_ascii=False),
    }
    return plain | {
        "sorted by": facts["order"],
        "whose": (facts["owner"] or {}).get("email"),
        "published": facts["published"],
    }


def _records(facts: list[Facts], owners: Mapping[int, str]) -> Table:
    """Records by what tells them apart, whatever their type; and whose they are."""
    told = [
        each
        | {"called": _name(each), "email": each.get("email"), "owner": owners[each["owner_id"]]}
        for each in facts
    ]
    return rows(
        table("id", "name", "email", "owner", "created", right=("id",)),
        told,
        "id",
        "called",
        "email",
        "owner",
        "created_at",
    )


def _name(record: Facts) -> str | None:
    person = " ".join(filter(None, (record.get("first_name"), record.get("last_name"))))
    return person or record.get("name") or record.get("organization_name")


@smart_list.command("count", epilog="Example: evenhand list count Oslo")
def count_records(name: Name, json: Json = False) -> None:
    """Count the records that a list holds now."""
    with system().reading() as session:
        found = lists.named(session, name, None)
        number = lists.count(session, found)
    print_json({"count": number}) if json else say(f"{number:,} {found.record_type}s")


@smart_list.command(
    epilog="Example: evenhand list change Oslo --filter @oslo.json --name 'Oslo and around'"
)
def change(
    name: Name,
    new_name: Annotated[str | None, typer.Option("--name", help="Its new name.")] = None,
    filter: FilterText = None,
    sort: Order = None,
    json: Json = False,
) -> None:
    """Change a list's name, filter or order. What isn't named stays as it is."""
    values = _given(filter, sort) | ({} if new_name is None else {"name": new_name})
    if not values:
        raise typer.BadParameter("say --name, --filter or --sort")
    facts = _change(name, values)
    print_json(facts) if json else say(f"Changed the list {facts['name']}.")


@smart_list.command(epilog="Example: evenhand list publish Oslo")
def publish(name: Name, json: Json = False) -> None:
    """Let everybody see a list."""
    facts = _change(name, {"published": True})
    print_json(facts) if json else say(f"The list {facts['name']} is there for everybody.")


@smart_list.command(epilog="Example: evenhand list unpublish Oslo")
def unpublish(name: Name, json: Json = False) -> None:
    """Show a list to nobody any more but whose it is, and admins."""
    facts = _change(name, {"published": False})
    print_json(facts) if json else say(f"The list {facts['name']} is there for everybody no more.")


@smart_list.command(epilog="Example: evenhand list delete Oslo")
def delete(name: Name, json: Json = False) -> None:
    """Delete a list. Its records stay."""

    def remove(session: Any) -> Facts:
        facts = lists.shown(session, lists.saved(session, name, None), None)
        lists.remove(session, facts["id"], None)
        return facts

    facts = system().transact(remove)
    print_json(facts) if json else say(f"Deleted the list {facts['name']}.")


def _change(name: str, values: dict[str, Any]) -> Facts:
    def change(session: Any) -> Facts:
        list_id = lists.saved(session, name, None)
        lists.change(session, list_id, values, None)
        return lists.shown(session, list_id, None)

    return system().transact(change)


def _given(filter: str | None, order: str | None) -> dict[str, Any]:
    given = {} if filter is None else {"filter": _read(filter)}
    return given if order is None else {**given, "order": order}


def _read(text: str) -> Any:
    """The JSON that is given: as it stands, in a file, or on standard input. Raises BadFilterText."""
    try:
        if text == "-":
            return json_text.load(sys.stdin)
        return json_text.loads(
            Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text
        )
    except OSError as error:
        raise BadFilterText(reason=f"{text[1:]}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise BadFilterText(reason=f"it is no JSON ({error})") from None
