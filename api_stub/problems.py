"""The one renderer of errors: whatever goes wrong, the answer has the same shape, says what to do, and shows nothing of the inside."""

import logging
from collections.abc import Iterable
from string import Formatter
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from worker.errors import EvenhandError, NotFound, Unavailable, WrongUse

logger = logging.getLogger(__name__)

SERVER_ERROR = 500

RETRY_SECONDS = 5
"""What a caller is told to wait when a server is away: Evenhand goes on within that time once it is back."""


class InvalidRequest(WrongUse):
    """The request doesn't fit: {faults}."""


class UnreadableRequest(WrongUse):
    """The request can't be read: {reason}."""

    status = 400


class UnknownAddress(NotFound):
    """There is nothing at {path}. /docs lists what there is."""


class WrongMethod(WrongUse):
    """{method} doesn't go with {path}. /docs lists what does."""

    status = 405


class BodyTooLarge(WrongUse):
    """The body is larger than the {most} bytes that are taken here."""

    status = 413


class Unexpected(EvenhandError):
    """Something went wrong here that Evenhand doesn't know of. The log has it under the request id {request_id}."""


class Fault(BaseModel):
    """What went wrong."""

    code: str = Field(description="For programs: it never changes.")
    message: str = Field(description="For people: what is wrong, and what to do.")


class Problem(BaseModel):
    """The body of every answer that is not a success."""

    error: Fault

    @classmethod
    def of(cls, error: EvenhandError) -> "Problem":
        return cls(error=Fault(code=error.code, message=str(error)))


def problems(*kinds: type[EvenhandError]) -> dict[int | str, dict[str, Any]]:
    """How the docs tell of the errors that an endpoint may answer with, by status."""
    return {status: _documented(kind for kind in kinds if kind.status == status) for status in sorted({kind.status for kind in kinds})}


def _documented(kinds: Iterable[type[EvenhandError]]) -> dict[str, Any]:
    samples = [_sample(kind) for kind in kinds]
    examples = {sample.code: {"value": Problem.of(sample).model_dump()} for sample in samples}
    description = "\n\n".join(f"`{sample.code}`: {sample}" for sample in samples)
    return {"model": Problem, "description": description, "content": {"application/json": {"examples": examples}}}


def _sample(kind: type[EvenhandError]) -> EvenhandError:
    """An error that tells its facts by their names."""
    return kind(**{name: f"{{{name}}}" for _, name, _, _ in Formatter().parse(kind.__doc__ or "") if name})


ANY_PROBLEM: dict[int | str, dict[str, Any]] = {
    "default": {"model": Problem, "description": "Any other refusal or failure, such as `invalid_request` or `database_unreachable`."}
}


def render_all(app: FastAPI) -> None:
    """Has the app answer every error in our words."""
    app.add_exception_handler(EvenhandError, _render_own)
    app.add_exception_handler(RequestValidationError, _render_invalid)
    app.add_exception_handler(HTTPException, _render_http)
    app.add_exception_handler(Exception, _render_unexpected)


def _answer(error: EvenhandError, headers: Any = None) -> JSONResponse:
    if error.status >= SERVER_ERROR:
        logger.warning("%s: %s", error.code, error)
    if isinstance(error, Unavailable):
        headers = {"Retry-After": str(RETRY_SECONDS)}
    return JSONResponse(Problem.of(error).model_dump(), error.status, headers)


def _render_own(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, EvenhandError)
    return _answer(error)


def _render_invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].rstrip('.')}" for fault in error.errors()]
    return _answer(InvalidRequest(faults="; ".join(faults)))


def _render_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, EvenhandError):  # raised while the framework read the body
        return _answer(error.__cause__)
    known = {UnknownAddress.status: UnknownAddress, WrongMethod.status: WrongMethod}
    kind = known.get(error.status_code, UnreadableRequest)
    return _answer(kind(method=request.method, path=request.url.path, reason=error.detail.rstrip(".")), error.headers)


def _render_unexpected(request: Request, error: Exception) -> JSONResponse:
    """The server logs the trace by itself; this ties it to the request."""
    request_id = request.state.request_id
    logger.error("request %s: %s %s ended in %s", request_id, request.method, request.url.path, type(error).__name__)
    return JSONResponse(Problem.of(Unexpected(request_id=request_id)).model_dump(), SERVER_ERROR, {"X-Request-Id": request_id})
