"""The dependencies of endpoints: who asks, the system, and the types of common parameters."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, BackgroundTasks, Depends, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, StringConstraints, WithJsonSchema

from api_stub.error_responses import document_errors
from api_stub.limits import count, get_rate_limit
from worker.domain.people.permissions import Action, Actor, is_allowed
from worker.domain.records.record_type import RecordType
from worker.domain.storable import GREATEST
from worker.errors.base import InsufficientScope, RateLimitExceeded, Unauthorized
from worker.flows.people import access
from worker.flows.system import System, system
from worker.secret_box import SecretBox, secret_box

Provided = TypeVar("Provided")

NO_SUCH = "There is no such parameter here"

Using = Annotated[System, Depends(system)]
Sealing = Annotated[SecretBox, Depends(secret_box)]
Id = Annotated[int, Path(ge=1, le=GREATEST)]
Text = Annotated[str, StringConstraints(max_length=1000, pattern="^[^\\x00]*$")]
"""Any text that a database stores."""

# Not the enum itself: an unknown type is an error of the flows, which says it in their words.
RecordTypeName = Annotated[Text, WithJsonSchema({"type": "string", "enum": list(RecordType)})]


class Body(BaseModel):
    """A request's JSON. An unknown field is refused, since it is probably misspelt."""

    model_config = ConfigDict(extra="forbid")


# --- who asks ---

bearer = HTTPBearer(
    scheme_name="token",
    description="`evenhand user token EMAIL --name NAME` makes one.",
    auto_error=False,
)

Given = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]


class ForThoseSignedIn(APIRoute):
    """A route that authenticates and counts a request before it reads the body, so that a stranger
    can't upload anything, and doesn't learn what is wrong with the body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def answer_known(request: Request) -> Response:
            await run_in_threadpool(_admit, request, await bearer(request))
            return await answer(request)

        return answer_known


def _admit(request: Request, given: HTTPAuthorizationCredentials | None) -> None:
    """Authenticates a request, and counts it. Raises RateLimitExceeded, and Unauthorized, which is
    the same for every fault of a token."""
    who = _authenticate(_provide(request, system), given)
    request.state.signed_in = who
    count(request, _provide(request, get_rate_limit), who.token_id)


def _provide(request: Request, dependency: Callable[[], Provided]) -> Provided:
    """Calls a dependency as FastAPI does for endpoints, so that tests can override it."""
    provide: Callable[[], Provided] = request.app.dependency_overrides.get(dependency, dependency)
    return provide()


def _authenticate(system: System, given: HTTPAuthorizationCredentials | None) -> access.SignedIn:
    if given is None:
        raise Unauthorized
    with system.reading() as session:
        found = access.authenticate(session, given.credentials)
    if found is None:
        raise Unauthorized
    return found


async def find_actor(
    request: Request, system: Using, _: Given, afterwards: BackgroundTasks
) -> Actor:
    """Who asks. The route has authenticated them; the use of their token is noted after the
    answer."""
    who: access.SignedIn = request.state.signed_in
    request.state.afterwards = afterwards
    afterwards.add_task(access.note_use, system, who)
    return who.actor


Acting = Annotated[Actor, Depends(find_actor)]


async def require_admin(actor: Acting) -> Actor:
    """Who asks, who must be an admin. Raises InsufficientScope."""
    if not is_allowed(actor, Action.MANAGE):
        raise InsufficientScope(action=Action.MANAGE)
    return actor


Admin = Annotated[Actor, Depends(require_admin)]
"""Comes before parameters that look something up, so that a user who lacks the permission doesn't
learn whether the thing exists."""


async def require_reassigner(actor: Acting) -> Actor:
    """Who asks, who must be allowed to change the owners of records. Raises InsufficientScope."""
    if not is_allowed(actor, Action.REASSIGN):
        raise InsufficientScope(action=Action.REASSIGN)
    return actor


Reassigner = Annotated[Actor, Depends(require_reassigner)]
"""Comes first, as Admin does."""


async def refuse_unknown_parameters(request: Request) -> None:
    """Refuses a query parameter that the endpoint doesn't have, since it is probably misspelt."""
    known = _list_query_parameters(request.scope["route"].dependant)
    unknown = [
        {"loc": ("query", name), "type": "extra_forbidden", "msg": NO_SUCH}
        for name in request.query_params
        if name not in known
    ]
    if unknown:
        raise RequestValidationError(unknown)


def _list_query_parameters(dependant: Dependant) -> set[str]:
    """The parameters of an endpoint, and of everything that it depends on."""
    own = {parameter.alias for parameter in dependant.query_params}
    return own.union(*map(_list_query_parameters, dependant.dependencies))


def make_control_router(path: str, tag: str) -> APIRouter:
    """A router for Evenhand's own API, for users who are signed in."""
    before_all = [Depends(find_actor), Depends(refuse_unknown_parameters)]
    return APIRouter(
        prefix=path,
        tags=[tag],
        route_class=ForThoseSignedIn,
        dependencies=before_all,
        responses=document_errors(Unauthorized, RateLimitExceeded),
    )
