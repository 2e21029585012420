"""How more is fetched about a lead from its sender: which request to send, and how to read the
answer. `worker.http_client` sends the request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from worker.domain.intake.leads import LeadValues
from worker.domain.json_content import JsonObject

OK = 200
PASSING_STATUSES = (408, 423, 425, 429)
"""Besides server errors, the statuses that may be otherwise in a while."""


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """A GET request for JSON. `sender` is the sender's name, for messages."""

    sender: str
    url: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FetchResponse:
    """An answer. It has content only with the status 200."""

    status: int
    content: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class FetchLater:
    """The sender can't answer now."""

    reason: str


@dataclass(frozen=True, slots=True)
class FetchNever:
    """The sender refuses, and asking again doesn't help."""

    reason: str


FetchResult = JsonObject | FetchLater | FetchNever


@dataclass(frozen=True, slots=True)
class EnrichmentSource:
    """Where and how a sender gives more about a lead."""

    base_url: str
    """Where its API is, unless the integration names another address."""
    ask: Callable[[str, str, str, Mapping[str, str]], FetchRequest]
    """The request, from base URL, access token, object id and the paths of fields."""
    read_refusal: Callable[[int, str], FetchLater | FetchNever]
    """The function that explains a status other than 200, from the status and the object id."""
    read: Callable[[JsonObject, str, Mapping[str, str]], LeadValues]
    """A lead, from the answer's content, the object id and the paths. Raises BadLead."""
    placeholder: Callable[[str], str]
    """The last name of a lead until its fields are fetched, from the object id."""


def read_status(sender: str, status: int) -> FetchLater | FetchNever:
    """Explains a status other than 200, for any sender."""
    reason = f"{sender} answers with {status}"
    if status in PASSING_STATUSES or status >= 500:
        return FetchLater(reason)
    return FetchNever(reason)


def read_response(
    source: EnrichmentSource, response: FetchResponse | FetchLater, object_id: str
) -> FetchResult:
    """The content of an answer, or why there is none."""
    if isinstance(response, FetchLater):
        return response
    if response.content is None:
        return source.read_refusal(response.status, object_id)
    return response.content
