"""Whatever a program asks that knows the description and nothing else: no failure of ours, and no
answer that isn't described."""

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.asking import create_pool
from tests.sell.asking import create
from tests.support.invariants import assert_promise
from worker.flows.system import System

CHECKS: list[Callable[..., Any]] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

EXAMPLES = 6
"""For each operation, of requests that fit the description and as many that don't."""

LEFT_OUT = {
    "revoke_token": "it may revoke its own",
    "deactivate_user": "it may deactivate who asks",
    "health": "it tells that there is no broker here",
}


def ask(operation: Any, mode: GenerationMode, token: str) -> None:
    """Asks for one operation in several ways, and checks what is answered."""
    quiet = settings(
        max_examples=EXAMPLES,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )

    @quiet
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": token}, checks=CHECKS)

    check()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # the stricter of the two
def test_every_answer_to_whatever_is_asked_is_described_and_none_is_a_failure(
    app: FastAPI, client: Any, system: System
) -> None:
    pool = create_pool(client, 3)
    create(client, "leads", owner_id=pool["id"])
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)

    asked = []
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        if operation.definition.raw["operationId"] not in LEFT_OUT:
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                ask(operation, mode, client.headers["Authorization"])
            asked.append(operation.label)

    assert len(asked) > 60
    assert client.get("/v2/users/self").status_code == 200
    assert_promise(system, quiet=False)
