"""The faults that the attributes of a request can have."""

from collections.abc import Mapping

from worker.domain.resources.resource import Resource
from worker.errors.records import Fault, IncorrectPayload

BLANK, MISSING, INCORRECT = "blank", "missing", "incorrect_value"


def at(name: str) -> str:
    """The place of an attribute in a request's body, as a JSON pointer (RFC 6901)."""
    return f"/data/{name}"


def check_needed(
    resource: Resource, given: Mapping[str, object], alternatives: tuple[str, ...]
) -> None:
    """Raises IncorrectPayload unless one of those attributes has a value. The code is `blank` if
    the request names one of them, else `missing`."""
    if not any(given.get(name) for name in alternatives):
        code = BLANK if any(name in given for name in alternatives) else MISSING
        what = " or ".join(name.replace("_", " ") for name in alternatives)
        raise IncorrectPayload.of(
            resource.type,
            [Fault(at(alternatives[0]), code, f"is needed: a {resource.type} needs a {what}")],
        )
