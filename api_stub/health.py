"""Whether everything that a request needs answers."""

import logging
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api_stub.deps import Using
from worker import queue
from worker.errors.base import EvenhandError, Unavailable
from worker.flows.system import System
from worker.store.people import users

logger = logging.getLogger(__name__)

OK = "ok"

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """The state of each server: "ok", or the code of what is wrong with it."""

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
    """200 when the database, the rings' Redis and the broker all answer; else 503, and which of
    them doesn't."""
    parts = {
        "database": _state(lambda: _read(system)),
        "ring": _state(system.ring.ping),
        "broker": _state(queue.ping),
    }
    well = all(state == OK for state in parts.values())
    response.status_code = 200 if well else Unavailable.status
    return Health(status=OK if well else "unavailable", **parts)


def _read(system: System) -> None:
    """Reads a table, so that missing ones are noticed too."""
    with system.reading() as session:
        users.find(session, 0)


def _state(ask: Callable[[], Any]) -> str:
    try:
        ask()
    except EvenhandError as error:
        logger.warning("%s: %s", error.code, error)
        return error.code
    return OK
