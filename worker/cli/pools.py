"""evenhand pool: who shares records, in which order, and who is next."""

from typing import Annotated

import typer
from rich.bar import Bar
from rich.markup import escape
from rich.table import Table

from worker.cli.output import Json, add_rows, console, make_table, print_json, say
from worker.flows.names import find_pool_by_name, find_users_by_name
from worker.flows.system import system
from worker.flows.turns import pools
from worker.flows.unit import Unit
from worker.store.views import pools as views
from worker.store.views.pools import PoolView

pool = typer.Typer(
    no_args_is_help=True, help="Pools: create them, change their members, see who is next."
)
app = typer.Typer()
app.add_typer(pool, name="pool")

PoolName = Annotated[str, typer.Argument(help="The pool's name.")]
MemberNames = Annotated[
    list[str],
    typer.Option(
        "--member", "-m", help="An email address, or a name that only one has. Repeat it for more."
    ),
]

BAR_WIDTH = 32


@pool.command(
    epilog="Example: evenhand pool create Inbound --type lead -m ann@example.com -m bob@example.com"
)
def create(
    name: PoolName,
    type: Annotated[str, typer.Option(help="What it shares: lead, contact or deal.")] = "lead",
    member: MemberNames = [],  # noqa: B006  typer copies it
    json: Json = False,
) -> None:
    """Create a pool. Its first member gets turn 1."""
    pool_id = system().transact(_create, name, type, member)
    _show(pool_id, json, f"Created the pool {name}.")


@pool.command("list", epilog="Example: evenhand pool list")
def list_pools(json: Json = False) -> None:
    """List all pools: who is next after the last entered turn. `pool show` asks the ring."""
    with system().reading() as session:
        shown = views.list_pools(session)
    if json:
        print_json(shown)
    else:
        columns = make_table(
            "id", "name", "shares", "members", "next", "turns", right=("id", "members", "turns")
        )
        console.print(
            add_rows(columns, shown, "id", "name", "record_type", "size", "next", "turns")
        )


@pool.command(epilog="Example: evenhand pool show Inbound")
def show(name: PoolName, json: Json = False) -> None:
    """Show a pool: its members in order, who is next, the turns so far, and how many records each
    has got."""
    with system().reading() as session:
        pool_id = find_pool_by_name(session, name).id
    _show(pool_id, json)


@pool.command(epilog="Example: evenhand pool add Inbound -m cy@example.com")
def add(name: PoolName, member: MemberNames, json: Json = False) -> None:
    """Add members at the end. Who is next stays next."""
    _show(system().transact(_add, name, member), json)


@pool.command(epilog="Example: evenhand pool remove Inbound -m cy@example.com")
def remove(name: PoolName, member: MemberNames, json: Json = False) -> None:
    """Remove members. The rest go on in order, without a hole."""
    _show(system().transact(_remove, name, member), json)


@pool.command(epilog="Example: evenhand pool rename Inbound 'Inbound EMEA'")
def rename(
    name: PoolName, new_name: Annotated[str, typer.Argument(help="What it is to be called.")]
) -> None:
    """Rename a pool."""
    system().transact(_rename, name, new_name)
    say(f"{name} is now called {new_name}.")


@pool.command(epilog="Example: evenhand pool delete Inbound")
def delete(name: PoolName) -> None:
    """Delete a pool. Records keep their owners, and the ledger stays."""
    system().transact(_delete, name)
    say(f"Deleted the pool {name}.")


def _create(unit: Unit, name: str, record_type: str, members: list[str]) -> int:
    return pools.create(unit, name, record_type, find_users_by_name(unit, members), None)


def _add(unit: Unit, name: str, members: list[str]) -> int:
    pool = find_pool_by_name(unit, name)
    pools.add_members(unit, pool.id, find_users_by_name(unit, members), None)
    return pool.id


def _remove(unit: Unit, name: str, members: list[str]) -> int:
    pool = find_pool_by_name(unit, name)
    pools.remove_members(unit, pool.id, find_users_by_name(unit, members), None)
    return pool.id


def _rename(unit: Unit, name: str, new_name: str) -> None:
    pools.rename(unit, find_pool_by_name(unit, name).id, new_name)


def _delete(unit: Unit, name: str) -> None:
    pools.delete(unit, find_pool_by_name(unit, name).id)


def _show(pool_id: int, json: bool, done: str = "") -> None:
    with system().reading() as session:
        shown = pools.show(session, pool_id)
    if json:
        print_json(shown)
        return
    if done:
        say(done)
    following = f", next is {shown.next}" if shown.next else ", without members: nobody is next"
    about = f"shares {shown.record_type}s, {shown.turns:,} turns so far{following}"
    console.print(f"{shown.name}: {about}", markup=False)
    console.print(shares(shown))


def shares(shown: PoolView) -> Table:
    """How many records each member has got, as numbers and bars."""
    made = make_table("", "member", "email", "records", "", right=("", "records"))
    places = [(str(place), member) for place, member in enumerate(shown.members, 1)]
    everybody = [*places, *(("left", member) for member in shown.left)]
    most = max((member.records for _, member in everybody), default=0)
    for place, member in everybody:
        email = escape(member.email or "")
        records = f"{member.records:,}"
        made.add_row(place, escape(member.name), email, records, bar(member.records, most))
    return made


def bar(records: int, most: int) -> Bar:
    """A bar for a member's records. It is full for the member with the most."""
    return Bar(size=max(most, 1), begin=0, end=records, width=BAR_WIDTH, color="green")
