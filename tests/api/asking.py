"""Short requests and answers of the API's tests."""

from typing import Any

from tests.factories import emails

LEADS = b"First Name,Last Name,Region\nAda,Lovelace,EU\nAlan,,EU\nGrace,Hopper,US\nEdsger,Dijkstra,EU\n"


def add_users(client: Any, *addresses: str) -> list[int]:
    """The ids of new users, each named by the letter before the @."""
    return [posted(client, "/api/users", name=address[0].upper(), email=address)["id"] for address in addresses]


def create_pool(client: Any, members: int = 2, name: str = "Inbound", record_type: str = "lead") -> dict[str, Any]:
    """A pool of so many new users."""
    add_users(client, *emails(members))
    return posted(client, "/api/pools", name=name, record_type=record_type, members=emails(members))


def posted(client: Any, path: str, **body: Any) -> dict[str, Any]:
    answer = client.post(path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


def upload(client: Any, content: bytes = LEADS, name: str = "leads.csv", **form: Any) -> Any:
    """The answer to an import, owned by the pool Inbound unless said otherwise."""
    return client.post("/api/imports", files={"file": (name, content, "text/csv")}, data={"owner": "Inbound", **form})


def refusal(answer: Any) -> tuple[int, str, str]:
    """The status, code and message of an answer that is not a success."""
    body = answer.json()
    assert {name: set(content) for name, content in body.items()} == {"error": {"code", "message"}}
    assert answer.headers["content-type"] == "application/json"
    return answer.status_code, body["error"]["code"], body["error"]["message"]
