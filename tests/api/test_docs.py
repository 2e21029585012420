"""The API's description: complete, valid, and shown without the internet."""

import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from fastapi.openapi.models import OpenAPI
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from api_stub.app import create_app

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return create_app().openapi()


def operations(described: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        path[method] for path in described["paths"].values() for method in METHODS if method in path
    ]


def references(part: Any) -> Iterator[str]:
    """Every $ref within a part of the description."""
    if isinstance(part, dict):
        yield from (part["$ref"],) if isinstance(part.get("$ref"), str) else ()
        part = list(part.values())
    for each in part if isinstance(part, list) else ():
        yield from references(each)


def test_the_description_is_valid_openapi(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]

    OpenAPI.model_validate(described)
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    assert {
        reference.removeprefix("#/components/schemas/") for reference in references(described)
    } <= set(schemas)


def test_every_operation_has_a_summary_a_description_and_an_id_of_its_own(
    described: dict[str, Any],
) -> None:
    every = operations(described)

    assert len(every) == 97
    assert [
        operation
        for operation in every
        if not operation.get("summary") or not operation.get("description")
    ] == []
    assert set(Counter(operation["operationId"] for operation in every).values()) == {1}
    assert all(re.fullmatch(r"[a-z_]+", operation["operationId"]) for operation in every)


def test_every_refusal_is_described_in_the_shape_it_has(described: dict[str, Any]) -> None:
    every = operations(described)
    refusals = [
        answer
        for operation in every
        for status, answer in operation["responses"].items()
        if status > "399"
    ]

    shapes = {
        answer["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for answer in refusals
    }

    assert shapes == {"ErrorBody", "Health"}
    assert all("default" in operation["responses"] for operation in every)
    assert not {"HTTPValidationError", "ValidationError"} & set(described["components"]["schemas"])


def test_a_refusal_is_described_with_its_code_and_words(described: dict[str, Any]) -> None:
    conflict = described["paths"]["/api/users"]["post"]["responses"]["409"]

    example = conflict["content"]["application/json"]["examples"]["user_exists"]["value"]

    assert (
        conflict["description"] == "`user_exists`: There is already a user with the email {email}."
    )
    assert [error["error"] for error in example["errors"]] == [
        {"code": "user_exists", "message": "There is already a user with the email {email}."}
    ]
    assert example["meta"]["http_status"] == "409 Conflict"


def test_every_operation_wants_a_token_and_says_so_but_health_and_those_of_visitors(
    described: dict[str, Any],
) -> None:
    open_to_all = [
        operation["operationId"]
        for operation in operations(described)
        if not operation.get("security")
    ]
    signed_in = [operation for operation in operations(described) if operation.get("security")]

    assert open_to_all == ["take_in", "health", "form_token", "send_form"]
    assert {
        scheme for operation in signed_in for named in operation["security"] for scheme in named
    } == {"token"}
    assert all(
        "unauthorized" in operation["responses"]["401"]["description"] for operation in signed_in
    )
    assert described["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


class Resources(HTMLParser):
    """What a page has the browser load."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value for name, value in attrs if name in ("src", "href") and value]


def test_the_docs_page_loads_nothing_from_elsewhere() -> None:
    client = TestClient(create_app())

    page = client.get("/docs").text
    loaded = Resources(page).addresses

    assert len(loaded) == 3
    assert [address for address in loaded if not address.startswith("/static-offline-docs/")] == []
    assert [client.get(address).status_code for address in loaded] == [200, 200, 200]
    assert re.findall(r"https?://", page) == []
    assert '"validatorUrl": "none"' in page
    assert client.get("/openapi.json").json()["info"]["title"] == "Evenhand"
