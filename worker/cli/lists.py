"""evenhand list: saved filters, and the records that they hold."""

import json as json_text
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from worker.cli.output import Json, add_rows, console, list_fields, make_table, print_json, say
from worker.domain.resources import ResourceBody
from worker.errors.lists import BadFilterText
from worker.flows.names import find_user_by_name
from worker.flows.records import lists
from worker.flows.records.list_names import find_by_id, find_list, find_saved_id, find_visible
from worker.flows.records.lists import ListValues
from worker.flows.system import system
from worker.flows.unit import Unit
from worker.store.views.lists import (
    SmartListView,
    count_records,
    show_list,
    show_lists,
    show_records,
)
from worker.store.views.who import find_people

smart_list = typer.Typer(
    no_args_is_help=True,
    help="Smart lists: saved filters with an order, and the records that they hold.",
)
app = typer.Typer()
app.add_typer(smart_list, name="list")

PER_PAGE = 25

SmartListName = Annotated[
    str, typer.Argument(help="The name, the id, or import:N for what run N made.")
]
FilterOption = Annotated[
    str | None,
    typer.Option(
        "--filter",
        help='Which records, as JSON such as \'{"city": "Oslo"}\'; @FILE reads a file,'
        " - what comes in.",
    ),
]
SortOption = Annotated[
    str | None,
    typer.Option(
        "--sort", help="A field, with :asc or :desc after it or without; id unless given."
    ),
]


@smart_list.command(
    epilog="Example: evenhand list create Oslo --type lead"
    ' --filter \'{"city": "Oslo"}\' --sort last_name'
)
def create(
    name: Annotated[str, typer.Argument(help="By which it is known.")],
    type: Annotated[str, typer.Option(help="What it holds: lead, contact or deal.")] = "lead",
    filter: FilterOption = None,
    sort: SortOption = None,
    user: Annotated[
        str | None,
        typer.Option(help="Whose it is, by email. Without it the list is nobody's, and published."),
    ] = None,
    json: Json = False,
) -> None:
    """Save a list. Without a filter it holds all records of its type."""
    values = ListValues(name, _read_json(filter), sort, published=user is None)
    saved = system().transact(_create, type, values, user)
    print_json(saved) if json else say(f"Saved the list {saved.name} as list {saved.id}.")


def _create(unit: Unit, record_type: str, values: ListValues, user: str | None) -> SmartListView:
    owner_id = None if user is None else find_user_by_name(unit, user).id
    list_id = lists.create(unit, record_type, values, None, owner_id)
    return show_list(unit, find_by_id(unit, list_id, None))


@smart_list.command("list", epilog="Example: evenhand list list")
def list_lists(json: Json = False) -> None:
    """List everybody's lists. Each import is one, too, as import:N."""
    with system().reading() as session:
        everything = show_lists(session, find_visible(session, None))
    if json:
        print_json(everything)
    else:
        told = [_describe(each) | {"filter": json_text.dumps(each.filter)} for each in everything]
        columns = make_table(
            "id", "name", "type", "whose", "published", "sorted by", "filter", right=("id",)
        )
        console.print(
            add_rows(
                columns, told, "id", "name", "type", "whose", "published", "sorted by", "filter"
            )
        )


@smart_list.command(epilog="Example: evenhand list show Oslo --page 2; evenhand list show import:1")
def show(
    name: SmartListName,
    page: Annotated[int, typer.Option(min=1, max=1_000_000, help="Which page.")] = 1,
    json: Json = False,
) -> None:
    """Show a list: what it asks for, how many records it holds, and a page of them."""
    with system().reading() as session:
        found = find_list(session, name, None)
        view, held = show_list(session, found), show_records(session, found, page, PER_PAGE)
        total = count_records(session, found).count
        owners = find_people(session, (record["owner_id"] for record in held.records))
    if json:
        print_json({**asdict(view), "records": held.records, "next": held.next, "count": total})
        return
    description = _describe(view)
    about = {"name": view.name, "holds": f"{view.record_type}s", "filter": description["filter"]}
    rest = ("sorted by", "whose", "published")
    console.print(list_fields(about | {name: description[name] for name in rest}))
    names = {user_id: owner.name for user_id, owner in owners.items()}
    console.print(_tabulate(held.records, names))
    more = f"; --page {held.next} shows more" if held.next else ""
    say(f"{total:,} {found.record_type}s{more}")


def _describe(view: SmartListView) -> dict[str, object]:
    return {
        "id": view.id,
        "name": view.name,
        "type": str(view.record_type),
        "whose": view.owner.email if view.owner else None,
        "published": view.published,
        "sorted by": view.order,
        "filter": json_text.dumps(view.filter, ensure_ascii=False),
    }


def _tabulate(records: list[ResourceBody], owners: Mapping[int | None, str]) -> Table:
    """Makes a table of records of any type: the fields that tell them apart, and their owners."""
    told = [
        each
        | {"called": _name(each), "email": each.get("email"), "owner": owners[each["owner_id"]]}
        for each in records
    ]
    return add_rows(
        make_table("id", "name", "email", "owner", "created", right=("id",)),
        told,
        "id",
        "called",
        "email",
        "owner",
        "created_at",
    )


def _name(record: ResourceBody) -> str | None:
    person = " ".join(filter(None, (record.get("first_name"), record.get("last_name"))))
    return person or record.get("name") or record.get("organization_name")


@smart_list.command("count", epilog="Example: evenhand list count Oslo")
def count(name: SmartListName, json: Json = False) -> None:
    """Count the records that a list holds now."""
    with system().reading() as session:
        found = find_list(session, name, None)
        held = count_records(session, found)
    print_json(held) if json else say(f"{held.count:,} {found.record_type}s")


@smart_list.command(
    epilog="Example: evenhand list change Oslo --filter @oslo.json --name 'Oslo and around'"
)
def change(
    name: SmartListName,
    new_name: Annotated[str | None, typer.Option("--name", help="Its new name.")] = None,
    filter: FilterOption = None,
    sort: SortOption = None,
    json: Json = False,
) -> None:
    """Change a list's name, filter or order. What isn't named stays as it is."""
    if new_name is None and filter is None and sort is None:
        raise typer.BadParameter("say --name, --filter or --sort")
    changed = system().transact(_change, name, ListValues(new_name, _read_json(filter), sort))
    print_json(changed) if json else say(f"Changed the list {changed.name}.")


@smart_list.command(epilog="Example: evenhand list publish Oslo")
def publish(name: SmartListName, json: Json = False) -> None:
    """Let everybody see a list."""
    changed = system().transact(_change, name, ListValues(published=True))
    print_json(changed) if json else say(f"The list {changed.name} is there for everybody.")


@smart_list.command(epilog="Example: evenhand list unpublish Oslo")
def unpublish(name: SmartListName, json: Json = False) -> None:
    """Hide a list from everybody but its owner and admins."""
    changed = system().transact(_change, name, ListValues(published=False))
    print_json(changed) if json else say(f"The list {changed.name} is there for everybody no more.")


@smart_list.command(epilog="Example: evenhand list delete Oslo")
def delete(name: SmartListName, json: Json = False) -> None:
    """Delete a list. Its records stay."""
    removed = system().transact(_remove, name)
    print_json(removed) if json else say(f"Deleted the list {removed.name}.")


def _remove(unit: Unit, name: str) -> SmartListView:
    list_id = find_saved_id(unit, name, None)
    removed = show_list(unit, find_by_id(unit, list_id, None))
    lists.remove(unit, list_id, None)
    return removed


def _change(unit: Unit, name: str, values: ListValues) -> SmartListView:
    list_id = find_saved_id(unit, name, None)
    lists.change(unit, list_id, values, None)
    return show_list(unit, find_by_id(unit, list_id, None))


def _read_json(text: str | None) -> object:
    """The JSON of an option: as it stands, in a file, or on standard input. Raises
    BadFilterText."""
    if text is None:
        return None
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
