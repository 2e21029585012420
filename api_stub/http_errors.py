"""What is refused before it reaches an endpoint, and how the framework's words about it become
ours."""

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

_BY_KIND = {
    "missing": MISSING,
    "extra_forbidden": UNKNOWN,
    "blank": BLANK,
    "int_from_float": INVALID_TYPE,
}
_WORDS = {"extra_forbidden": "There is no such field here; it may be misspelt"}
"""Where the framework's words tell people too little."""

_OF_A_TYPE = ("_type", "_parsing")
_TOO_SHORT = "too_short"


def faults_of(found: Sequence[Mapping[str, Any]]) -> tuple[int, list[Fault]]:
    """The status that says what kind of thing is wrong with a request, and each fault that
    validation has found in it."""
    told = [_told(fault) for fault in found]
    return min(status for status, _ in told), [fault for _, fault in told]


def _told(found: Mapping[str, Any]) -> tuple[int, Fault]:
    where, *path = found["loc"]
    reason = found["msg"].rstrip(".")
    if where in OUTSIDE_THE_BODY:
        name = str(path[0]) if path else where
        return _as_told(OUTSIDE_THE_BODY[where](name=name, reason=reason), name)
    if found["type"] == "json_invalid":
        return _as_told(
            InvalidPayload(reason="it is no JSON"),
            details=f"{found['ctx']['error']}, at character {path[0]}.",
        )
    if not path:
        return _as_told(
            InvalidPayload(
                reason="it must be a JSON object, sent with Content-Type: application/json"
            )
        )
    if path == ["data"]:
        return _as_told(InvalidPayload(reason='it must be an envelope: {"data": {...}}'))
    return WrongUse.status, Fault(
        pointer(path), _code(found), f"{_WORDS.get(found['type'], reason)}."
    )


def _as_told(error: EvenhandError, field: str = "", details: str = "") -> tuple[int, Fault]:
    return error.status, Fault(field, error.code, str(error), details)


def _code(found: Mapping[str, Any]) -> str:
    kind = found["type"]
    if kind.endswith(_TOO_SHORT) and not str(found["input"] or "").strip():
        return BLANK
    return _BY_KIND.get(kind, INVALID_TYPE if kind.endswith(_OF_A_TYPE) else INCORRECT_VALUE)


def pointer(path: Sequence[str | int]) -> str:
    """A place within JSON, as a JSON pointer."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
