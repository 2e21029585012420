"""evenhand user: who can be given records."""

from typing import Annotated

import typer

from worker.cli.output import Json, console, print_json, rows, say, table
from worker.flows import people
from worker.flows.system import system
from worker.store.views import all_users, user_facts

user = typer.Typer(no_args_is_help=True, help="People: add them, list them, deactivate them.")
app = typer.Typer()
app.add_typer(user, name="user")


@user.command(epilog="Example: evenhand user add 'Ann Lee' ann@example.com")
def add(
    name: Annotated[str, typer.Argument(help="The full name.")],
    email: Annotated[str, typer.Argument(help="The email address, by which the user is known.")],
    admin: Annotated[bool, typer.Option("--admin", help="May manage pools and users.")] = False,
    json: Json = False,
) -> None:
    """Add a person."""
    facts = system().transact(lambda session: user_facts(people.add(session, name, email, is_admin=admin)))
    print_json(facts) if json else say(f"Added {facts['name']} <{facts['email']}> as user {facts['id']}.")


@user.command("list", epilog="Example: evenhand user list --json | jq '.[].email'")
def list_users(json: Json = False) -> None:
    """List everyone."""
    with system().reading() as session:
        facts = all_users(session)
    if json:
        print_json(facts)
    else:
        names = ("id", "name", "email", "is_admin", "is_active")
        console.print(rows(table("id", "name", "email", "admin", "active", right=("id",)), facts, *names))


@user.command(epilog="Example: evenhand user deactivate ann@example.com")
def deactivate(
    email: Annotated[str, typer.Argument(help="The email address, or the name if only one has it.")], json: Json = False
) -> None:
    """Deactivate a person: they leave all pools, and keep the records that they own."""
    user, left = system().transact(lambda session: people.deactivate(session, system().ring, email, None))
    facts = user_facts(user) | {"is_active": False, "left": left}
    print_json(facts) if json else say(f"Deactivated {user.name}. Left the pools: {', '.join(left) or 'none'}.")
