"""evenhand integration: through which others' systems deliver leads, and what they delivered."""

import os
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from worker.cli.arguments import Limit, make_number
from worker.cli.output import Json, add_rows, console, list_fields, make_table, print_json, say
from worker.domain.intake.integrations import IntegrationValues
from worker.domain.intake.mapping import parse_paths
from worker.domain.intake.senders import SENDERS
from worker.domain.storable import GREATEST
from worker.errors.intake import BadSecret
from worker.flows.intake import integrations
from worker.flows.intake.read_again import read_again
from worker.flows.names import find_owner_by_name
from worker.flows.system import system
from worker.flows.unit import Unit
from worker.secret_box import SecretBox, secret_box
from worker.settings import settings
from worker.store.views import integrations as views
from worker.store.views.intake import DeliveryView, show_delivery
from worker.store.views.integrations import IntegrationView

integration = typer.Typer(
    no_args_is_help=True, help="Webhooks: others' systems that bring in leads."
)
app = typer.Typer()
app.add_typer(integration, name="integration")

STDIN, FROM_ENVIRONMENT = "-", "env:"
HOW = (
    "`-` reads it from standard input, `env:NAME` from the environment: then nobody sees it in "
    "the list of processes."
)
*_, _LAST_KIND = SENDERS
KINDS = f"{', '.join(kind for kind in SENDERS if kind != _LAST_KIND)} or {_LAST_KIND}"

IntegrationName = Annotated[str, typer.Argument(help="The name or the slug.")]
SecretOption = Annotated[str, typer.Option(help=f"What the sender signs with, or shows. {HOW}")]
TokenOption = Annotated[
    str | None,
    typer.Option(
        help=f"HubSpot: the token with which contacts are fetched. {HOW}", show_default=False
    ),
]
BaseUrlOption = Annotated[
    str | None,
    typer.Option(help="HubSpot: where its API is, if not at the usual place.", show_default=False),
]
TagOption = Annotated[
    list[str] | None,
    typer.Option(help="What its leads are tagged with. Repeat it for more.", show_default=False),
]
SourceOption = Annotated[
    str | None, typer.Option(help="The source of its leads.", show_default=False)
]
MapOption = Annotated[
    list[str] | None,
    typer.Option(
        help="Where a field is: 'last_name=detail.name', or JMESPath behind the equals sign. "
        "Repeat it for more.",
        show_default=False,
    ),
]


def _read_secret(text: str) -> str:
    """A secret that was given, or from where it is to be read. Raises BadSecret for an empty
    one."""
    if text == STDIN:
        text = sys.stdin.readline().strip()
    elif text.startswith(FROM_ENVIRONMENT):
        text = os.environ.get(text.removeprefix(FROM_ENVIRONMENT), "")
    if not text:
        raise BadSecret(reason="is empty where it should be read")
    return text


def _read_values(
    tags: list[str] | None,
    source: str | None,
    map: list[str] | None,
    access_token: str | None,
    base_url: str | None,
) -> IntegrationValues:
    """The values of the options that were given."""
    values = IntegrationValues()
    if tags is not None:
        values["tags"] = tags
    if source is not None:
        values["source"] = source
    if map is not None:
        values["mapping"] = parse_paths(map)
    if access_token is not None:
        values["access_token"] = _read_secret(access_token) if access_token else None
    if base_url is not None:
        values["base_url"] = base_url
    return values


@integration.command(
    epilog="Example: evenhand integration add 'Support desk' --kind zendesk-support --secret - "
    "--owner Inbound"
)
def add(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    kind: Annotated[str, typer.Option(help=f"{KINDS}.")],
    secret: SecretOption,
    owner: Annotated[
        str, typer.Option(help="Who gets the leads: a pool of leads, or a user by email or name.")
    ],
    slug: Annotated[
        str | None,
        typer.Option(
            help="The last part of its address; made of the name unless given.", show_default=False
        ),
    ] = None,
    tag: TagOption = None,
    source: SourceOption = None,
    map: MapOption = None,
    access_token: TokenOption = None,
    base_url: BaseUrlOption = None,
    json: Json = False,
) -> None:
    """Set up an integration. It prints the address to which its sender posts."""
    values = _read_values(tag, source, map, access_token, base_url)
    values["name"] = name
    view = system().transact(_add, secret_box(), owner, kind, _read_secret(secret), values, slug)
    address = f"{settings().public_url or ''}{view.path}"
    print_json(view) if json else say(f"Set up {view.name}: its sender posts to {address}.")


def _add(
    unit: Unit,
    sealing: SecretBox,
    owner: str,
    kind: str,
    secret: str,
    values: IntegrationValues,
    slug: str | None,
) -> IntegrationView:
    owned: IntegrationValues = {**values, "owner_id": find_owner_by_name(unit, owner).id}
    return views.show_integration(unit, integrations.add(unit, sealing, kind, secret, owned, slug))


@integration.command("list", epilog="Example: evenhand integration list")
def list_integrations(json: Json = False) -> None:
    """List integrations."""
    with system().reading() as unit:
        shown = views.list_integrations(unit)
    columns = ("id", "name", "kind", "owner", "path", "enabled")
    print_json(shown) if json else console.print(
        add_rows(make_table(*columns, right=("id",)), shown, *columns)
    )


@integration.command(epilog="Example: evenhand integration show 'Support desk'")
def show(name: IntegrationName, json: Json = False) -> None:
    """Show an integration without its secrets, and of which leads more is still to be fetched."""
    with system().reading() as unit:
        details = integrations.show(unit, integrations.find_by_name(unit, name).id)
    if json:
        print_json(details)
        return
    shown = asdict(details)
    waiting = shown.pop("lookups")
    shown["tags"] = ", ".join(details.tags)
    shown["mapping"] = ", ".join(f"{field}={path}" for field, path in details.mapping.items())
    console.print(list_fields(shown))
    if waiting:
        made = make_table("lead", "contact", "due", "tries", "set aside", "reason", right=("lead",))
        columns = ("lead", "object_id", "due_at", "tries", "set_aside", "reason")
        console.print(add_rows(made, waiting, *columns))


@integration.command(
    epilog="Example: evenhand integration change 'Support desk' --map 'last_name=ticket.requester'"
)
def change(
    name: IntegrationName,
    owner: Annotated[
        str | None, typer.Option(help="Who gets the leads.", show_default=False)
    ] = None,
    tag: TagOption = None,
    source: SourceOption = None,
    map: MapOption = None,
    access_token: TokenOption = None,
    base_url: BaseUrlOption = None,
    json: Json = False,
) -> None:
    """Change an integration. What isn't named stays as it is; tags and the mapping are set as a
    whole."""
    values = _read_values(tag, source, map, access_token, base_url)
    view = system().transact(_change, secret_box(), name, values, owner)
    print_json(view) if json else say(f"Changed {view.name}.")


@integration.command(epilog="Example: evenhand integration enable 'Support desk'")
def enable(name: IntegrationName, json: Json = False) -> None:
    """Have an integration take in deliveries again."""
    view = system().transact(_change, secret_box(), name, {"enabled": True})
    print_json(view) if json else say(f"Enabled {view.name}.")


@integration.command(epilog="Example: evenhand integration disable 'Support desk'")
def disable(name: IntegrationName, json: Json = False) -> None:
    """Have an integration take in nothing, as if it weren't there."""
    view = system().transact(_change, secret_box(), name, {"enabled": False})
    print_json(view) if json else say(f"Disabled {view.name}.")


def _change(
    unit: Unit,
    sealing: SecretBox,
    name: str,
    values: IntegrationValues,
    owner: str | None = None,
) -> IntegrationView:
    integration_id = integrations.find_by_name(unit, name).id
    changed = values.copy()
    if owner is not None:
        changed["owner_id"] = find_owner_by_name(unit, owner).id
    integrations.change(unit, sealing, integration_id, changed)
    return views.show_integration(unit, integration_id)


@integration.command(
    epilog="Example: evenhand integration rotate 'Support desk' --secret env:NEW_SECRET"
)
def rotate(name: IntegrationName, secret: SecretOption, json: Json = False) -> None:
    """Give an integration another secret. The one before is good for a day more."""
    view = system().transact(_rotate, secret_box(), name, _read_secret(secret))
    if json:
        print_json(view)
    else:
        until = view.former_secret_until
        say(f"{view.name} has another secret. The one before is good until {until}.")


def _rotate(unit: Unit, sealing: SecretBox, name: str, secret: str) -> IntegrationView:
    integration_id = integrations.find_by_name(unit, name).id
    integrations.rotate(unit, sealing, integration_id, secret)
    return views.show_integration(unit, integration_id)


@integration.command("deliveries", epilog="Example: evenhand integration deliveries 'Support desk'")
def list_deliveries(
    name: IntegrationName,
    before: Annotated[
        int | None,
        typer.Option(
            min=1, max=GREATEST, help="Those before that delivery only.", show_default=False
        ),
    ] = None,
    limit: Limit = 50,
    json: Json = False,
) -> None:
    """List what an integration delivered in the last 30 days, newest first, and what became of
    it."""
    with system().reading() as unit:
        integration_id = integrations.find_by_name(unit, name).id
        page = integrations.list_deliveries(unit, integration_id, before, limit)
    if json:
        print_json(page)
        return
    shown = [
        asdict(delivery) | {"leads": ", ".join(map(str, delivery.leads))}
        for delivery in page.deliveries
    ]
    columns = ("id", "at", "outcome", "leads", "repeats", "reason")
    console.print(
        add_rows(make_table("delivery", *columns[1:], right=("delivery",)), shown, *columns)
    )
    if page.next:
        say(f"and more: --before {page.next}.")


@integration.command(epilog="Example: evenhand integration replay 7")
def replay(
    delivery: Annotated[int, make_number("The number of the delivery.")], json: Json = False
) -> None:
    """Read a delivery again, by the mapping as it is now. One whose leads are still there is
    refused."""
    view = system().transact(_replay, delivery)
    if json:
        print_json(view)
    else:
        say(f"Delivery {delivery} is {view.outcome}{f': {view.reason}' if view.reason else ''}.")


def _replay(unit: Unit, delivery_id: int) -> DeliveryView:
    read_again(unit, delivery_id)
    return show_delivery(unit, delivery_id)
