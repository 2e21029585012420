"""Whatever goes wrong is answered in one shape, with a status, a code and a sentence that says what
to do."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api_stub.app import MOST_BODY_BYTES, MOST_UPLOAD_BYTES, create_app
from tests.api.asking import add_users, create_pool, faults, posted, refusal, upload
from tests.support.tasks import Tasks
from worker.errors.base import EvenhandError, Unauthorized
from worker.errors.people import LastAdmin, UnknownUser
from worker.errors.records import Fault, IncorrectPayload, UnknownRecord
from worker.errors.servers import DatabaseUnreachable, TookTooLong
from worker.errors.turns import StillRefused
from worker.flows.system import System
from worker.flows.system import system as the_system
from worker.ring import Ring
from worker.ring.client import connect
from worker.store.sql.engine import open_engine

Ask = Callable[[Any], Any]


def pool_1(client: Any) -> str:
    """The address of the one pool, which has the members a and b."""
    return f"/api/pools/{client.get('/api/pools').json()[0]['id']}"


REFUSALS: dict[str, tuple[Ask, int, str]] = {
    # users
    "user_exists": (
        lambda api: api.post("/api/users", json={"name": "A", "email": "A@example.com"}),
        409,
        "email a@example.com",
    ),
    "bad_email": (
        lambda api: api.post("/api/users", json={"name": "A", "email": "nobody"}),
        422,
        "'nobody'",
    ),
    "blank_name": (
        lambda api: api.post("/api/users", json={"name": " ", "email": "n@example.com"}),
        422,
        "user needs a name",
    ),
    "unknown_token": (lambda api: api.delete("/api/tokens/999"), 404, "no token 999"),
    "unknown_user": (lambda api: api.post("/api/users/999/deactivate"), 404, "999"),
    # pools
    "unknown_pool": (lambda api: api.get("/api/pools/999/ledger"), 404, "999"),
    "pool_exists": (lambda api: api.post("/api/pools", json={"name": "inbound"}), 409, "'inbound'"),
    "unknown_record_type": (
        lambda api: api.post("/api/pools", json={"name": "N", "record_type": "task"}),
        422,
        "lead, contact or deal",
    ),
    "already_member": (
        lambda api: api.post(f"{pool_1(api)}/members", json={"members": ["a@example.com"]}),
        409,
        "already a member",
    ),
    "ambiguous_user": (
        lambda api: api.post(f"{pool_1(api)}/members", json={"members": ["Same"]}),
        422,
        "Use the email",
    ),
    "not_a_member": (
        lambda api: api.delete(f"{pool_1(api)}/members/{_same(api)}"),
        404,
        "Same is not a member",
    ),
    # imports
    "unknown_owner": (lambda api: upload(api, owner="Nobody"), 404, "'Nobody'"),
    "wrong_pool_type": (lambda api: upload(api, type="deal"), 422, "can't take a deal"),
    "empty_pool": (lambda api: upload(api, owner="Empty"), 422, "no members"),
    "unreadable_file": (lambda api: upload(api, b""), 422, "no header"),
    "bad_mapping": (lambda api: upload(api, map=["Surname"]), 422, '"Header=field"'),
    "unknown_field": (lambda api: upload(api, map=["Region=zone"]), 422, "'zone'"),
    "unknown_header": (lambda api: upload(api, map=["Zone=last_name"]), 422, "'Zone'"),
    "unknown_run": (lambda api: api.get("/api/runs/999"), 404, "999"),
    "no_receipt_yet": (
        lambda api: api.get(f"/api/runs/{upload(api).json()['id']}/receipt"),
        409,
        "accepted",
    ),
    "unknown_record": (lambda api: api.get("/api/why/lead/999"), 404, "lead 999"),
    # the request itself
    "missing": (lambda api: api.post("/api/users", json={"name": "A"}), 422, "Field required"),
    "invalid_payload": (lambda api: _torn_upload(api), 400, "can't be read"),
    "invalid_param": (lambda api: api.get("/api/runs?limit=x"), 400, "parameter limit"),
    "unauthorized": (
        lambda api: api.get("/api/runs", headers={"Authorization": "Bearer none"}),
        401,
        "evenhand user token",
    ),
    "incorrect_path": (lambda api: api.get("/api/nothing"), 404, "/api/nothing"),
    "wrong_method": (lambda api: api.put("/api/users"), 405, "PUT"),
}


def _same(client: Any) -> int:
    """The id of one of two who are called Same."""
    return next(user["id"] for user in client.get("/api/users").json() if user["name"] == "Same")


def _torn_upload(client: Any) -> Any:
    return client.post(
        "/api/imports",
        content=b"--x\r\nno part",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )


def test_each_refusal_has_its_status_its_code_and_its_reason(
    client: Any, subtests: pytest.Subtests
) -> None:
    create_pool(client, members=2)
    posted(client, "/api/pools", name="Empty")
    for address in ("s@example.com", "t@example.com"):
        posted(client, "/api/users", name="Same", email=address)

    for code, (ask, status, words) in REFUSALS.items():
        with subtests.test(code):
            answer = ask(client)

            assert refusal(answer)[:2] == (status, code)
            assert words in refusal(answer)[2]


JSON = {"Content-Type": "application/json"}


MISFITS: list[tuple[Ask, str, str]] = [
    (
        lambda api: api.post("/api/pools", json={"name": "N", "member": ["a@example.com"]}),
        "/member",
        "unknown",
    ),
    (lambda api: api.post("/api/pools", json={}), "/name", "missing"),
    (lambda api: api.post("/api/imports", data={"owner": "Inbound"}), "/file", "missing"),
    (lambda api: api.post("/api/pools", json={"name": 7}), "/name", "invalid_type"),
    (
        lambda api: api.post("/api/pools", json={"name": "N", "members": ["a", None]}),
        "/members/1",
        "invalid_type",
    ),
    (
        lambda api: api.post(
            "/api/users", json={"name": "N", "email": "n@e", "is_admin": "perhaps"}
        ),
        "/is_admin",
        "invalid_type",
    ),
    (
        lambda api: api.post("/api/leads/capture", json={"pool": "N", "lead": [1]}),
        "/lead",
        "invalid_type",
    ),
    (lambda api: api.post("/api/pools", json={"name": "a\0b"}), "/name", "incorrect_value"),
    (
        lambda api: api.post("/api/pools", content=b'{"name": "\\ud800"}', headers=JSON),
        "/name",
        "incorrect_value",
    ),
    (lambda api: api.post("/api/pools", json={"name": "x" * 1001}), "/name", "incorrect_value"),
    (
        lambda api: api.post(f"/api/pools/{create_pool(api)['id']}/members", json={"members": []}),
        "/members",
        "blank",
    ),
    (lambda api: api.post("/api/pools", json={"name": "N", "a/b~c": 1}), "/a~1b~0c", "unknown"),
]


def test_a_body_that_does_not_fit_is_told_where(client: Any, subtests: pytest.Subtests) -> None:
    for ask, field, code in MISFITS:
        with subtests.test(field, code=code):
            answer = ask(client)

            [fault] = faults(answer)
            assert (answer.status_code, fault["field"], fault["code"]) == (422, field, code)


WRONG_PARAMETERS: list[tuple[Ask, str]] = [
    (lambda api: api.get("/api/pools/0"), "pool_id"),
    (lambda api: api.get(f"/api/runs/{2**63}"), "run_id"),
    (lambda api: api.get("/api/why/lead%00/1"), "type"),
    (lambda api: api.get("/api/runs?limit=0"), "limit"),
    (lambda api: api.get("/api/runs?limit=1&offset=2"), "offset"),
    (lambda api: api.delete("/api/pools/1?force=true"), "force"),
]


def test_a_parameter_that_does_not_fit_is_named(client: Any, subtests: pytest.Subtests) -> None:
    for ask, field in WRONG_PARAMETERS:
        with subtests.test(field):
            answer = ask(client)

            [fault] = faults(answer)
            assert (answer.status_code, fault["field"]) == (400, field)
            assert fault["code"] == "invalid_param"
            assert f"The parameter {field} can't be taken: " in fault["message"]


NO_JSON_OBJECTS: list[tuple[bytes, dict[str, str], str]] = [
    (b'{"name": }', JSON, "no JSON"),
    (b"[1]", JSON, "JSON object"),
    (b"", JSON, "JSON object"),
    (b'{"name": "N"}', {"Content-Type": "text/plain"}, "application/json"),
    (b"\xff", JSON, "can't be read"),
]


def test_a_body_that_is_no_json_object_is_told_apart(
    client: Any, subtests: pytest.Subtests
) -> None:
    for body, headers, words in NO_JSON_OBJECTS:
        with subtests.test(str(body)):
            answer = client.post("/api/pools", content=body, headers=headers)
            status, code, message = refusal(answer)

            assert (status, code) == (400, "invalid_payload")
            assert words in message


def test_all_faults_of_a_request_are_told_at_once(client: Any) -> None:
    answer = client.post("/api/users", json={"name": 7, "is_admin": True, "mail": "a@example.com"})

    assert answer.status_code == 422
    assert [(fault["field"], fault["code"]) for fault in faults(answer)] == [
        ("/name", "invalid_type"),
        ("/email", "missing"),
        ("/mail", "unknown"),
    ]


def test_a_request_that_is_wrong_within_and_without_its_body_is_a_bad_request(client: Any) -> None:
    answer = client.patch("/api/pools/0", json={})

    assert answer.status_code == 400
    assert [(fault["field"], fault["code"]) for fault in faults(answer)] == [
        ("pool_id", "invalid_param"),
        ("/name", "missing"),
    ]


def test_a_method_that_does_not_go_with_an_address_is_told_what_does(client: Any) -> None:
    assert client.put("/api/verify").headers["allow"] == "GET"


def test_a_pools_phantom_user_is_nobody_to_deactivate_or_remove(client: Any) -> None:
    pool = create_pool(client)

    deactivated = client.post(f"/api/users/{pool['id']}/deactivate")
    removed = client.delete(f"/api/pools/{pool['id']}/members/{pool['id']}")

    assert refusal(deactivated) == refusal(removed)
    assert refusal(removed)[:2] == (404, "unknown_user")
    assert f"no active user {pool['id']}." in refusal(removed)[2]


def test_the_last_admin_stays(client: Any) -> None:
    [admin] = client.get("/api/users").json()

    answer = client.post(f"/api/users/{admin['id']}/deactivate")

    assert refusal(answer)[:2] == (409, "last_admin")


def test_a_receipt_that_is_gone_is_said_so(client: Any, system: System, send: Tasks) -> None:
    create_pool(client)
    run = upload(client).json()
    send.drain(system)
    for receipt in Path(system.uploads._root).rglob("receipt.csv"):
        receipt.unlink()

    answer = client.get(f"/api/runs/{run['id']}/receipt")

    assert refusal(answer)[:2] == (404, "file_gone")


# --- servers that are away ---


def test_a_database_that_is_away_is_no_success(client: Any, system: System) -> None:
    away = open_engine("postgresql+psycopg://nobody:secret@127.0.0.1:1/none")
    client.app.dependency_overrides[the_system] = lambda: replace(system, engine=away)

    status, code, message = refusal(
        client.post("/api/users", json={"name": "A", "email": "a@example.com"})
    )

    assert (status, code) == (503, "database_unreachable")
    assert "secret" not in message


def test_a_ring_that_is_away_changes_no_roster(client: Any, system: System, tmp_path: Path) -> None:
    pool = create_pool(client, members=2)
    add_users(client, "c@example.com")
    client.app.dependency_overrides[the_system] = lambda: replace(
        system, ring=Ring(connect(f"unix://{tmp_path}/none"))
    )

    answer = client.post(f"/api/pools/{pool['id']}/members", json={"members": ["c@example.com"]})
    shown = client.get(f"/api/pools/{pool['id']}").json()

    assert refusal(answer)[:2] == (503, "ring_unreachable")
    assert len(shown["members"]) == 2
    assert shown["next"] == "A"


# --- what clients of the Sell API know ---


def client_that_fails(error: EvenhandError, *paths: str) -> TestClient:
    """A client of an app of its own, in which those addresses end in the error."""
    app = create_app()

    def fail() -> None:
        raise error

    for path in paths:
        app.add_api_route(path, fail)
    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("error", "status", "code_of_ours", "code"),
    [
        (UnknownRecord(record_type="lead", record_id=7), 404, "unknown_record", "not_found"),
        (UnknownUser(name="ann"), 404, "unknown_user", "not_found"),
        (
            DatabaseUnreachable(address="db", reason="away"),
            503,
            "database_unreachable",
            "temporarily_unavailable",
        ),
        (TookTooLong(), 503, "took_too_long", "temporarily_unavailable"),
        (
            StillRefused(pool_id=7, attempts=12, reason="odd"),
            503,
            "still_refused",
            "temporarily_unavailable",
        ),
        (LastAdmin(name="Ann"), 409, "last_admin", "last_admin"),
        (Unauthorized(), 401, "unauthorized", "unauthorized"),
    ],
)
def test_a_code_is_one_that_clients_of_the_path_know(
    error: EvenhandError, status: int, code_of_ours: str, code: str
) -> None:
    paths = ("/api/failing", "/v2/failing", "/v20/failing")
    failing = client_that_fails(error, *paths)

    told = [refusal(failing.get(path)) for path in paths]

    assert [each[:2] for each in told] == [
        (status, code_of_ours),
        (status, code),
        (status, code_of_ours),
    ]
    assert {message for _, _, message in told} == {str(error)}


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [("GET", "/v2/nothing", "incorrect_path"), ("PUT", "/healthz", "wrong_method")],
)
def test_an_address_that_is_none_is_told_so_everywhere(
    stranger: Any, method: str, path: str, code: str
) -> None:
    assert refusal(stranger.request(method, path))[1] == code


def test_an_error_with_several_faults_is_told_as_so_many() -> None:
    wrong = [
        Fault("/data/last_name", "blank", "can't be blank"),
        Fault("/data/owner_id", "incorrect_value", "is nobody", "There is no 7."),
    ]

    answer = client_that_fails(IncorrectPayload.of("lead", wrong), "/v2/failing").get("/v2/failing")

    assert answer.status_code == 422
    assert faults(answer) == [
        {
            "resource": "lead",
            "field": "/data/last_name",
            "code": "blank",
            "message": "can't be blank",
        },
        {
            "resource": "lead",
            "field": "/data/owner_id",
            "code": "incorrect_value",
            "message": "is nobody",
            "details": "There is no 7.",
        },
    ]


# --- what nobody foresaw ---


def test_an_unexpected_error_shows_nothing_of_the_inside(
    client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> System:
        raise ZeroDivisionError("the secret of the inside")

    client.app.dependency_overrides[the_system] = fail

    answer = client.get("/api/users", headers={"X-Request-Id": "r-1"})

    assert refusal(answer)[:2] == (500, "server_error")
    assert "r-1" in answer.text
    assert answer.headers["x-request-id"] == "r-1"
    assert "secret" not in answer.text
    assert "ZeroDivision" not in answer.text
    assert "Traceback" not in answer.text
    assert "request r-1: GET /api/users ended in ZeroDivisionError" in caplog.text


# --- around every request ---


@pytest.mark.parametrize("length", [b"%d" % (MOST_UPLOAD_BYTES + 1), b"%d" % 10**30])
def test_an_upload_that_says_it_is_too_large_is_not_read(client: Any, length: bytes) -> None:
    announced = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": length}

    status, code, message = refusal(client.post("/api/imports", content=b"--x", headers=announced))

    assert (status, code) == (413, "body_too_large")
    assert str(MOST_UPLOAD_BYTES) in message


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_that_is_no_upload_has_a_smaller_limit(client: Any, announced: bool) -> None:
    body = b" " * (MOST_BODY_BYTES + 1)

    answer = client.post(
        "/api/users",
        content=body if announced else iter([body]),
        headers={"Content-Type": "application/json"},
    )

    assert refusal(answer)[:2] == (413, "body_too_large")
    assert answer.headers["x-request-id"]


def test_an_upload_may_be_larger_than_other_bodies(client: Any) -> None:
    create_pool(client)

    answer = upload(client, b"Last Name\n" + b"Lovelace\n" * (MOST_BODY_BYTES // 8))

    assert answer.status_code == 202


def test_a_request_keeps_the_id_that_it_came_with(client: Any) -> None:
    given, made, unfit = (
        client.get("/api/users", headers=headers)
        for headers in ({"X-Request-Id": "r-1"}, {}, {"X-Request-Id": "a b"})
    )

    assert given.headers["x-request-id"] == "r-1"
    assert len(made.headers["x-request-id"]) == 16
    assert made.headers["x-request-id"] != unfit.headers["x-request-id"] != "a b"
