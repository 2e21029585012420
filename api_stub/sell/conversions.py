"""What isn't one of many: converting a lead, the account, and oneself."""

from typing import Any

from fastapi import Response

from api_stub.deps import Acting, Using
from api_stub.idempotency import GivenKey, with_body
from api_stub.sell.envelopes import one
from api_stub.sell.models import ConversionRequest, answer_model
from api_stub.sell.parameters import about, attributes_of
from api_stub.sell.routes import BARE, Context, answered, answers, router
from worker.domain.resources import ACCOUNT, CONVERSION, USER
from worker.domain.turns.claims import convert_claim
from worker.errors.base import InsufficientScope
from worker.errors.records import AlreadyConverted, IncorrectPayload, LeadWaits
from worker.flows.records import edits
from worker.flows.records.convert import Conversion, convert
from worker.settings import settings
from worker.store.views.facts import account_facts


@router.post(
    "/lead_conversions",
    summary="Convert a lead",
    **answers(
        answer_model(CONVERSION), AlreadyConverted, IncorrectPayload, InsufficientScope, LeadWaits
    ),
    dependencies=[about(CONVERSION), BARE],
    tags=["v2 lead_conversions"],
)
def create_lead_conversions(
    system: Using, request_context: Context, key: GivenKey, payload: ConversionRequest
) -> Response:
    """A last name becomes a person, an organization's name an organization, both become both; and a
    deal, unless told otherwise. A pool of contacts as the owner, or of deals when one is made,
    gives everything to its next member, in one turn. Asked again, the first conversion is given
    back."""
    given = attributes_of(payload)
    asked = Conversion(**given)
    request_context = request_context._replace(claim=convert_claim(asked.lead_id))
    return answered(
        system,
        CONVERSION,
        with_body(key, given),
        lambda session: convert(session, request_context, asked),
    )


@router.get(
    "/accounts/self",
    summary="Show the account",
    **answers(answer_model(ACCOUNT)),
    dependencies=[about(ACCOUNT), BARE],
    tags=["v2 accounts"],
)
def show_account(system: Using) -> Response:
    """What is the same for everybody here."""
    with system.reading() as session:
        return one(ACCOUNT, account_facts(session, settings().account_name, settings().currency))


@router.get(
    "/users/self",
    summary="Show oneself",
    **answers(answer_model(USER)),
    dependencies=[about(USER), BARE],
    tags=["v2 users"],
)
def show_myself(system: Using, actor: Acting) -> Any:
    """The user whose token the request bears."""
    with system.reading() as session:
        return one(USER, edits.shown(session, USER, actor.id))
