"""Short requests and answers of the Sell API's tests."""

from collections.abc import Mapping
from typing import Any

from tests.api.asking import faults


def create(client: Any, path: str, headers: dict[str, str] | None = None, **attributes: Any) -> Any:
    """The answer to a request that creates something; what it needs is filled in."""
    needed: dict[str, dict[str, Any]] = {
        "leads": {"last_name": "Lee"},
        "contacts": {"last_name": "Lee"},
        "deals": {"name": "Big one"},
    }
    return client.post(
        f"/v2/{path}", json={"data": {**needed.get(path, {}), **attributes}}, headers=headers
    )


def change(client: Any, path: str, headers: dict[str, str] | None = None, **attributes: Any) -> Any:
    """The answer to a request that changes something, such as leads/7."""
    return client.put(f"/v2/{path}", json={"data": attributes}, headers=headers)


# --- what a success holds ---


def told(answer: Any) -> Any:
    """What a success holds."""
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def created(client: Any, path: str, **attributes: Any) -> dict[str, Any]:
    return told(client.post(f"/v2/{path}", json={"data": attributes}))


def updated(client: Any, path: str, number: int, **attributes: Any) -> dict[str, Any]:
    return told(client.put(f"/v2/{path}/{number}", json={"data": attributes}))


def shown(client: Any, path: str, number: int | str) -> dict[str, Any]:
    return told(client.get(f"/v2/{path}/{number}"))


def listed(
    client: Any, path: str, parameters: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """What the items of a page hold."""
    answer = client.get(f"/v2/{path}", params={"per_page": 100, **(parameters or {})})
    assert answer.status_code == 200, answer.text
    return [item["data"] for item in answer.json()["items"]]


def names(client: Any, path: str, parameters: Mapping[str, Any] | None = None) -> list[str]:
    """By what the items of a page are called, be it a name or a last name."""
    return [item.get("name") or item["last_name"] for item in listed(client, path, parameters)]


def items(answer: Any) -> list[Any]:
    """What a page holds, item by item."""
    assert answer.status_code == 200, answer.text
    return [item["data"] for item in answer.json()["items"]]


# --- what is wrong ---


def wrong(answer: Any) -> list[tuple[int, str | None, str]]:
    """The status, field and code of each fault of an answer that is not a success."""
    return [(answer.status_code, fault.get("field"), fault["code"]) for fault in faults(answer)]


def fault(answer: Any) -> tuple[int, str, str]:
    """The status, code and field of an answer with one fault."""
    [only] = faults(answer)
    return answer.status_code, only["code"], only.get("field", "")
