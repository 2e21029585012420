"""Envelopes: what answers are wrapped in, and what is taken out of requests."""

from typing import Any

import orjson
from fastapi import Request, Response

from worker.domain.resources import Resource
from worker.store.records.catalog import ListQuery, Page
from worker.store.views.facts import Facts


def one(resource: Resource, facts: Facts) -> Response:
    return _json({"data": facts, "meta": {"type": resource.type}})


def collection(resource: Resource, request: Request, asked: ListQuery, page: Page) -> Response:
    """A page, with links to those beside it."""
    items = [{"data": facts, "meta": {"type": resource.type}} for facts in page.items]
    links = {"self": str(request.url), "first_page": _page(request, 1)}
    if asked.page > 1:
        links["prev_page"] = _page(request, asked.page - 1)
    if page.more:
        links["next_page"] = _page(request, asked.page + 1)
    return _json(
        {"items": items, "meta": {"type": "collection", "count": len(items), "links": links}}
    )


def _page(request: Request, number: int) -> str:
    return str(request.url.include_query_params(page=number))


def _json(body: Any) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")
