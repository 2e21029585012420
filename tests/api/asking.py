"""Short requests and answers of the API's tests."""

from typing import Any

from tests.support.factories import emails

PHRASES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Payload Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}

LEADS = (
    b"First Name,Last Name,Region\nAda,Lovelace,EU\nAlan,,EU\nGrace,Hopper,US\nEdsger,Dijkstra,EU\n"
)


def add_users(client: Any, *addresses: str) -> list[int]:
    """The ids of new users, each named by the letter before the @."""
    return [
        posted(client, "/api/users", name=address[0].upper(), email=address)["id"]
        for address in addresses
    ]


def create_pool(
    client: Any, members: int = 2, name: str = "Inbound", record_type: str = "lead"
) -> dict[str, Any]:
    """A pool of so many new users."""
    add_users(client, *emails(members))
    return posted(client, "/api/pools", name=name, record_type=record_type, members=emails(members))


def posted(client: Any, path: str, **body: Any) -> dict[str, Any]:
    answer = client.post(path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


def upload(client: Any, content: bytes = LEADS, name: str = "leads.csv", **form: Any) -> Any:
    """The answer to an import, owned by the pool Inbound unless said otherwise."""
    return client.post(
        "/api/imports",
        files={"file": (name, content, "text/csv")},
        data={"owner": "Inbound", **form},
    )


def refusal(answer: Any) -> tuple[int, str, str]:
    """The status, code and message of an answer that is not a success: of its first error, if it
    has several."""
    [first, *_] = faults(answer)
    return answer.status_code, first["code"], first["message"]


def faults(answer: Any) -> list[dict[str, str]]:
    """What is wrong, error by error, of an answer that is not a success, and that has the shape
    that all of them have."""
    body = answer.json()
    more = {"more_info": f"{answer.request.url.scheme}://{answer.request.url.netloc.decode()}/docs"}
    status = f"{answer.status_code} {PHRASES[answer.status_code]}"
    assert answer.headers["content-type"] == "application/json"
    assert set(body) == {"errors", "meta"}
    assert body["meta"] == {
        "type": "errors",
        "http_status": status,
        "logref": answer.headers["x-request-id"],
        "links": more,
    }
    assert [error["meta"] for error in body["errors"]] == [{"type": "error", "links": more}] * len(
        body["errors"]
    )
    found = [error["error"] for error in body["errors"]]
    assert all(
        {"code", "message"} <= set(fault) <= {"resource", "field", "code", "message", "details"}
        for fault in found
    )
    assert all(isinstance(told, str) and told for fault in found for told in fault.values())
    return found
