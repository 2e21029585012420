"""The HTTP API as a whole."""

from importlib.metadata import version

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from api_stub import health
from api_stub.control import captures, imports, people, pools, records
from api_stub.middleware import BodyLimit, RequestId
from api_stub.problems import ANY_PROBLEM, render_all

MOST_BODY_BYTES = 2**20
MOST_UPLOAD_BYTES = 2**30

DESCRIPTION = """
Evenhand hands every incoming lead, contact and deal to the next member of a pool: exact round robin, from every door at once.

An answer that is not a success has the body `{"error": {"code": ..., "message": ...}}`: the code for programs, the message for people.
Every answer carries an `X-Request-Id`, which is the request's own if it came with one.
"""


def create_app() -> FastAPI:
    """The app with all its routes. Its docs load nothing from elsewhere; ReDoc, whose page would, is left out."""
    app = FastAPIOffline(
        docs_url="/docs",
        redoc_url=None,
        title="Evenhand",
        version=version("evenhand"),
        description=DESCRIPTION,
        responses=ANY_PROBLEM,
        generate_unique_id_function=lambda route: route.name,
        swagger_ui_parameters={"validatorUrl": "none"},
    )
    for part in (captures, imports, people, pools, records, health):
        app.include_router(part.router)
    app.add_middleware(BodyLimit, most_bytes=MOST_BODY_BYTES, at={imports.UPLOADS: MOST_UPLOAD_BYTES})
    app.add_middleware(RequestId)
    render_all(app)
    return app


app = create_app()
