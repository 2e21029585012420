"""The HTTP API as a whole."""

from importlib.metadata import version

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from api_stub import health
from api_stub.control import (
    audit,
    captures,
    forms,
    imports,
    integrations,
    lists,
    people,
    pools,
    reassignments,
    runs,
    tokens,
)
from api_stub.error_responses import ANY_ERROR, render_all
from api_stub.intake import forms as hosted
from api_stub.intake import hooks
from api_stub.limits import RateLimitHeaders
from api_stub.middleware import BodyLimit, BodyTimeout, RequestId
from api_stub.sell import app as sell
from worker.domain.intake.forms import PATH as FORMS

MOST_BODY_BYTES = 2**20
MOST_UPLOAD_BYTES = 2**30
BODY_BYTES_UNDER = {imports.UPLOADS: MOST_UPLOAD_BYTES, f"{FORMS}/": hosted.MOST_BYTES}
BODY_SECONDS = 30.0

DESCRIPTION = """
Evenhand hands every incoming lead, contact and deal to the next member of a pool: exact round
robin, from every door at once.

Everything under `/api` and `/v2` wants an access token: `Authorization: Bearer TOKEN`.
`evenhand user token EMAIL --name NAME` makes one.

An answer that is not a success has the body
`{"errors": [{"error": {"code": ..., "message": ...}, ...}], "meta": ...}`: the code for programs,
the message for people. Every answer carries an `X-Request-Id`, which is the request's own if it
came with one.

An access token may make so many requests in an hour. `RateLimit-Limit`, `RateLimit-Remaining` and
`RateLimit-Reset` (in seconds) say how many are left. Past the limit the answer is 429
`rate_limit_exceeded`, with a `Retry-After`.
"""


def create_app() -> FastAPI:
    """Makes the app with all its routes. The page of its docs loads nothing from other hosts. ReDoc
    is left out, because its page would."""
    app = FastAPIOffline(
        docs_url="/docs",
        redoc_url=None,
        title="Evenhand",
        version=version("evenhand"),
        description=DESCRIPTION,
        responses=ANY_ERROR,
        generate_unique_id_function=lambda route: route.name,
        swagger_ui_parameters={"validatorUrl": "none"},
    )
    for part in (
        captures,
        forms,
        imports,
        reassignments,
        runs,
        people,
        tokens,
        pools,
        audit,
        integrations,
        lists,
        hooks,
        health,
    ):
        app.include_router(part.router)
    app.include_router(sell.router)
    app.include_router(hosted.router)
    app.add_middleware(BodyLimit, most_bytes=MOST_BODY_BYTES, under=BODY_BYTES_UNDER)
    app.add_middleware(RateLimitHeaders)
    app.add_middleware(BodyTimeout, seconds=BODY_SECONDS)
    app.add_middleware(RequestId)
    render_all(app)
    return app


app = create_app()
