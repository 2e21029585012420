"""Webhooks: others' systems hand in leads, and show by a signature who they are."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, Field

from api_stub.deps import Using
from api_stub.error_responses import problems
from worker.domain.intake.signatures import Call
from worker.errors.intake import BadSignature, UnknownHook, UnreadableDelivery
from worker.flows.intake import deliveries
from worker.secret_box import SecretBox, secret_box
from worker.settings import Settings, settings

router = APIRouter(prefix="/hooks", tags=["hooks"])

BODY = {
    "content": {"application/json": {"schema": {}}, deliveries.FORM: {"schema": {"type": "object"}}}
}


class TakenIn(BaseModel):
    """What became of a delivery, or of one of its events."""

    id: int
    outcome: str = Field(description="accepted, ignored or invalid.")
    reason: str | None = Field(description="Why so, or what else there is to say.")
    leads: list[int] = Field(description="The ids of the leads that it made.")
    repeated: bool = Field(description="Whether it came before, and nothing was done this time.")


class AllTakenIn(BaseModel):
    """What became of all that was delivered, in order."""

    deliveries: list[TakenIn]


async def call(request: Request, given: Annotated[Settings, Depends(settings)]) -> Call:
    """The request as it was signed, byte by byte. What stands in front of the API may have changed
    its scheme and host."""
    raw, query = (
        request.scope.get("raw_path") or request.url.path.encode(),
        request.scope["query_string"],
    )
    path = raw.partition(b"?")[0] + (b"?" + query if query else b"")
    base = given.public_url or str(request.base_url).rstrip("/")
    headers = {name.decode("latin-1").lower(): value for name, value in request.scope["headers"]}
    return Call(
        request.method,
        f"{base}{path.decode('latin-1')}",
        headers,
        await request.body(),
        time.time(),
    )


@router.post(
    "/{slug}",
    summary="Take in what an integration delivers",
    status_code=202,
    response_model=AllTakenIn,
    responses=problems(UnknownHook, BadSignature, UnreadableDelivery),
    openapi_extra={"requestBody": BODY},
)
def take_in(
    slug: Annotated[str, Path(pattern="^[^\\x00]*$")],
    system: Using,
    opened: Annotated[SecretBox, Depends(secret_box)],
    call: Annotated[Call, Depends(call)],
) -> Any:
    """For HubSpot, Zendesk Support, Zendesk Chat, Zapier and whatever follows Standard Webhooks.
    All is stored when this answers, and is never lost from then on; what comes again does nothing.
    What makes no lead is kept with the reason, and can be replayed."""
    return {"deliveries": deliveries.deliver(system, opened, slug, call)}
