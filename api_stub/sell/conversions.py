"""The routes that no description makes: converting a lead, the account, and oneself."""

from fastapi import Response

from api_stub.deps import Acting, Using
from api_stub.idempotency import GivenKey, add_body
from api_stub.sell.envelopes import wrap
from api_stub.sell.models import ConversionRequest, make_response_model
from api_stub.sell.parameters import read_attributes, tag_errors
from api_stub.sell.routes import NO_PARAMETERS, Context, document, respond, router
from worker.domain.resources import ACCOUNT, CONVERSION, USER
from worker.domain.turns.claims import name_convert_claim
from worker.errors.base import InsufficientScope
from worker.errors.records import AlreadyConverted, IncorrectPayload, LeadWaits
from worker.flows.records import edits
from worker.flows.records.convert import ConversionOrder, convert
from worker.settings import settings
from worker.store.views import catalog


@router.post(
    "/lead_conversions",
    summary="Convert a lead",
    **document(
        make_response_model(CONVERSION),
        AlreadyConverted,
        IncorrectPayload,
        InsufficientScope,
        LeadWaits,
    ),
    dependencies=[tag_errors(CONVERSION), NO_PARAMETERS],
    tags=["v2 lead_conversions"],
)
def create_lead_conversions(
    system: Using, context: Context, key: GivenKey, payload: ConversionRequest
) -> Response:
    """A last name becomes a person, an organization's name an organization, both become both; and a
    deal, unless `create_deal` is false. A pool of contacts as the owner, or of deals when one is
    made, gives everything to its next member, in one turn. The same request again gets the first
    conversion."""
    given = read_attributes(payload)
    order = ConversionOrder(**given)
    claimed = context._replace(claim=name_convert_claim(order.lead_id))
    return respond(system, CONVERSION, add_body(key, given), convert, claimed, order)


@router.get(
    "/accounts/self",
    summary="Show the account",
    **document(make_response_model(ACCOUNT)),
    dependencies=[tag_errors(ACCOUNT), NO_PARAMETERS],
    tags=["v2 accounts"],
)
def show_account(system: Using) -> Response:
    """The same for every user."""
    with system.reading() as session:
        return wrap(
            ACCOUNT,
            catalog.show_account(session, settings().account_name, settings().currency),
        )


@router.get(
    "/users/self",
    summary="Show oneself",
    **document(make_response_model(USER)),
    dependencies=[tag_errors(USER), NO_PARAMETERS],
    tags=["v2 users"],
)
def show_myself(system: Using, actor: Acting) -> Response:
    """The user whose token the request bears."""
    with system.reading() as session:
        return wrap(USER, edits.show(session, USER, actor.id))
