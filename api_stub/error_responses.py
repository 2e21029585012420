"""The one renderer of errors. Every error answer has the same shape, says what to do, and shows
nothing of the inside."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from string import Formatter
from typing import Any

from asgi_correlation_id import correlation_id
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api_stub.error_body import ErrorBody
from api_stub.http_errors import (
    IncorrectPath,
    InvalidPayload,
    ServerError,
    WrongMethod,
    convert_findings,
)
from api_stub.middleware import REQUEST_ID
from worker.errors.base import EvenhandError, NotFound, Unauthorized, Unavailable
from worker.errors.records import Fault, IncorrectPayload

logger = logging.getLogger(__name__)

SERVER_ERROR = 500

RETRY_SECONDS = 5
"""How long a caller should wait when a server is away. Evenhand goes on within that time once the
server is back."""

SAMPLE_REQUEST_ID, SAMPLE_DOCS = "9f86d081884c7d65", "http://127.0.0.1:8000/docs"

CONTROL, SELL = "/api", "/v2"
"""The paths of our own API and of the Sell-compatible API, whose clients know fewer codes."""


# --- in the documentation ---

Responses = dict[int | str, dict[str, Any]]
"""FastAPI's description of an endpoint's answers, by status."""


def document_errors(*kinds: type[EvenhandError], under: str = CONTROL) -> Responses:
    """Returns the OpenAPI document's description of the errors of an endpoint under that path, by
    status."""
    statuses = sorted({kind.status for kind in kinds})
    return {
        status: _document_status([kind for kind in kinds if kind.status == status], under)
        for status in statuses
    }


def _document_status(kinds: Iterable[type[EvenhandError]], under: str) -> dict[str, Any]:
    samples = {find_code(under, sample): sample for sample in map(_make_sample, kinds)}
    examples = {code: {"value": _make_example(sample, code)} for code, sample in samples.items()}
    description = "\n\n".join(f"`{code}`: {sample}" for code, sample in samples.items())
    return {
        "model": ErrorBody,
        "description": description,
        "content": {"application/json": {"examples": examples}},
    }


def _make_sample(kind: type[EvenhandError]) -> EvenhandError:
    """Makes an error whose facts are their own names in braces."""
    names = [name for _, name, _, _ in Formatter().parse(kind.__doc__ or "") if name]
    return kind(**{name: f"{{{name}}}" for name in names})


def _make_example(sample: EvenhandError, code: str) -> dict[str, Any]:
    faults = [Fault("", code, str(sample))]
    body = ErrorBody.from_faults(sample.status, faults, None, SAMPLE_REQUEST_ID, SAMPLE_DOCS)
    return body.model_dump(exclude_none=True)


ANY_ERROR: Responses = {
    "default": {
        "model": ErrorBody,
        "description": "Any other refusal or failure, such as `invalid_param` or "
        "`database_unreachable`.",
    }
}


# --- in answers ---


def find_code(path: str, error: EvenhandError) -> str:
    """Returns the code of an error as the clients of that path know it."""
    if f"{path}/".startswith(f"{SELL}/"):
        if isinstance(error, NotFound) and not isinstance(error, IncorrectPath):
            return "not_found"
        if error.status == Unavailable.status:
            return "temporarily_unavailable"
    return error.code


def render_all(app: FastAPI) -> None:
    """Makes the app answer every error in Evenhand's words."""
    app.add_exception_handler(EvenhandError, _render_own)
    app.add_exception_handler(RequestValidationError, _render_invalid)
    app.add_exception_handler(HTTPException, _render_http)
    app.add_exception_handler(Exception, _render_unexpected)


def refuse(
    request: Request, error: EvenhandError, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Answers a request that ends in that error. Each fault of an error becomes one of the
    answer's errors."""
    if error.status >= SERVER_ERROR:
        logger.warning("%s: %s", error.code, error)
    all_headers = {**_headers(error), **(headers or {})}
    if isinstance(error, IncorrectPayload) and error.faults:
        resource = error.facts.get("resource")
        return _respond(request, error.status, error.faults, all_headers, resource)
    fault = Fault("", find_code(request.url.path, error), str(error))
    return _respond(request, error.status, [fault], all_headers)


def _headers(error: EvenhandError) -> dict[str, str]:
    if isinstance(error, Unavailable):
        return {"Retry-After": str(RETRY_SECONDS)}
    return {"WWW-Authenticate": "Bearer"} if isinstance(error, Unauthorized) else {}


def _respond(
    request: Request,
    status: int,
    faults: Sequence[Fault],
    headers: Mapping[str, str] | None = None,
    resource: str | None = None,
) -> JSONResponse:
    subject = resource or getattr(request.state, "resource", None)
    docs = f"{request.base_url}docs"
    body = ErrorBody.from_faults(status, faults, subject, correlation_id.get() or "", docs)
    # An endpoint may have left work that follows the answer, even if that is an error.
    afterwards = getattr(request.state, "afterwards", None)
    return JSONResponse(body.model_dump(exclude_none=True), status, headers, background=afterwards)


def _render_own(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, EvenhandError)
    return refuse(request, error)


def _render_invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return _respond(request, *convert_findings(error.errors()))


def _render_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, EvenhandError):  # raised while the framework read the body
        return refuse(request, error.__cause__)
    known = {IncorrectPath.status: IncorrectPath, WrongMethod.status: WrongMethod}
    kind = known.get(error.status_code, InvalidPayload)
    path, reason = request.url.path, error.detail.rstrip(".")
    refusal = kind(method=request.method, path=path, reason=reason)
    return refuse(request, refusal, error.headers)


def _render_unexpected(request: Request, error: Exception) -> JSONResponse:
    """Answers with the request's id, and logs what happened under it. The server logs the trace by
    itself."""
    request_id, kind = correlation_id.get() or "", type(error).__name__
    method, path = request.method, request.url.path
    logger.error("request %s: %s %s ended in %s", request_id, method, path, kind)
    unexpected = ServerError(request_id=request_id)
    fault = Fault("", unexpected.code, str(unexpected))
    return _respond(request, SERVER_ERROR, [fault], {REQUEST_ID: request_id})
