"""Who may do what over HTTP: every actor against every operation, and what tokens are good for."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from starlette.testclient import TestClient

from api_stub.app import MOST_UPLOAD_BYTES, create_app
from tests.api.asking import LEADS, create_pool, posted, refusal, upload
from tests.support.clients import MEMBER, ROOT, ClientOf
from tests.support.factories import deactivate, give_leads, person, token_of
from tests.support.invariants import digest, everything, rows
from tests.support.tasks import Tasks
from worker.flows.people import access
from worker.flows.system import System
from worker.flows.system import system as the_system
from worker.store.sql.engine import open_engine

NOBODY = 999


class Row(NamedTuple):
    """What a member may expect who does the deed, somebody who may reassign, and an admin; and the
    body to do it with."""

    member: int
    reassigner: int
    admin: int
    body: dict[str, Any] | None = None


def all_may(status: int = 200, body: dict[str, Any] | None = None) -> Row:
    return Row(status, status, status, body)


def admins_may(status: int = 200, body: dict[str, Any] | None = None) -> Row:
    return Row(403, 403, status, body)


LEAD = {"pool": "Inbound", "lead": {"last_name": "Lee"}}
INTEGRATION = {
    "name": "New",
    "kind": "zapier",
    "secret": "of the tests, and not short",
    "owner": "a@example.com",
}

TABLE = {
    "list_users": all_may(),
    "show_self": all_may(),
    "add_user": admins_may(201, {"name": "New", "email": "new@example.com"}),
    "change_user": admins_may(200, {"name": "Another"}),
    "deactivate_user": admins_may(),
    "list_tokens": admins_may(),  # somebody else's
    "issue_token": admins_may(201, {"name": "tests"}),
    "revoke_token": Row(404, 404, 204),
    "list_pools": all_may(),
    "create_pool": admins_may(201, {"name": "New"}),
    "show_pool": all_may(),
    "rename_pool": admins_may(200, {"name": "Other"}),
    "delete_pool": admins_may(204),
    "add_members": admins_may(200, {"members": ["c@example.com"]}),
    "remove_member": admins_may(),
    "verify_pool": all_may(),
    "list_rosters": all_may(),
    "read_ledger": all_may(),
    "verify_all": all_may(),
    "why_record": all_may(),
    "capture_lead": all_may(202, LEAD),
    "list_waiting": all_may(),
    "retry_leads": admins_may(),
    "import_file": all_may(202),
    "list_forms": all_may(),
    "add_form": admins_may(201, {"name": "Another", "owner": "Inbound"}),
    "show_form": all_may(),
    "change_form": admins_may(200, {"name": "Other"}),
    "delete_form": admins_may(204),
    "list_form_deliveries": all_may(),
    "list_runs": all_may(),
    "show_run": all_may(),
    "receipt": all_may(409),  # it is written when the run has ended
    "cancel_run": admins_may(),  # what somebody else has begun
    "retry_run": Row(403, 403, 409),
    "list_skipped": all_may(),
    "undo_run": Row(403, 403, 409),  # what somebody else has begun, and what has not ended
    "reassign_records": Row(403, 202, 202, {"list": "import:1", "owner": "Inbound"}),
    "list_integrations": all_may(),
    "add_integration": admins_may(201, INTEGRATION),
    "show_integration": all_may(),
    "change_integration": admins_may(200, {"source": "elsewhere"}),
    "rotate_secret": admins_may(200, {"secret": "another one, and not short"}),
    "list_deliveries": all_may(),
    "replay_delivery": admins_may(),
    "list_lists": all_may(),
    "create_list": all_may(201, {"name": "New", "record_type": "lead", "filter": {"city": "Oslo"}}),
    "show_list": Row(404, 404, 200),  # somebody else's own
    "change_list": Row(404, 404, 200, {"name": "Other"}),
    "delete_list": Row(404, 404, 204),
    "list_records": Row(404, 404, 200),
    "count_records": Row(404, 404, 200),
}


def operations() -> Iterator[tuple[str, str, str]]:
    """The name, method and address of each operation under /api."""
    for address, methods in create_app().openapi()["paths"].items():
        for method, operation in methods.items():
            if address.startswith("/api/"):
                yield operation["operationId"], method, address


OPERATIONS = sorted(operations())
EACH = pytest.mark.parametrize(
    ("name", "method", "address"), OPERATIONS, ids=[name for name, _, _ in OPERATIONS]
)


ON_ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Who may do what is the same on both, and there are many deeds."""


def test_the_table_has_a_row_for_each_operation_and_no_other() -> None:
    assert set(TABLE) == {name for name, _, _ in OPERATIONS}


def ask(client: TestClient, name: str, method: str, address: str) -> Any:
    """Does a deed."""
    if name == "import_file":
        return upload(client)
    return client.request(method, address, json=TABLE[name].body)


@pytest.fixture
def ids(client: TestClient, system: System) -> dict[str, Any]:
    """What there is: a pool with the members a and b, a lead, a run, a form, an integration with a
    delivery that made no lead, and c, whose token is the one to revoke."""
    pool = create_pool(client, members=2)
    c = person(system, "c@example.com")
    give_leads(system, 1)
    token_id = posted(client, f"/api/users/{c}/tokens", name="c's")["id"]
    run_id = upload(client).json()["id"]
    form_id = posted(client, "/api/forms", name="Contact us", owner="Inbound")["id"]
    list_id = posted(
        client, "/api/lists", name="Oslo", record_type="lead", filter={"city": "Oslo"}
    )["id"]
    integration = posted(client, "/api/integrations", **INTEGRATION | {"name": "Old"})
    own = {"X-Evenhand-Secret": INTEGRATION["secret"]}
    [delivery] = client.post(integration["path"], json={"name": ""}, headers=own).json()[
        "deliveries"
    ]
    more = {"integration_id": integration["id"], "delivery_id": delivery["id"]}
    return more | {
        "pool_id": pool["id"],
        "user_id": pool["members"][0]["id"],
        "token_id": token_id,
        "run_id": run_id,
        "type": "lead",
        "form_id": form_id,
        "list_id": list_id,
        "id": 1,
    }


@EACH
@ON_ONE_DATABASE
def test_every_actor_may_do_what_the_table_says(
    client: TestClient,
    stranger: TestClient,
    member: TestClient,
    reassigner: TestClient,
    client_of: ClientOf,
    system: System,
    ids: dict[str, Any],
    name: str,
    method: str,
    address: str,
) -> None:
    revoked, row = client_of(_revoked(system)), TABLE[name]
    actors = [
        (stranger, 401),
        (revoked, 401),
        (member, row.member),
        (reassigner, row.reassigner),
        (client, row.admin),
    ]

    for actor, expected in actors:
        before = digest(system)
        answer = ask(actor, name, method, address.format_map(ids))
        assert answer.status_code == expected, answer.text
        if expected in (401, 403):
            assert refusal(answer)[1] == {401: "unauthorized", 403: "insufficient_scope"}[expected]
            assert digest(system) == before


NAMED = (
    "pool_id",
    "user_id",
    "token_id",
    "run_id",
    "id",
    "integration_id",
    "delivery_id",
    "form_id",
    "list_id",
)


@ON_ONE_DATABASE
def test_nobody_is_told_whether_there_is_what_they_may_not_touch(
    stranger: TestClient, member: TestClient, system: System, subtests: pytest.Subtests
) -> None:
    for_everybody = ("cancel_run", "retry_run", "undo_run")  # runs are listed to everybody
    before = digest(system)

    for name, method, address in (each for each in OPERATIONS if "{" in each[2]):
        with subtests.test(name):
            nowhere = address.format_map({"type": "lead"} | dict.fromkeys(NAMED, NOBODY))
            hidden = TABLE[name].member == 403 and name not in for_everybody

            assert ask(stranger, name, method, nowhere).status_code == 401
            assert ask(member, name, method, nowhere).status_code == (403 if hidden else 404)
            assert digest(system) == before


@ON_ONE_DATABASE
def test_a_stranger_learns_nothing_of_what_is_wrong_with_the_request(
    stranger: TestClient, system: System, subtests: pytest.Subtests
) -> None:
    before = digest(system)

    for name, method, address in OPERATIONS:
        with subtests.test(name):
            wrong = re.sub(r"\{\w+\}", "0", address)

            answer = stranger.request(
                method,
                f"{wrong}?limit=x&unknown=1",
                content=b"{",
                headers={"Content-Type": "application/json"},
            )

            assert refusal(answer)[:2] == (401, "unauthorized")
            assert digest(system) == before


def test_what_a_stranger_uploads_is_not_even_read(stranger: TestClient) -> None:
    torn = stranger.post(
        "/api/imports",
        content=b"--x\r\nno part",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    too_large = stranger.post(
        "/api/imports", content=b"--x", headers={"Content-Length": str(MOST_UPLOAD_BYTES + 1)}
    )

    assert [refusal(answer)[:2] for answer in (torn, too_large)] == [(401, "unauthorized")] * 2


# --- the one refusal ---


def _revoked(system: System) -> str:
    token = token_of(system, "was@example.com", is_admin=True)
    last = rows(system, "SELECT max(id) AS id FROM tokens")[0]["id"]
    system.transact(access.revoke, last)
    return token


def _of_somebody_deactivated(system: System) -> str:
    token = token_of(system, "gone@example.com", is_admin=True)
    deactivate(system, "gone@example.com")
    return token


def test_whatever_is_wrong_with_a_token_the_refusal_is_the_same(
    client: TestClient, stranger: TestClient, system: System
) -> None:
    good = token_of(system, ROOT)
    headers = [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Basic {good}",
        good,
        f"Bearer {good[:-1]}",
        f"Bearer {good.upper()}x",
        f"Bearer {'0' * 64}",
        f"Bearer {_revoked(system)}",
        f"Bearer {_of_somebody_deactivated(system)}",
        "Bearer \xff",
    ]

    answers = [
        stranger.get(
            "/api/pools",
            headers=[(b"Authorization", given.encode("latin-1"))] if given is not None else [],
        )
        for given in headers
    ]

    assert {answer.headers["www-authenticate"] for answer in answers} == {"Bearer"}
    assert len({refusal(answer) for answer in answers}) == 1
    assert refusal(answers[0])[:2] == (401, "unauthorized")
    assert (
        stranger.get("/api/pools", headers={"Authorization": f"bearer {good}"}).status_code == 200
    )


@pytest.mark.parametrize("address", ["/healthz", "/docs", "/openapi.json"])
def test_what_tells_nothing_of_anybody_stays_open(stranger: TestClient, address: str) -> None:
    assert stranger.get(address).status_code in (200, 503)


def test_a_token_cannot_be_checked_while_the_database_is_away(
    client: TestClient, app: FastAPI, system: System
) -> None:
    away = open_engine("postgresql+psycopg://nobody:secret@127.0.0.1:1/none")
    app.dependency_overrides[the_system] = lambda: replace(system, engine=away)

    assert refusal(client.get("/api/pools"))[:2] == (503, "database_unreachable")


def test_whoever_is_deactivated_is_out_at_once(client: TestClient, member: TestClient) -> None:
    me = member.get("/api/users/self").json()["id"]

    client.post(f"/api/users/{me}/deactivate")

    assert refusal(member.get("/api/users/self"))[:2] == (401, "unauthorized")


def test_what_somebody_may_do_changes_at_once(client: TestClient, member: TestClient) -> None:
    me = member.get("/api/users/self").json()["id"]
    assert member.post("/api/leads/retry").status_code == 403

    client.patch(f"/api/users/{me}", json={"is_admin": True})

    assert member.post("/api/leads/retry").status_code == 200


# --- tokens ---


def test_a_token_is_seen_once_and_kept_nowhere(
    client: TestClient, client_of: ClientOf, system: System, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    me = client.get("/api/users/self").json()["id"]

    issued = client.post(f"/api/users/{me}/tokens", json={"name": " nightly "})

    token = issued.json()["token"]
    assert (issued.status_code, issued.headers["cache-control"]) == (201, "no-store")
    assert re.fullmatch("[0-9a-f]{64}", token)
    assert client_of(token).get("/api/users/self").json()["id"] == me
    listed = client.get(f"/api/users/{me}/tokens")
    assert listed.json()[-1] | {"created_at": "", "last_used_at": ""} == {
        "id": issued.json()["id"],
        "name": "nightly",
        "created_at": "",
        "last_used_at": "",
        "revoked_at": None,
    }
    assert token not in listed.text
    assert token not in repr(everything(system))
    assert token not in caplog.text


def test_everybody_issues_lists_and_revokes_their_own_tokens(
    member: TestClient, client_of: ClientOf
) -> None:
    me = member.get("/api/users/self").json()["id"]
    issued = posted(member, f"/api/users/{me}/tokens", name="mine")
    mine = client_of(issued["token"])
    assert mine.get("/api/pools").status_code == 200

    revoked = [
        mine.delete(f"/api/tokens/{issued['id']}"),
        member.delete(f"/api/tokens/{issued['id']}"),
    ]

    assert [(answer.status_code, answer.content) for answer in revoked] == [(204, b""), (204, b"")]
    assert refusal(mine.get("/api/pools"))[0] == 401
    assert member.get("/api/pools").status_code == 200
    [_, last] = member.get(f"/api/users/{me}/tokens").json()
    assert (last["name"], last["revoked_at"] is None) == ("mine", False)


def test_another_persons_token_is_as_unknown_as_one_that_is_not_there(
    client: TestClient, member: TestClient
) -> None:
    [admins] = client.get("/api/users/1/tokens").json()

    others, none = (
        refusal(member.delete(f"/api/tokens/{token_id}")) for token_id in (admins["id"], NOBODY)
    )

    assert others[:2] == none[:2] == (404, "unknown_token")
    assert others[2].replace(str(admins["id"]), "") == none[2].replace(str(NOBODY), "")
    assert client.get("/api/pools").status_code == 200


def test_a_token_needs_a_name_and_a_person(client: TestClient) -> None:
    pool = create_pool(client)

    refused = [
        client.post("/api/users/1/tokens", json={"name": " "}),
        client.post(f"/api/users/{pool['id']}/tokens", json={"name": "phantom"}),
        client.post(f"/api/users/{NOBODY}/tokens", json={"name": "nobody"}),
        client.get(f"/api/users/{pool['id']}/tokens"),
        client.get(f"/api/users/{NOBODY}/tokens"),
    ]

    assert [refusal(answer)[1] for answer in refused] == ["blank_name", *["unknown_user"] * 4]


def test_the_last_use_of_a_token_is_known_to_the_minute(member: TestClient, system: System) -> None:
    def used() -> datetime | None:
        me = member.get("/api/users/self").json()["id"]
        last = member.get(f"/api/users/{me}/tokens").json()[-1]["last_used_at"]
        return datetime.fromisoformat(last) if last else None

    def was_used(ago: timedelta) -> datetime:
        moment = datetime.now(UTC) - ago
        change = text("UPDATE tokens SET last_used_at = :moment").bindparams(
            moment=moment.replace(tzinfo=None)
        )
        system.transact(lambda session: session.execute(change))
        return moment

    begun = datetime.now(UTC)
    assert rows(system, "SELECT last_used_at FROM tokens") == [{"last_used_at": None}] * 2
    first = used()
    assert first is not None
    assert begun <= first <= datetime.now(UTC)
    lately = was_used(timedelta(seconds=50))
    assert used() == lately
    was_used(timedelta(seconds=70))
    again = used()
    assert again is not None
    assert again >= first


def test_a_request_that_is_refused_is_a_use_of_its_token(
    member: TestClient, system: System
) -> None:
    assert member.post("/api/leads/retry").status_code == 403

    [used] = rows(system, "SELECT last_used_at FROM tokens WHERE last_used_at IS NOT NULL")
    assert used


def test_a_use_that_cannot_be_noted_is_no_failure(
    member: TestClient, system: System, caplog: pytest.LogCaptureFixture
) -> None:
    system.transact(_refuse_changes_of_tokens)

    answer = member.get("/api/users/self")

    assert (answer.status_code, answer.json()["email"]) == (200, MEMBER)
    assert "the use of token 2 could not be noted" in caplog.text
    assert "Traceback" not in caplog.text


def _refuse_changes_of_tokens(session: Any) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("ALTER TABLE tokens ADD CHECK (last_used_at IS NULL)"))
    else:
        session.execute(
            text(
                "CREATE TRIGGER frozen BEFORE UPDATE ON tokens BEGIN SELECT RAISE(ABORT, "
                "'frozen'); END"
            )
        )


# --- people ---


def test_a_user_is_changed_in_what_is_named(client: TestClient) -> None:
    user = posted(client, "/api/users", name="Ann", email="ann@example.com", can_reassign=True)
    address = f"/api/users/{user['id']}"

    renamed = client.patch(address, json={"name": " Ann Lee "}).json()
    promoted = client.patch(address, json={"is_admin": True, "can_reassign": False}).json()
    same = client.patch(address, json={}).json()

    assert (user["is_admin"], user["can_reassign"]) == (False, True)
    assert renamed == user | {"name": "Ann Lee"}
    assert promoted == same == renamed | {"is_admin": True, "can_reassign": False}
    assert client.get("/api/users").json()[-1] == promoted


def test_a_user_who_is_changed_keeps_a_name(client: TestClient) -> None:
    assert refusal(client.patch("/api/users/1", json={"name": " "}))[:2] == (422, "blank_name")
    assert refusal(client.patch("/api/users/999", json={"name": "A"}))[:2] == (404, "unknown_user")
    assert refusal(client.patch("/api/users/1", json={"email": "a@example.com"}))[:2] == (
        422,
        "unknown",
    )


def test_the_last_admin_stays_one(client: TestClient) -> None:
    other = posted(client, "/api/users", name="Ann", email="ann@example.com", is_admin=True)["id"]

    demoted = client.patch(f"/api/users/{other}", json={"is_admin": False})
    last = client.patch("/api/users/1", json={"is_admin": False, "can_reassign": True})

    assert demoted.json()["is_admin"] is False
    assert refusal(last)[:2] == (409, "last_admin")
    assert client.get("/api/users/self").json() == client.get("/api/users").json()[0]
    assert (
        client.get("/api/users/self").json()["is_admin"],
        client.get("/api/users/self").json()["can_reassign"],
    ) == (True, False)


# --- who did it ---


def test_whoever_began_a_run_may_stop_and_retry_it(
    member: TestClient, reassigner: TestClient, client: TestClient
) -> None:
    create_pool(client)
    run_id = upload(member).json()["id"]

    others = [reassigner.post(f"/api/runs/{run_id}/{verb}") for verb in ("cancel", "retry")]
    own = [member.post(f"/api/runs/{run_id}/{verb}") for verb in ("retry", "cancel")]

    assert [refusal(answer)[:2] for answer in others] == [(403, "insufficient_scope")] * 2
    assert "what somebody else has begun" in refusal(others[0])[2]
    assert (refusal(own[0])[1], own[1].status_code) == ("nothing_to_retry", 200)


def test_a_run_that_began_on_the_command_line_is_the_admins(
    member: TestClient, client: TestClient, system: System
) -> None:
    create_pool(client)
    run_id = upload(member).json()["id"]
    system.transact(lambda session: session.execute(text("UPDATE runs SET actor_id = NULL")))

    assert refusal(member.post(f"/api/runs/{run_id}/cancel"))[0] == 403
    assert client.post(f"/api/runs/{run_id}/cancel").status_code == 200


def test_all_that_is_done_is_done_in_somebodys_name(
    client: TestClient, member: TestClient, system: System, send: Tasks
) -> None:
    pool = create_pool(client, members=3)
    me = member.get("/api/users/self").json()["id"]
    posted(member, "/api/leads/capture", pool="Inbound", lead={"last_name": "Lee"})
    upload(member, LEADS)
    send.drain(system)
    c = pool["members"][2]["id"]
    client.delete(f"/api/pools/{pool['id']}/members/{c}")
    posted(client, f"/api/pools/{pool['id']}/members", members=["c@example.com"])
    client.post(f"/api/users/{c}/deactivate")

    entries = client.get(f"/api/pools/{pool['id']}/ledger").json()["entries"]
    rosters = client.get(f"/api/pools/{pool['id']}/rosters").json()

    assert {entry["actor"]["id"] for entry in entries} == {me}
    assert [roster["actor"]["id"] for roster in rosters] == [1, 1, 1, 1]
    assert {row["creator_id"] for row in rows(system, "SELECT creator_id FROM leads")} == {me}
    assert rows(system, "SELECT actor_id FROM runs") == [{"actor_id": me}]
