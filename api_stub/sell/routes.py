"""The routes of the resources, made of their descriptions."""

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from api_stub.deps import ForThoseSignedIn, Id, Using, actor
from api_stub.error_responses import SELL, problems
from api_stub.idempotency import GivenKey, with_body
from api_stub.sell.envelopes import collection, one
from api_stub.sell.models import (
    answer_model,
    collection_model,
    list_parameters,
    match_parameters,
    request_model,
)
from api_stub.sell.parameters import (
    about,
    attributes_of,
    known_agent,
    list_query_of,
    match_query_of,
    no_parameters,
    request_context,
)
from worker.domain.records.editing import normalized
from worker.domain.resources import Resource, Verb
from worker.errors.base import EvenhandError, InsufficientScope, RateLimitExceeded, Unauthorized
from worker.errors.records import IncorrectPayload, SeveralMatches, UnknownRecord
from worker.flows.idempotency import Key, run_once
from worker.flows.records import edits, labels
from worker.flows.records.edits import RequestContext
from worker.flows.system import System
from worker.store.records import catalog
from worker.store.sql import engine
from worker.store.views.facts import Facts

sell_problems = partial(problems, under=SELL)

Endpoint = Callable[..., Response | None]
Context = Annotated[RequestContext, Depends(request_context)]

BARE = Depends(no_parameters)

ONE = "/{id}"

METHODS = {
    Verb.LIST: "GET",
    Verb.SHOW: "GET",
    Verb.CREATE: "POST",
    Verb.UPDATE: "PUT",
    Verb.DELETE: "DELETE",
    Verb.UPSERT: "POST",
}


def sell_router() -> APIRouter:
    """A router whose requests are those of people who are signed in, and say by what they are sent."""
    before_all = [Depends(actor), Depends(known_agent)]
    return APIRouter(
        prefix=SELL,
        route_class=ForThoseSignedIn,
        dependencies=before_all,
        responses=sell_problems(Unauthorized, RateLimitExceeded),
        generate_unique_id_function=lambda route: f"sell_{route.name}",
    )


router = sell_router()


def add(resource: Resource) -> None:
    """Adds the routes of a resource, one for each verb that it knows."""
    for verb in resource.verbs:
        _ADD[verb](resource)


def answered(
    system: System, resource: Resource, key: Key | None, work: Callable[[Any], Facts]
) -> Response:
    """The answer to a request that writes, done once however often it comes under its key."""

    def hurried(session: Any) -> Facts:
        engine.limit_statement_time(session)
        return run_once(session, key, work)

    return one(resource, system.transact(hurried))


def answers(model: type[BaseModel], *kinds: type[EvenhandError]) -> dict[str, Any]:
    """What the docs tell of the answers of an endpoint: its success, and its own refusals."""
    return {"responses": {200: {"model": model}, **sell_problems(*kinds)}}


def _flow(resource: Resource) -> ModuleType:
    return labels if resource.path in labels.KINDS else edits


def _typed(endpoint: Endpoint, **types: Any) -> Endpoint:
    """The same endpoint; of some parameters the types are known only now."""
    endpoint.__annotations__.update(types)
    return endpoint


def _route(
    resource: Resource,
    verb: Verb,
    path: str,
    endpoint: Endpoint,
    summary: str,
    description: str,
    **options: Any,
) -> None:
    """Adds an endpoint, with what all endpoints have in common."""
    router.add_api_route(
        f"/{resource.path}{path}",
        endpoint,
        methods=[METHODS[verb]],
        name=f"{verb}_{resource.name}",
        summary=summary.format(resource.type.replace("_", " ")),
        description=description,
        dependencies=[about(resource)]
        if "parameters" in endpoint.__annotations__
        else [about(resource), BARE],
        tags=[f"v2 {resource.path}"],
        **options,
    )


def _add_list(resource: Resource) -> None:
    def listed(system: Using, request: Request, parameters: Any) -> Response:
        asked = list_query_of(resource, parameters)
        with system.reading() as session:
            engine.limit_statement_time(session)
            return collection(resource, request, asked, catalog.page(session, resource, asked))

    endpoint = _typed(listed, parameters=Annotated[list_parameters(resource), Query()])
    told = f"A page of them, sorted by {resource.order} unless asked otherwise."
    _route(
        resource, Verb.LIST, "", endpoint, "List {}s", told, **answers(collection_model(resource))
    )


def _add_show(resource: Resource) -> None:
    def shown(system: Using, id: Id) -> Response:
        with system.reading() as session:
            return one(resource, edits.shown(session, resource, id))

    _route(
        resource,
        Verb.SHOW,
        ONE,
        shown,
        "Show a {}",
        "One of them, by its id.",
        **answers(answer_model(resource), UnknownRecord),
    )


def _add_create(resource: Resource) -> None:
    def created(system: Using, request_context: Context, key: GivenKey, payload: Any) -> Response:
        given = attributes_of(payload)
        values = normalized(resource, given)
        return answered(
            system,
            resource,
            with_body(key, given),
            lambda session: _flow(resource).create(session, request_context, resource, values),
        )

    endpoint = _typed(created, payload=request_model(resource))
    told = "Whatever isn't said is null, or as the attribute's description tells."
    _route(
        resource,
        Verb.CREATE,
        "",
        endpoint,
        "Create a {}",
        told,
        **answers(answer_model(resource), IncorrectPayload),
    )


def _add_update(resource: Resource) -> None:
    def updated(
        system: Using, id: Id, request_context: Context, key: GivenKey, payload: Any
    ) -> Response:
        given = attributes_of(payload)
        values = normalized(resource, given)

        def work(session: Any) -> Facts:
            facts: Facts = _flow(resource).update(session, request_context, resource, id, values)
            return facts

        return answered(system, resource, with_body(key, given), work)

    endpoint, told = _typed(updated, payload=request_model(resource)), "Only what is named changes."
    refusals = UnknownRecord, IncorrectPayload, InsufficientScope
    _route(
        resource,
        Verb.UPDATE,
        ONE,
        endpoint,
        "Update a {}",
        told,
        **answers(answer_model(resource), *refusals),
    )


def _add_delete(resource: Resource) -> None:
    def deleted(system: Using, id: Id, request_context: Context) -> None:
        system.transact(_flow(resource).delete, request_context, resource, id)

    options: dict[str, Any] = {"status_code": 204, "response_class": Response}
    refusals = sell_problems(UnknownRecord, InsufficientScope)
    _route(
        resource,
        Verb.DELETE,
        ONE,
        deleted,
        "Delete a {}",
        "It is shown no more.",
        responses=refusals,
        **options,
    )


def _add_upsert(resource: Resource) -> None:
    def upserted(
        system: Using, request_context: Context, key: GivenKey, parameters: Any, payload: Any
    ) -> Response:
        given, asked = attributes_of(payload), match_query_of(resource, parameters)
        values = normalized(resource, given)
        return answered(
            system,
            resource,
            with_body(key, given),
            lambda session: edits.upsert(session, request_context, resource, asked, values),
        )

    endpoint = _typed(
        upserted,
        parameters=Annotated[match_parameters(resource), Query()],
        payload=request_model(resource),
    )
    told = "Updates the one that matches the parameters, of which at least one is needed; creates one where none does."
    refusals = SeveralMatches, IncorrectPayload, InsufficientScope
    _route(
        resource,
        Verb.UPSERT,
        "/upsert",
        endpoint,
        "Update a {}, or create it",
        told,
        **answers(answer_model(resource), *refusals),
    )


_ADD: dict[Verb, Callable[[Resource], None]] = {
    Verb.LIST: _add_list,
    Verb.SHOW: _add_show,
    Verb.CREATE: _add_create,
    Verb.UPDATE: _add_update,
    Verb.DELETE: _add_delete,
    Verb.UPSERT: _add_upsert,
}
