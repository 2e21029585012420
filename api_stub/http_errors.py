"""The errors of requests that never reach an endpoint, and how the framework's findings become
Evenhand's faults."""

from collections.abc import Mapping, Sequence
from typing import Any

from worker.errors.base import EvenhandError, NotFound, WrongUse
from worker.errors.records import Fault


class InvalidParam(WrongUse):
    """The parameter {name} can't be taken: {reason}."""

    status = 400


class InvalidHeader(WrongUse):
    """The header {name} can't be taken: {reason}."""

    status = 400


class InvalidPayload(WrongUse):
    """The body can't be read: {reason}."""

    status = 400


class InvalidUserAgent(WrongUse):
    """The request has no User-Agent. Send one that tells by which program it is sent."""

    status = 400


class IncorrectPath(NotFound):
    """There is nothing at {path}. /docs lists what there is."""


class WrongMethod(WrongUse):
    """{method} doesn't go with {path}. /docs lists what does."""

    status = 405


class WrongContentType(WrongUse):
    """What is sent must be {expected}."""

    status = 415


class BodyTooLarge(WrongUse):
    """The body is larger than the {most} bytes that are taken here."""

    status = 413


class RequestTimeout(WrongUse):
    """The body, or its next part, did not come within {seconds} s. Send the request again."""

    status = 408


class ServerError(EvenhandError):
    """Something went wrong here that Evenhand doesn't know of. The log has it under the request id
    {request_id}."""


OUTSIDE_THE_BODY = {
    "query": InvalidParam,
    "path": InvalidParam,
    "header": InvalidHeader,
    "cookie": InvalidHeader,
}

BLANK, MISSING, UNKNOWN, INVALID_TYPE, INCORRECT_VALUE = (
    "blank",
    "missing",
    "unknown",
    "invalid_type",
    "incorrect_value",
)

_CODES = {
    "missing": MISSING,
    "extra_forbidden": UNKNOWN,
    "blank": BLANK,
    "int_from_float": INVALID_TYPE,
}
_WORDS = {"extra_forbidden": "There is no such field here; it may be misspelt"}
"""Our words for kinds of findings that the framework explains too briefly."""

_TYPE_SUFFIXES = ("_type", "_parsing")
_TOO_SHORT = "too_short"

Finding = Mapping[str, Any]
"""One of the dicts that pydantic's `ValidationError.errors()` lists."""


def convert_findings(findings: Sequence[Finding]) -> tuple[int, list[Fault]]:
    """Returns the status of the answer, and a fault for each finding of pydantic's validation.

    The lowest status wins: a request that can't be read at all is 400, one with wrong values 422.
    """
    converted = [_convert(finding) for finding in findings]
    return min(status for status, _ in converted), [fault for _, fault in converted]


def _convert(finding: Finding) -> tuple[int, Fault]:
    where, *path = finding["loc"]
    reason = finding["msg"].rstrip(".")
    if where in OUTSIDE_THE_BODY:
        name = str(path[0]) if path else where
        return _add_status(OUTSIDE_THE_BODY[where](name=name, reason=reason), name)
    if finding["type"] == "json_invalid":
        details = f"{finding['ctx']['error']}, at character {path[0]}."
        return _add_status(InvalidPayload(reason="it is no JSON"), details=details)
    if not path:
        expected = "it must be a JSON object, sent with Content-Type: application/json"
        return _add_status(InvalidPayload(reason=expected))
    if path == ["data"]:
        return _add_status(InvalidPayload(reason='it must be an envelope: {"data": {...}}'))
    message = f"{_WORDS.get(finding['type'], reason)}."
    return WrongUse.status, Fault(make_pointer(path), _find_code(finding), message)


def _add_status(error: EvenhandError, field: str = "", details: str = "") -> tuple[int, Fault]:
    return error.status, Fault(field, error.code, str(error), details)


def _find_code(finding: Finding) -> str:
    kind = finding["type"]
    if kind.endswith(_TOO_SHORT) and not str(finding["input"] or "").strip():
        return BLANK
    is_type = kind.endswith(_TYPE_SUFFIXES)
    return _CODES.get(kind, INVALID_TYPE if is_type else INCORRECT_VALUE)


def make_pointer(path: Sequence[str | int]) -> str:
    """Returns the JSON pointer (RFC 6901) to a place within JSON."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
