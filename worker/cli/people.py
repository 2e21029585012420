"""evenhand user: who can be given records, who may do what, and by which tokens they come in."""

from typing import Annotated, Any

import typer

from worker.cli.arguments import number
from worker.cli.output import Json, console, print_json, print_line, rows, say, table
from worker.flows.names import user_named
from worker.flows.people import access, people
from worker.flows.system import system
from worker.store.views.facts import all_users, user_facts

user = typer.Typer(
    no_args_is_help=True,
    help="People: add them, say what they may do, give them tokens, deactivate them.",
)
app = typer.Typer()
app.add_typer(user, name="user")

Email = Annotated[str, typer.Argument(help="The email address, or the name if only one has it.")]


@user.command(epilog="Example: evenhand user add 'Ann Lee' ann@example.com")
def add(
    name: Annotated[str, typer.Argument(help="The full name.")],
    email: Annotated[str, typer.Argument(help="The email address, by which the user is known.")],
    admin: Annotated[bool, typer.Option("--admin", help="May do everything.")] = False,
    reassign: Annotated[
        bool, typer.Option("--reassign", help="May change the owners of records.")
    ] = False,
    json: Json = False,
) -> None:
    """Add a person."""
    may = {"is_admin": admin, "can_reassign": reassign}
    facts = system().transact(lambda session: user_facts(people.add(session, name, email, **may)))
    print_json(facts) if json else say(
        f"Added {facts['name']} <{facts['email']}> as user {facts['id']}."
    )


@user.command("list", epilog="Example: evenhand user list --json | jq '.[].email'")
def list_users(json: Json = False) -> None:
    """List everyone."""
    with system().reading() as session:
        facts = all_users(session)
    if json:
        print_json(facts)
    else:
        names = ("id", "name", "email", "is_admin", "can_reassign", "is_active")
        console.print(
            rows(
                table("id", "name", "email", "admin", "may reassign", "active", right=("id",)),
                facts,
                *names,
            )
        )


@user.command(epilog="Example: evenhand user permit ann@example.com --reassign --no-admin")
def permit(
    email: Email,
    admin: Annotated[
        bool | None,
        typer.Option("--admin/--no-admin", help="May do everything.", show_default=False),
    ] = None,
    reassign: Annotated[
        bool | None,
        typer.Option(
            "--reassign/--no-reassign", help="May change the owners of records.", show_default=False
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Say what a person may do. What isn't named stays as it is."""
    if admin is None and reassign is None:
        raise typer.BadParameter("say --admin, --no-admin, --reassign or --no-reassign")
    facts = system().transact(
        lambda session: user_facts(
            people.change(session, email, is_admin=admin, can_reassign=reassign)
        )
    )
    print_json(facts) if json else say(_told(facts))


def _told(facts: dict[str, Any]) -> str:
    if facts["is_admin"]:
        return f"{facts['name']} is an admin, and may do everything."
    return f"{facts['name']} is no admin, and may {'' if facts['can_reassign'] else 'not '}change the owners of records."


@user.command(epilog="Example: evenhand user deactivate ann@example.com")
def deactivate(email: Email, json: Json = False) -> None:
    """Deactivate a person: they leave all pools, keep the records that they own, and come in by
    none of their tokens any more."""
    user, left = system().transact(people.deactivate, email, None)
    facts = user_facts(user) | {"is_active": False, "left": left}
    print_json(facts) if json else say(
        f"Deactivated {user.name}. Left the pools: {', '.join(left) or 'none'}."
    )


# --- tokens ---


@user.command(epilog="Example: evenhand user token ann@example.com --name 'nightly import' > token")
def token(
    email: Email,
    name: Annotated[str, typer.Option("--name", help="What it is for.")],
    json: Json = False,
) -> None:
    """Issue an access token for the HTTP API. It is printed this once, and kept nowhere."""
    issued = system().transact(
        lambda session: access.issue(session, user_named(session, email).id, name)
    )
    print_json({"token": issued.token}) if json else print_line(issued.token)
    say(
        f"This is token {issued.id}, shown this once. Send it as `Authorization: Bearer TOKEN`; `evenhand user revoke {issued.id}` ends it."
    )


@user.command(epilog="Example: evenhand user tokens ann@example.com")
def tokens(email: Email, json: Json = False) -> None:
    """List a person's access tokens: what each is for, and when it was last used."""
    with system().reading() as session:
        facts = access.tokens_of(session, user_named(session, email).id)
    if json:
        print_json(facts)
    else:
        columns = table("id", "name", "issued", "last used", "revoked", right=("id",))
        console.print(
            rows(columns, facts, "id", "name", "created_at", "last_used_at", "revoked_at")
        )


@user.command(epilog="Example: evenhand user revoke 7")
def revoke(token_id: Annotated[int, number("The number of the token.")]) -> None:
    """Revoke an access token: it lets nobody in from now on."""
    system().transact(access.revoke, token_id)
    say(f"Token {token_id} lets nobody in any more.")
