"""Webhooks: others' systems hand in leads, and show by a signature who they are."""

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel

from api_stub.deps import Sealing, Using
from api_stub.error_responses import document_errors
from worker.domain.intake.senders.signing import Call
from worker.errors.intake import BadSignature, UnknownHook, UnreadableDelivery
from worker.flows.intake.deliveries import FORM, PartReceipt, deliver
from worker.settings import Settings, settings

router = APIRouter(prefix="/hooks", tags=["hooks"])

BODY = {"content": {"application/json": {"schema": {}}, FORM: {"schema": {"type": "object"}}}}


class DeliveryReceipt(BaseModel):
    """The outcome of each part of a delivery, in order."""

    deliveries: list[PartReceipt]


async def read_call(request: Request, configured: Annotated[Settings, Depends(settings)]) -> Call:
    """The request as it was signed, byte by byte. A proxy in front of the API may have changed its
    scheme and host."""
    raw = request.scope.get("raw_path") or request.url.path.encode()
    query = request.scope["query_string"]
    path = raw.partition(b"?")[0] + (b"?" + query if query else b"")
    base = configured.public_url or str(request.base_url).rstrip("/")
    headers = {name.decode("latin-1").lower(): value for name, value in request.scope["headers"]}
    uri = f"{base}{path.decode('latin-1')}"
    return Call(request.method, uri, headers, await request.body(), time.time())


@router.post(
    "/{slug}",
    summary="Take in what an integration delivers",
    status_code=202,
    responses=document_errors(UnknownHook, BadSignature, UnreadableDelivery),
    openapi_extra={"requestBody": BODY},
)
def take_in(
    slug: Annotated[str, Path(pattern="^[^\\x00]*$")],
    system: Using,
    sealing: Sealing,
    call: Annotated[Call, Depends(read_call)],
) -> DeliveryReceipt:
    """For HubSpot, Zendesk Support, Zendesk Chat, Zapier and any sender that follows Standard
    Webhooks. All is stored when this answers, and is never lost from then on. A repeated delivery
    does nothing. A delivery that makes no lead is kept with the reason, and can be replayed."""
    return DeliveryReceipt(deliveries=deliver(system, sealing, slug, call))
