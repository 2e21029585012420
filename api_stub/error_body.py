"""The body of every answer that is not a success, as Zendesk documents it for the Sell API, so that
its clients understand it."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Literal

from pydantic import BaseModel, Field

from worker.errors.records import Fault

PHRASES = {413: "Payload Too Large", 422: "Unprocessable Entity"}
"""Phrases that changed with Python 3.13."""


class ErrorLinks(BaseModel):
    """Where to read on."""

    more_info: str = Field(description="The documentation.")


class ErrorFacts(BaseModel):
    """The fault, in words."""

    resource: str | None = Field(None, description="What it is about, such as `lead`.")
    field: str | None = Field(
        None,
        description="Where in the body, as a JSON pointer like `/name`; or the parameter's name.",
    )
    code: str = Field(description="For programs: it never changes.")
    message: str = Field(description="For people: what is wrong, and what to do.")
    details: str | None = Field(None, description="For people: more about it.")


class ErrorMeta(BaseModel):
    """The kind of thing that this is."""

    type: Literal["error"] = "error"
    links: ErrorLinks


class Error(BaseModel):
    """One thing that is wrong."""

    error: ErrorFacts
    meta: ErrorMeta


class ErrorsMeta(BaseModel):
    """The answer as a whole."""

    type: Literal["errors"] = "errors"
    http_status: str = Field(
        description="The status with its phrase, such as `422 Unprocessable Entity`."
    )
    logref: str = Field(
        description="The request's id, which `X-Request-Id` has, too. Search the log for it."
    )
    links: ErrorLinks


class ErrorBody(BaseModel):
    """The body of every answer that is not a success. Fields without a value are left out."""

    errors: list[Error]
    meta: ErrorsMeta

    @classmethod
    def from_faults(
        cls, status: int, faults: Sequence[Fault], resource: str | None, logref: str, docs: str
    ) -> "ErrorBody":
        """Makes the body of one answer. `resource` is the subject of the faults, `logref` the
        request's id, and `docs` the address of the documentation."""
        links = ErrorLinks(more_info=docs)
        errors = [
            Error(error=_describe(fault, resource), meta=ErrorMeta(links=links)) for fault in faults
        ]
        return cls(
            errors=errors,
            meta=ErrorsMeta(http_status=_add_phrase(status), logref=logref, links=links),
        )


def _describe(fault: Fault, resource: str | None) -> ErrorFacts:
    return ErrorFacts(
        resource=resource,
        field=fault.field or None,
        code=fault.code,
        message=fault.message,
        details=fault.details or None,
    )


def _add_phrase(status: int) -> str:
    """Returns the status with its phrase, the same under every Python."""
    return f"{status} {PHRASES.get(status) or HTTPStatus(status).phrase}"
