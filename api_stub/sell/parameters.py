"""Reads the parameters, headers and body of a request."""

import re
import secrets
from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Header, Request, params
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from api_stub.deps import NO_SUCH, Acting
from api_stub.http_errors import InvalidUserAgent
from worker.domain.records.editing import Values
from worker.domain.resources import Resource
from worker.domain.turns.claims import name_request_claim
from worker.flows.records.edits import RequestContext
from worker.settings import settings
from worker.store.views.catalog import ListQuery

_FIELD = re.compile(r"custom_fields\[([^\0]{1,320})\]")
"""A name may hold brackets itself."""

_PAGING = ("page", "per_page", "sort_by", "ids")


def read_list_query(resource: Resource, parameters: BaseModel) -> ListQuery:
    """The parameters of a list or an upsert. Raises RequestValidationError for a parameter that
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
        _read_fields(given),
        ids,
        paging.get("sort_by"),
        paging.get("page", 1),
        paging.get("per_page", 25),
    )


def read_match_query(resource: Resource, parameters: BaseModel) -> ListQuery:
    """The values that the record to update must have. Raises RequestValidationError for a request
    without any condition, which every record would match."""
    query = read_list_query(resource, parameters)
    if not query.filters and not query.fields:
        raise refuse(
            resource.filters[0], "It or another one is needed, to tell which record is meant"
        )
    return query


def _read_fields(others: Mapping[str, object]) -> dict[str, str]:
    """Custom fields by name: nothing else is left."""
    found = {}
    for parameter, text in others.items():
        named = _FIELD.fullmatch(parameter)
        if named is None or not isinstance(text, str) or "\0" in text:
            raise refuse(parameter, NO_SUCH)
        found[named[1]] = text
    return found


def read_attributes(payload: BaseModel) -> Values:
    """The attributes that a request's envelope names."""
    given: Values = payload.model_dump(include={"data"}, exclude_unset=True)["data"]
    return given


async def make_request_context(actor: Acting) -> RequestContext:
    """Who asks, under a claim of this request's own."""
    return RequestContext(actor, name_request_claim(secrets.token_hex(16)), settings().currency)


async def check_user_agent(
    user_agent: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> None:
    """Sell refuses a request without a `User-Agent`, which names its sender."""
    if not (user_agent or "").strip():
        raise InvalidUserAgent


def tag_errors(resource: Resource) -> params.Depends:
    """Notes the type of the resource, which error responses name."""

    async def note(request: Request) -> None:
        request.state.resource = resource.type

    return Depends(note)


async def refuse_parameters(request: Request) -> None:
    """Refuses every parameter."""
    for name in request.query_params:
        raise refuse(name, NO_SUCH)


def refuse(parameter: str, reason: str) -> RequestValidationError:
    """The error that validation raises for a wrong parameter."""
    return RequestValidationError(
        [{"loc": ("query", parameter), "type": "value_error", "msg": reason}]
    )
