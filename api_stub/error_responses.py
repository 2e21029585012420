"""The one renderer of errors: whatever goes wrong, the answer has the same shape, says what to do,
and shows nothing of the inside."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from string import Formatter
from typing import Any

from asgi_correlation_id import correlation_id
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api_stub.error_body import Problem
from api_stub.http_errors import IncorrectPath, InvalidPayload, ServerError, WrongMethod, faults_of
from api_stub.middleware import REQUEST_ID
from worker.errors.base import EvenhandError, NotFound, Unauthorized, Unavailable
from worker.errors.records import Fault, IncorrectPayload

logger = logging.getLogger(__name__)

SERVER_ERROR = 500

RETRY_SECONDS = 5
"""What a caller is told to wait when a server is away: Evenhand goes on within that time once it is
back."""

CONTROL, SELL = "/api", "/v2"
"""Where our own verbs are, and where the Sell-compatible API is, whose clients know fewer codes."""


# --- how the docs tell of them ---


def problems(*kinds: type[EvenhandError], under: str = CONTROL) -> dict[int | str, dict[str, Any]]:
    """How the docs tell of the errors that an endpoint under that path may answer with, by status."""
    statuses = sorted({kind.status for kind in kinds})
    return {
        status: _documented([kind for kind in kinds if kind.status == status], under)
        for status in statuses
    }


def _documented(kinds: Iterable[type[EvenhandError]], under: str) -> dict[str, Any]:
    samples = [(_sample(kind), code_of(_sample(kind), under)) for kind in kinds]
    examples = {code: {"value": _example(sample, code)} for sample, code in samples}
    description = "\n\n".join(f"`{code}`: {sample}" for sample, code in samples)
    return {
        "model": Problem,
        "description": description,
        "content": {"application/json": {"examples": examples}},
    }


def _sample(kind: type[EvenhandError]) -> EvenhandError:
    """An error that tells its facts by their names."""
    return kind(
        **{name: f"{{{name}}}" for _, name, _, _ in Formatter().parse(kind.__doc__ or "") if name}
    )


def _example(sample: EvenhandError, code: str) -> dict[str, Any]:
    problem = Problem.of(
        sample.status,
        [Fault("", code, str(sample))],
        None,
        "9f86d081884c7d65",
        "http://127.0.0.1:8000/docs",
    )
    return problem.model_dump(exclude_none=True)


ANY_PROBLEM: dict[int | str, dict[str, Any]] = {
    "default": {
        "model": Problem,
        "description": "Any other refusal or failure, such as `invalid_param` or `database_unreachable`.",
    }
}


# --- how they are answered ---


def code_of(error: EvenhandError, path: str) -> str:
    """The code of an error as the clients of that path know it."""
    if f"{path}/".startswith(f"{SELL}/"):
        if isinstance(error, NotFound) and not isinstance(error, IncorrectPath):
            return "not_found"
        if error.status == Unavailable.status:
            return "temporarily_unavailable"
    return error.code


def render_all(app: FastAPI) -> None:
    """Has the app answer every error in our words."""
    app.add_exception_handler(EvenhandError, _render_own)
    app.add_exception_handler(RequestValidationError, _render_invalid)
    app.add_exception_handler(HTTPException, _render_http)
    app.add_exception_handler(Exception, _render_unexpected)


def refuse(
    request: Request, error: EvenhandError, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The answer to a request that ends in that error. An error with several faults is told as so
    many errors."""
    if error.status >= SERVER_ERROR:
        logger.warning("%s: %s", error.code, error)
    faults = error.faults if isinstance(error, IncorrectPayload) else ()
    told = faults or [Fault("", code_of(error, request.url.path), str(error))]
    return _answer(
        request,
        error.status,
        told,
        {**_headers(error), **(headers or {})},
        error.facts.get("resource") if faults else None,
    )


def _headers(error: EvenhandError) -> dict[str, str]:
    if isinstance(error, Unavailable):
        return {"Retry-After": str(RETRY_SECONDS)}
    return {"WWW-Authenticate": "Bearer"} if isinstance(error, Unauthorized) else {}


def _answer(
    request: Request,
    status: int,
    faults: Sequence[Fault],
    headers: Mapping[str, str] | None = None,
    resource: str | None = None,
) -> JSONResponse:
    about = resource or getattr(request.state, "resource", None)
    problem = Problem.of(
        status, faults, about, correlation_id.get() or "", f"{request.base_url}docs"
    )
    afterwards = getattr(
        request.state, "afterwards", None
    )  # what is to be done after the answer, whatever it is
    return JSONResponse(
        problem.model_dump(exclude_none=True), status, headers, background=afterwards
    )


def _render_own(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, EvenhandError)
    return refuse(request, error)


def _render_invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return _answer(request, *faults_of(error.errors()))


def _render_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, EvenhandError):  # raised while the framework read the body
        return refuse(request, error.__cause__)
    known = {IncorrectPath.status: IncorrectPath, WrongMethod.status: WrongMethod}
    kind = known.get(error.status_code, InvalidPayload)
    return refuse(
        request,
        kind(method=request.method, path=request.url.path, reason=error.detail.rstrip(".")),
        error.headers,
    )


def _render_unexpected(request: Request, error: Exception) -> JSONResponse:
    """The server logs the trace by itself; this ties it to the request."""
    request_id = correlation_id.get()
    logger.error(
        "request %s: %s %s ended in %s",
        request_id,
        request.method,
        request.url.path,
        type(error).__name__,
    )
    unexpected = ServerError(request_id=request_id)
    return _answer(
        request,
        SERVER_ERROR,
        [Fault("", unexpected.code, str(unexpected))],
        {REQUEST_ID: request_id or ""},
    )
