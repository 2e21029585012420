"""What endpoints are given: who asks, the system, and ids as the names by which the flows know
things."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, BackgroundTasks, Depends, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, StringConstraints, WithJsonSchema

from api_stub.error_responses import problems
from api_stub.limits import count, rate_limit
from worker.domain.integers import GREATEST
from worker.domain.people.permissions import Action, Actor, allowed
from worker.domain.records.fields import RECORD_TYPES
from worker.errors.base import InsufficientScope, RateLimitExceeded, Unauthorized
from worker.errors.people import UnknownUser
from worker.flows.people import access
from worker.flows.system import System, system
from worker.store.people import users

Provided = TypeVar("Provided")

NO_SUCH = "There is no such parameter here"

Using = Annotated[System, Depends(system)]
Id = Annotated[int, Path(ge=1, le=GREATEST)]
Text = Annotated[str, StringConstraints(max_length=1000, pattern="^[^\\x00]*$")]
"""Any text that a database stores."""

RecordType = Annotated[Text, WithJsonSchema({"type": "string", "enum": list(RECORD_TYPES)})]


class Body(BaseModel):
    """A request's JSON. A field that is not known is refused: it is one misspelt."""

    model_config = ConfigDict(extra="forbid")


# --- who asks ---

bearer = HTTPBearer(
    scheme_name="token",
    description="`evenhand user token EMAIL --name NAME` makes one.",
    auto_error=False,
)

Given = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]


class ForThoseSignedIn(APIRoute):
    """A route that finds out who asks before it reads the body: a stranger uploads nothing, and
    learns nothing of what is wrong with it. Nor does somebody who has asked too often."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def answer_whom_we_know(request: Request) -> Response:
            await run_in_threadpool(_admit, request, await bearer(request))
            return await answer(request)

        return answer_whom_we_know


def _admit(request: Request, given: HTTPAuthorizationCredentials | None) -> None:
    """Notes who asks, and counts that they do. Raises Unauthorized, which is the same whatever is
    wrong with the token, and RateLimitExceeded."""
    who = _signed_in(_provided(request, system), given)
    request.state.signed_in = who
    count(request, _provided(request, rate_limit), who.token_id)


def _provided(request: Request, dependency: Callable[[], Provided]) -> Provided:
    """What the app's endpoints are given for a dependency."""
    provide: Callable[[], Provided] = request.app.dependency_overrides.get(dependency, dependency)
    return provide()


def _signed_in(system: System, given: HTTPAuthorizationCredentials | None) -> access.SignedIn:
    if given is None:
        raise Unauthorized
    with system.reading() as session:
        found = access.authenticate(session, given.credentials)
    if found is None:
        raise Unauthorized
    return found


async def actor(request: Request, system: Using, _: Given, afterwards: BackgroundTasks) -> Actor:
    """Who asks, whom the route has let in. That they did is noted when they have their answer."""
    who: access.SignedIn = request.state.signed_in
    request.state.afterwards = afterwards
    afterwards.add_task(access.note_use, system, who)
    return who.actor


Acting = Annotated[Actor, Depends(actor)]


async def admin(actor: Acting) -> Actor:
    """Who asks, if it is an admin. Raises InsufficientScope."""
    if not allowed(actor, Action.MANAGE):
        raise InsufficientScope(action=Action.MANAGE)
    return actor


Admin = Annotated[Actor, Depends(admin)]
"""Goes before the parameters that look something up: whoever may not do a deed isn't told whether
the thing is there."""


async def reassigner(actor: Acting) -> Actor:
    """Who asks, if they may change the owners of records. Raises InsufficientScope."""
    if not allowed(actor, Action.REASSIGN):
        raise InsufficientScope(action=Action.REASSIGN)
    return actor


Reassigner = Annotated[Actor, Depends(reassigner)]
"""Goes first, as Admin does."""


async def only_known_parameters(request: Request) -> None:
    """Refuses a query parameter that the endpoint doesn't have: it is one misspelt."""
    known = _query_parameters(request.scope["route"].dependant)
    unknown = [
        {"loc": ("query", name), "type": "extra_forbidden", "msg": NO_SUCH}
        for name in request.query_params
        if name not in known
    ]
    if unknown:
        raise RequestValidationError(unknown)


def _query_parameters(dependant: Dependant) -> set[str]:
    """Those of an endpoint, and of all that it depends on."""
    own = {parameter.alias for parameter in dependant.query_params}
    return own.union(*map(_query_parameters, dependant.dependencies))


def control_router(path: str, tag: str) -> APIRouter:
    """A router for our own verbs, which are for those who are signed in."""
    before_all = [Depends(actor), Depends(only_known_parameters)]
    return APIRouter(
        prefix=path,
        tags=[tag],
        route_class=ForThoseSignedIn,
        dependencies=before_all,
        responses=problems(Unauthorized, RateLimitExceeded),
    )


# --- what about ---


def user_email(system: Using, user_id: Id) -> str:
    """The email address of the active user with that id. Raises UnknownUser."""
    with system.reading() as session:
        user = users.with_id(session, user_id)
    if user is None or user.is_pool or not user.is_active:
        raise UnknownUser(name=user_id)
    return str(user.email)


UserEmail = Annotated[str, Depends(user_email)]
