"""The routes of the resources, made from their descriptions."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Concatenate, ParamSpec

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from api_stub.deps import ForThoseSignedIn, Id, Using, find_actor
from api_stub.error_responses import SELL, document_errors
from api_stub.idempotency import GivenKey, add_body
from api_stub.sell.envelopes import wrap, wrap_page
from api_stub.sell.models import (
    list_parameters,
    make_collection_model,
    make_request_model,
    make_response_model,
    match_parameters,
)
from api_stub.sell.parameters import (
    check_user_agent,
    make_request_context,
    read_attributes,
    read_list_query,
    read_match_query,
    refuse_parameters,
    tag_errors,
)
from worker.domain.records.editing import normalize
from worker.domain.resources import Resource, ResourceBody, Verb
from worker.errors.base import EvenhandError, InsufficientScope, RateLimitExceeded, Unauthorized
from worker.errors.records import IncorrectPayload, SeveralMatches, UnknownRecord
from worker.flows.idempotency import IdempotencyKey, run_once
from worker.flows.records import edits
from worker.flows.records.editors import EDITORS, RECORD_EDITORS
from worker.flows.records.edits import RequestContext
from worker.flows.system import System
from worker.flows.unit import Unit
from worker.store.views import catalog

sell_problems = partial(document_errors, under=SELL)

Endpoint = Callable[..., Response | None]
Context = Annotated[RequestContext, Depends(make_request_context)]
Arguments = ParamSpec("Arguments")

NO_PARAMETERS = Depends(refuse_parameters)

ONE = "/{id}"

METHODS = {
    Verb.LIST: "GET",
    Verb.SHOW: "GET",
    Verb.CREATE: "POST",
    Verb.UPDATE: "PUT",
    Verb.DELETE: "DELETE",
    Verb.UPSERT: "POST",
}


def make_sell_router() -> APIRouter:
    """A router whose requests need a token and a User-Agent."""
    before_all = [Depends(find_actor), Depends(check_user_agent)]
    return APIRouter(
        prefix=SELL,
        route_class=ForThoseSignedIn,
        dependencies=before_all,
        responses=sell_problems(Unauthorized, RateLimitExceeded),
        generate_unique_id_function=lambda route: f"sell_{route.name}",
    )


router = make_sell_router()


def add_routes(resource: Resource) -> None:
    """Adds the routes of a resource, one for each verb of its description."""
    for verb in resource.verbs:
        _ADD[verb](resource)


def respond(
    system: System,
    resource: Resource,
    key: IdempotencyKey | None,
    work: Callable[Concatenate[Unit, Arguments], ResourceBody],
    *args: Arguments.args,
    **kwargs: Arguments.kwargs,
) -> Response:
    """Runs `work(unit, ...)` once, however often the request comes under its key, and responds with
    the resource that it returns."""
    return wrap(resource, system.transact(_run_limited, key, work, *args, **kwargs))


def _run_limited(
    unit: Unit,
    key: IdempotencyKey | None,
    work: Callable[Concatenate[Unit, Arguments], ResourceBody],
    /,
    *args: Arguments.args,
    **kwargs: Arguments.kwargs,
) -> ResourceBody:
    unit.limit_statement_time()
    return run_once(unit, key, work, *args, **kwargs)


def document(model: type[BaseModel], *errors: type[EvenhandError]) -> dict[str, Any]:
    """The responses of an endpoint for the documentation: its success, and its own errors."""
    return {"responses": {200: {"model": model}, **sell_problems(*errors)}}


def _annotate(endpoint: Endpoint, **types: object) -> Endpoint:
    """Gives parameters of an endpoint their types. FastAPI reads them from the annotations, and
    these types are made at run time, so that no annotation in the code can name them."""
    endpoint.__annotations__.update(types)
    return endpoint


def _add_route(
    resource: Resource,
    verb: Verb,
    path: str,
    endpoint: Endpoint,
    summary: str,
    description: str,
    **options: Any,
) -> None:
    """Adds an endpoint, with the settings that all endpoints share."""
    takes_parameters = "parameters" in endpoint.__annotations__
    router.add_api_route(
        f"/{resource.path}{path}",
        endpoint,
        methods=[METHODS[verb]],
        name=f"{verb}_{resource.name}",
        summary=summary.format(resource.type.replace("_", " ")),
        description=description,
        dependencies=[tag_errors(resource), *(() if takes_parameters else (NO_PARAMETERS,))],
        tags=[f"v2 {resource.path}"],
        **options,
    )


def _add_list(resource: Resource) -> None:
    def list_page(system: Using, request: Request, parameters: BaseModel) -> Response:
        query = read_list_query(resource, parameters)
        with system.reading() as session:
            session.limit_statement_time()
            return wrap_page(resource, request, query, catalog.find_page(session, resource, query))

    endpoint = _annotate(list_page, parameters=Annotated[list_parameters(resource), Query()])
    description = f"A page of them, sorted by {resource.order} unless asked otherwise."
    responses = document(make_collection_model(resource))
    _add_route(resource, Verb.LIST, "", endpoint, "List {}s", description, **responses)


def _add_show(resource: Resource) -> None:
    def show(system: Using, id: Id) -> Response:
        with system.reading() as session:
            return wrap(resource, edits.show(session, resource, id))

    responses = document(make_response_model(resource), UnknownRecord)
    _add_route(resource, Verb.SHOW, ONE, show, "Show a {}", "One of them, by its id.", **responses)


def _add_create(resource: Resource) -> None:
    editor = EDITORS[resource.path]

    def create(system: Using, context: Context, key: GivenKey, payload: BaseModel) -> Response:
        given = read_attributes(payload)
        values = normalize(resource, given)
        return respond(system, resource, add_body(key, given), editor.create, context, values)

    endpoint = _annotate(create, payload=make_request_model(resource))
    description = "An attribute that isn't named is null, or what its description says."
    responses = document(make_response_model(resource), IncorrectPayload)
    _add_route(resource, Verb.CREATE, "", endpoint, "Create a {}", description, **responses)


def _add_update(resource: Resource) -> None:
    editor = EDITORS[resource.path]

    def update(
        system: Using, id: Id, context: Context, key: GivenKey, payload: BaseModel
    ) -> Response:
        given = read_attributes(payload)
        values = normalize(resource, given)
        body = add_body(key, given)
        return respond(system, resource, body, editor.update, context, id, values)

    endpoint = _annotate(update, payload=make_request_model(resource))
    errors = UnknownRecord, IncorrectPayload, InsufficientScope
    responses = document(make_response_model(resource), *errors)
    description = "Only what is named changes."
    _add_route(resource, Verb.UPDATE, ONE, endpoint, "Update a {}", description, **responses)


def _add_delete(resource: Resource) -> None:
    editor = EDITORS[resource.path]

    def delete(system: Using, id: Id, context: Context) -> None:
        system.transact(editor.delete, context, id)

    _add_route(
        resource,
        Verb.DELETE,
        ONE,
        delete,
        "Delete a {}",
        "It is shown no more.",
        responses=sell_problems(UnknownRecord, InsufficientScope),
        status_code=204,
        response_class=Response,
    )


def _add_upsert(resource: Resource) -> None:
    editor = RECORD_EDITORS[resource.path]

    def upsert(
        system: Using,
        context: Context,
        key: GivenKey,
        parameters: BaseModel,
        payload: BaseModel,
    ) -> Response:
        given, query = read_attributes(payload), read_match_query(resource, parameters)
        values = normalize(resource, given)
        body = add_body(key, given)
        return respond(system, resource, body, editor.upsert, context, query, values)

    endpoint = _annotate(
        upsert,
        parameters=Annotated[match_parameters(resource), Query()],
        payload=make_request_model(resource),
    )
    description = (
        "Updates the one that matches the parameters, of which at least one is needed; creates one"
        " where none does."
    )
    errors = SeveralMatches, IncorrectPayload, InsufficientScope
    responses = document(make_response_model(resource), *errors)
    summary = "Update a {}, or create it"
    _add_route(resource, Verb.UPSERT, "/upsert", endpoint, summary, description, **responses)


_ADD: dict[Verb, Callable[[Resource], None]] = {
    Verb.LIST: _add_list,
    Verb.SHOW: _add_show,
    Verb.CREATE: _add_create,
    Verb.UPDATE: _add_update,
    Verb.DELETE: _add_delete,
    Verb.UPSERT: _add_upsert,
}
