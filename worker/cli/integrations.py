"""evenhand integration: through which others' systems bring in leads, and what they delivered."""

import os
import sys
from typing import Annotated, Any

import typer

from worker.cli.arguments import Limit, number
from worker.cli.output import Json, console, facts_list, print_json, rows, say, table
from worker.domain.intake.mapping import paths_of
from worker.domain.storable import GREATEST
from worker.errors.intake import BadSecret
from worker.flows.intake import deliveries as flow
from worker.flows.intake import integrations
from worker.flows.system import system
from worker.secret_box import secret_box
from worker.settings import settings
from worker.store.intake import deliveries
from worker.store.intake import integrations as store

integration = typer.Typer(
    no_args_is_help=True, help="Webhooks: others' systems that bring in leads."
)
app = typer.Typer()
app.add_typer(integration, name="integration")

STDIN, FROM_ENVIRONMENT = "-", "env:"
HOW = "`-` reads it from standard input, `env:NAME` from the environment: then nobody sees it in the list of processes."

Named = Annotated[str, typer.Argument(help="The name or the slug.")]
Secret = Annotated[str, typer.Option(help=f"What the sender signs with, or shows. {HOW}")]
Token = Annotated[
    str | None,
    typer.Option(help=f"HubSpot: by which contacts are fetched. {HOW}", show_default=False),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(help="HubSpot: where its API is, if not at the usual place.", show_default=False),
]
Tag = Annotated[
    list[str] | None,
    typer.Option(help="What its leads are tagged with. Repeat it for more.", show_default=False),
]
Source = Annotated[str | None, typer.Option(help="The source of its leads.", show_default=False)]
Map = Annotated[
    list[str] | None,
    typer.Option(
        help="Where a field is: 'last_name=detail.name'. Repeat it for more.", show_default=False
    ),
]


def told(secret: str) -> str:
    """A secret that was given, or where it is. Raises BadSecret for one that is not there."""
    if secret == STDIN:
        secret = sys.stdin.readline().strip()
    elif secret.startswith(FROM_ENVIRONMENT):
        secret = os.environ.get(secret.removeprefix(FROM_ENVIRONMENT), "")
    if not secret:
        raise BadSecret(reason="is empty where it should be read")
    return secret


def _given(**options: Any) -> dict[str, Any]:
    """The options that were named."""
    named = {name: value for name, value in options.items() if value is not None}
    if named.get("access_token"):
        named["access_token"] = told(named["access_token"])
    return named | ({"mapping": paths_of(named["mapping"])} if "mapping" in named else {})


@integration.command(
    epilog="Example: evenhand integration add 'Support desk' --kind zendesk-support --secret - --owner Inbound"
)
def add(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    kind: Annotated[
        str, typer.Option(help="hubspot, zendesk-support, zendesk-chat, zapier or standard.")
    ],
    secret: Secret,
    owner: Annotated[
        str, typer.Option(help="Who gets the leads: a pool of leads, or a user by email or name.")
    ],
    slug: Annotated[
        str | None,
        typer.Option(
            help="The last part of its address; made of the name unless given.", show_default=False
        ),
    ] = None,
    tag: Tag = None,
    source: Source = None,
    map: Map = None,
    access_token: Token = None,
    base_url: BaseUrl = None,
    json: Json = False,
) -> None:
    """Set up an integration. It prints the address to which its sender posts."""
    given = _given(
        name=name,
        owner=owner,
        tags=tag,
        source=source,
        mapping=map,
        access_token=access_token,
        base_url=base_url,
    )
    secret = told(secret)
    facts = system().transact(integrations.add, secret_box(), kind, secret, given, slug)
    print_json(facts) if json else say(
        f"Set up {facts['name']}: its sender posts to {_address(facts)}."
    )


def _address(facts: dict[str, Any]) -> str:
    return f"{settings().public_url or ''}{facts['path']}"


@integration.command("list", epilog="Example: evenhand integration list")
def list_integrations(json: Json = False) -> None:
    """List integrations."""
    with system().reading() as session:
        facts = store.every(session)
    columns = ("id", "name", "kind", "owner", "path", "enabled")
    print_json(facts) if json else console.print(
        rows(table(*columns, right=("id",)), facts, *columns)
    )


@integration.command(epilog="Example: evenhand integration show 'Support desk'")
def show(name: Named, json: Json = False) -> None:
    """Show an integration without its secrets, and of which leads more is still to be fetched."""
    with system().reading() as session:
        facts = integrations.show(session, name)
    if json:
        print_json(facts)
        return
    lookups = facts.pop("lookups")
    paths = ", ".join(f"{field}={path}" for field, path in facts["mapping"].items())
    console.print(facts_list(facts | {"tags": ", ".join(facts["tags"]), "mapping": paths}))
    if lookups:
        columns = ("lead", "object_id", "due_at", "tries", "set_aside", "reason")
        console.print(
            rows(
                table("lead", "contact", "due", "tries", "set aside", "reason", right=("lead",)),
                lookups,
                *columns,
            )
        )


@integration.command(
    epilog="Example: evenhand integration change 'Support desk' --map 'last_name=ticket.requester'"
)
def change(
    name: Named,
    owner: Annotated[
        str | None, typer.Option(help="Who gets the leads.", show_default=False)
    ] = None,
    tag: Tag = None,
    source: Source = None,
    map: Map = None,
    access_token: Token = None,
    base_url: BaseUrl = None,
    json: Json = False,
) -> None:
    """Change an integration. What isn't named stays as it is; tags and the mapping are set as a
    whole."""
    given = _given(
        owner=owner,
        tags=tag,
        source=source,
        mapping=map,
        access_token=access_token,
        base_url=base_url,
    )
    _change(name, given, "Changed", json)


@integration.command(epilog="Example: evenhand integration enable 'Support desk'")
def enable(name: Named, json: Json = False) -> None:
    """Have an integration take in deliveries again."""
    _change(name, {"enabled": True}, "Enabled", json)


@integration.command(epilog="Example: evenhand integration disable 'Support desk'")
def disable(name: Named, json: Json = False) -> None:
    """Have an integration take in nothing, as if it weren't there."""
    _change(name, {"enabled": False}, "Disabled", json)


def _change(name: str, given: dict[str, Any], did: str, json: bool) -> None:
    facts = system().transact(integrations.change, secret_box(), name, given)
    print_json(facts) if json else say(f"{did} {facts['name']}.")


@integration.command(
    epilog="Example: evenhand integration rotate 'Support desk' --secret env:NEW_SECRET"
)
def rotate(name: Named, secret: Secret, json: Json = False) -> None:
    """Give an integration another secret. The one before is good for a day more."""
    secret = told(secret)
    facts = system().transact(integrations.rotate, secret_box(), name, secret)
    print_json(facts) if json else say(
        f"{facts['name']} has another secret. The one before is good until {facts['former_secret_until']}."
    )


@integration.command("deliveries", epilog="Example: evenhand integration deliveries 'Support desk'")
def list_deliveries(
    name: Named,
    before: Annotated[
        int | None,
        typer.Option(
            min=1, max=GREATEST, help="Those before that delivery only.", show_default=False
        ),
    ] = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """List what an integration delivered in the last 30 days, newest first, and what became of it."""
    with system().reading() as session:
        door = deliveries.DeliverySource.integration(integrations.named(session, name).id)
        facts = deliveries.page(session, door, before, limit)
    if json:
        print_json(facts)
        return
    shown = [
        delivery | {"leads": ", ".join(map(str, delivery["leads"]))}
        for delivery in facts["deliveries"]
    ]
    columns = ("id", "at", "outcome", "leads", "repeats", "reason")
    console.print(rows(table("delivery", *columns[1:], right=("delivery",)), shown, *columns))
    if facts["next"]:
        say(f"and more: --before {facts['next']}.")


@integration.command(epilog="Example: evenhand integration replay 7")
def replay(
    delivery: Annotated[int, number("The number of the delivery.")], json: Json = False
) -> None:
    """Read a delivery again, by the mapping as it is now. One whose leads are still there is
    refused."""
    facts = system().transact(flow.replay, delivery)
    if json:
        print_json(facts)
    else:
        say(
            f"Delivery {delivery} is {facts['outcome']}{': ' + facts['reason'] if facts['reason'] else ''}."
        )
