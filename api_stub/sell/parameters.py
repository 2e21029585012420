"""What a request asks for, taken out of its parameters, headers and body."""

import re
import secrets
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from api_stub.deps import NO_SUCH, Acting, Using
from api_stub.http_errors import InvalidUserAgent
from worker.domain.resources import Resource
from worker.domain.turns.claims import request_claim
from worker.flows.records.edits import RequestContext
from worker.store.records.catalog import ListQuery

_FIELD = re.compile(r"custom_fields\[([^\0]{1,320})\]")
"""A name may hold brackets itself."""

_PAGING = ("page", "per_page", "sort_by", "ids")


def list_query_of(resource: Resource, parameters: BaseModel) -> ListQuery:
    """What a list or an upsert is asked for. Raises RequestValidationError for a parameter that
    doesn't exist."""
    given = parameters.model_dump(by_alias=True, exclude_none=True)
    filters = {name: given.pop(name) for name in resource.filters if name in given}
    paging = {
        name: given.pop(name)
        for name in _PAGING
        if name in given and name in type(parameters).model_fields
    }
    ids = [int(number) for number in paging["ids"].split(",")] if "ids" in paging else None
    return ListQuery(
        filters,
        _fields(given),
        ids,
        paging.get("sort_by"),
        paging.get("page", 1),
        paging.get("per_page", 25),
    )


def match_query_of(resource: Resource, parameters: BaseModel) -> ListQuery:
    """What the record to be updated must say. Without any condition that would be every record.
    Raises RequestValidationError."""
    asked = list_query_of(resource, parameters)
    if not asked.filters and not asked.fields:
        raise refused(
            resource.filters[0], "It or another one is needed, to tell which record is meant"
        )
    return asked


def _fields(others: Mapping[str, Any]) -> dict[str, str]:
    """What is left are custom fields by name."""
    found = {}
    for parameter, text in others.items():
        named = _FIELD.fullmatch(parameter)
        if named is None or not isinstance(text, str) or "\0" in text:
            raise refused(parameter, NO_SUCH)
        found[named[1]] = text
    return found


def attributes_of(payload: Any) -> dict[str, Any]:
    """The attributes that a request's envelope holds; those it doesn't name are left out."""
    given: dict[str, Any] = payload.data.model_dump(exclude_unset=True)
    return given


async def request_context(system: Using, actor: Acting) -> RequestContext:
    """Who asks, under a claim of this request's own."""
    return RequestContext(actor, request_claim(secrets.token_hex(16)))


async def known_agent(
    user_agent: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> None:
    """Sell refuses a request that doesn't say by whom it is sent."""
    if not (user_agent or "").strip():
        raise InvalidUserAgent


def about(resource: Resource) -> Any:
    """Has errors say what they are about."""

    async def note(request: Request) -> None:
        request.state.resource = resource.type

    return Depends(note)


async def no_parameters(request: Request) -> None:
    """Refuses whatever parameter there is."""
    for name in request.query_params:
        raise refused(name, NO_SUCH)


def refused(parameter: str, reason: str) -> RequestValidationError:
    """The same as what validation says of a parameter that doesn't fit."""
    return RequestValidationError(
        [{"loc": ("query", parameter), "type": "value_error", "msg": reason}]
    )
