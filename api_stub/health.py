"""Whether every server that a request needs answers."""

import logging
from collections.abc import Callable

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api_stub.deps import Using
from worker import queue
from worker.errors.base import EvenhandError, Unavailable

logger = logging.getLogger(__name__)

OK = "ok"

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """The state of each server: "ok", or the code of its error."""

    status: str = Field(examples=[OK])
    database: str = Field(examples=[OK])
    ring: str = Field(examples=[OK])
    broker: str = Field(examples=[OK])


@router.get(
    "/healthz",
    summary="Tell whether the servers answer",
    responses={Unavailable.status: {"model": Health}},
)
def health(system: Using, response: Response) -> Health:
    """200 if the database, the rings' Redis and the broker all answer. Otherwise 503, with the
    state of each."""
    parts = {
        "database": _find_state(system.ping_database),
        "ring": _find_state(system.ring.ping),
        "broker": _find_state(queue.ping),
    }
    all_well = all(state == OK for state in parts.values())
    response.status_code = 200 if all_well else Unavailable.status
    return Health(status=OK if all_well else "unavailable", **parts)


def _find_state(ping: Callable[[], None]) -> str:
    try:
        ping()
    except EvenhandError as error:
        logger.warning("%s: %s", error.code, error)
        return error.code
    return OK
