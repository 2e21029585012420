"""evenhand user: who can be given records, what they may do, and their access tokens."""

from typing import Annotated

import typer

from worker.cli.arguments import make_number
from worker.cli.output import Json, add_rows, console, make_table, print_json, print_line, say
from worker.flows.names import find_user_by_name
from worker.flows.people import access, people
from worker.flows.people.access import IssuedToken
from worker.flows.people.people import Deactivated
from worker.flows.system import system
from worker.flows.unit import Unit
from worker.store.views.people import UserView, show_deactivated, show_user, show_users

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
    added = system().transact(people.add, name, email, is_admin=admin, can_reassign=reassign)
    if json:
        print_json(show_user(added))
    else:
        say(f"Added {added.name} <{added.email}> as user {added.id}.")


@user.command("list", epilog="Example: evenhand user list --json | jq '.[].email'")
def list_users(json: Json = False) -> None:
    """List everyone."""
    with system().reading() as session:
        everyone = show_users(session)
    if json:
        print_json(everyone)
    else:
        names = ("id", "name", "email", "is_admin", "can_reassign", "is_active")
        console.print(
            add_rows(
                make_table("id", "name", "email", "admin", "may reassign", "active", right=("id",)),
                everyone,
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
    changed = system().transact(_permit, email, admin, reassign)
    print_json(changed) if json else say(_describe_permissions(changed))


def _permit(unit: Unit, email: str, admin: bool | None, reassign: bool | None) -> UserView:
    user_id = find_user_by_name(unit, email).id
    return show_user(people.change(unit, user_id, is_admin=admin, can_reassign=reassign))


def _describe_permissions(user: UserView) -> str:
    if user.is_admin:
        return f"{user.name} is an admin, and may do everything."
    may = "may" if user.can_reassign else "may not"
    return f"{user.name} is no admin, and {may} change the owners of records."


@user.command(epilog="Example: evenhand user deactivate ann@example.com")
def deactivate(email: Email, json: Json = False) -> None:
    """Deactivate a person: they leave all pools, keep the records that they own, and come in by
    none of their tokens any more."""
    user, left = system().transact(_deactivate, email)
    if json:
        print_json(show_deactivated(user, left))
    else:
        say(f"Deactivated {user.name}. Left the pools: {', '.join(left) or 'none'}.")


def _deactivate(unit: Unit, email: str) -> Deactivated:
    return people.deactivate(unit, find_user_by_name(unit, email).id, None)


# --- tokens ---


@user.command(epilog="Example: evenhand user token ann@example.com --name 'nightly import' > token")
def token(
    email: Email,
    name: Annotated[str, typer.Option("--name", help="What it is for.")],
    json: Json = False,
) -> None:
    """Issue an access token for the HTTP API. It is printed this once, and kept nowhere."""
    issued = system().transact(_issue, email, name)
    print_json({"token": issued.token}) if json else print_line(issued.token)
    say(
        f"This is token {issued.id}, shown this once. Send it as `Authorization: Bearer TOKEN`;"
        f" `evenhand user revoke {issued.id}` ends it."
    )


def _issue(unit: Unit, email: str, name: str) -> IssuedToken:
    return access.issue(unit, find_user_by_name(unit, email).id, name)


@user.command(epilog="Example: evenhand user tokens ann@example.com")
def tokens(email: Email, json: Json = False) -> None:
    """List a person's access tokens: what each is for, and when it was last used."""
    with system().reading() as session:
        issued = access.list_tokens(session, find_user_by_name(session, email).id)
    if json:
        print_json(issued)
    else:
        columns = make_table("id", "name", "issued", "last used", "revoked", right=("id",))
        console.print(
            add_rows(columns, issued, "id", "name", "created_at", "last_used_at", "revoked_at")
        )


@user.command(epilog="Example: evenhand user revoke 7")
def revoke(token_id: Annotated[int, make_number("The number of the token.")]) -> None:
    """Revoke an access token: it lets nobody in from now on."""
    system().transact(access.revoke, token_id)
    say(f"Token {token_id} lets nobody in any more.")
