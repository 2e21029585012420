"""Envelopes: the frames of the Sell API's responses."""

import orjson
from fastapi import Request, Response

from worker.domain.resources import Resource, ResourceBody
from worker.store.views.catalog import ListQuery, Page


def wrap(resource: Resource, body: ResourceBody) -> Response:
    """The response for one resource."""
    return _respond_json({"data": body, "meta": {"type": resource.type}})


def wrap_page(resource: Resource, request: Request, query: ListQuery, page: Page) -> Response:
    """The response for a page, with links to the pages before and after it."""
    items = [{"data": body, "meta": {"type": resource.type}} for body in page.items]
    links = {"self": str(request.url), "first_page": _make_link(request, 1)}
    if query.page > 1:
        links["prev_page"] = _make_link(request, query.page - 1)
    if page.more:
        links["next_page"] = _make_link(request, query.page + 1)
    meta = {"type": "collection", "count": len(items), "links": links}
    return _respond_json({"items": items, "meta": meta})


def _make_link(request: Request, page: int) -> str:
    return str(request.url.include_query_params(page=page))


def _respond_json(body: object) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")
