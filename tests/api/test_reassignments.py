"""Reassignments and undos over HTTP: who may, what comes of it, and what hostile requests get."""

import json
from itertools import product
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from tests.api.asking import LEADS, create_pool, posted, refusal, upload
from tests.support.factories import give_leads, owned, person
from tests.support.invariants import assert_promise, digest, everything, rows
from tests.support.tasks import Tasks, run
from worker.domain.people.permissions import Actor
from worker.flows.records import lists
from worker.flows.records.lists import ListValues
from worker.flows.system import System

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def imported(client: TestClient, system: System, send: Tasks) -> dict[str, Any]:
    """An import of three leads to a person, ended; and the pool Inbound of a and b, of which a has
    had a turn."""
    create_pool(client, members=2)
    give_leads(system, 1)
    person(system, "zoe@example.com")
    run_id = upload(client, owner="zoe@example.com").json()["id"]
    send.drain(system)
    return client.get(f"/api/runs/{run_id}").json()


def owners(system: System) -> str:
    """The first letters of who owns the leads that the file has made."""
    found = rows(
        system,
        "SELECT users.email FROM leads JOIN users ON users.id = owner_id WHERE first_name IS NOT "
        "NULL ORDER BY leads.id",
    )
    return "".join(row["email"][0] for row in found)


def reassign(client: TestClient, **body: Any) -> Any:
    return client.post("/api/reassignments", json={"owner": "Inbound", **body})


# --- what comes of it ---


def test_a_list_goes_to_a_pool_and_comes_back(
    client: TestClient,
    reassigner: TestClient,
    system: System,
    send: Tasks,
    imported: dict[str, Any],
) -> None:
    accepted = reassign(reassigner, list=imported["list"])
    send.drain(system)
    given = owners(system)
    done = reassigner.get(accepted.headers["Location"]).json()
    undo = reassigner.post(f"{accepted.headers['Location']}/undo", json={"return_turns": True})
    send.drain(system)

    assert (accepted.status_code, accepted.json()["state"], accepted.json()["kind"]) == (
        202,
        "accepted",
        "reassign",
    )
    assert given == "bab"
    numbers = {
        name: done[name]
        for name in (
            "state",
            "rows",
            "records",
            "skipped",
            "turns",
            "returned",
            "progress",
            "list",
            "file",
            "ids",
        )
    }
    assert numbers == {
        "state": "done", "rows": 3, "records": 3, "skipped": 0, "turns": 3, "returned": 0,
        "progress": 1.0,
        "list": f"import:{imported['id']}", "file": None, "ids": None,
    }  # fmt: skip
    assert (undo.status_code, undo.headers["Location"]) == (202, f"/api/runs/{undo.json()['id']}")
    undone = client.get(undo.headers["Location"]).json()
    assert (undone["kind"], undone["undoes"], undone["returns_turns"], undone["returned"]) == (
        "undo",
        done["id"],
        True,
        3,
    )
    assert client.get(accepted.headers["Location"]).json()["undone_by"] == undone["id"]
    assert owners(system) == "zzz"
    assert give_leads(system, 3) == "bab"
    assert_promise(system)


def test_what_is_undone_twice_is_answered_with_the_same_run(
    client: TestClient, system: System, send: Tasks, imported: dict[str, Any]
) -> None:
    address = f"/api/runs/{imported['id']}/undo"

    first = client.post(address)
    send.drain(system)
    second = client.post(address, json={"return_turns": True})

    assert (first.status_code, second.status_code) == (202, 202)
    assert second.json()["id"] == first.json()["id"]
    assert second.json()["state"] == "done"
    assert second.json()["returns_turns"] is False
    assert send.waiting == []
    assert rows(
        system,
        "SELECT DISTINCT deleted_at IS NULL AS there FROM leads WHERE first_name IS NOT NULL",
    )[0]["there"] in (0, False)


def test_ids_are_given_in_the_order_in_which_they_are_named(
    client: TestClient, system: System, send: Tasks
) -> None:
    create_pool(client, members=3, record_type="deal")
    ids = owned(system, 4, "zoe@example.com", "deal")

    run_facts = reassign(client, ids=[ids[2], ids[0], ids[3]], type="deal").json()
    send.drain(system)

    assert (run_facts["ids"], run_facts["list"], run_facts["record_type"]) == (3, None, "deal")
    turns = rows(system, "SELECT id, turn FROM deals WHERE turn IS NOT NULL ORDER BY turn")
    assert [deal["id"] for deal in turns] == [ids[2], ids[0], ids[3]]


def test_progress_is_told_of_every_kind_of_run(
    client: TestClient, system: System, send: Tasks
) -> None:
    create_pool(client)
    owned(system, 700, "zoe@example.com")
    [all_leads] = [
        reassign(
            client, ids=[row["id"] for row in rows(system, "SELECT id FROM leads ORDER BY id")]
        ).json()
    ]
    address, told = f"/api/runs/{all_leads['id']}", []
    while send.waiting:
        run(system, send.waiting.pop(0))
        told.append(client.get(address).json()["progress"])
    undo_address = client.post(f"{address}/undo").headers["Location"]
    while send.waiting:
        run(system, send.waiting.pop(0))
        told.append(client.get(undo_address).json()["progress"])

    assert told == [0.0, 0.357, 0.714, 1.0, 1.0] * 2


def test_runs_of_all_kinds_are_listed(
    client: TestClient, system: System, send: Tasks, imported: dict[str, Any]
) -> None:
    again = reassign(client, list=imported["list"]).json()["id"]
    send.drain(system)
    undo = client.post(f"/api/runs/{again}/undo").json()["id"]

    listed = client.get("/api/runs").json()

    assert [
        (each["id"], each["kind"], each["file"], each["list"], each["undoes"], each["undone_by"])
        for each in listed
    ] == [
        (undo, "undo", None, None, again, None),
        (again, "reassign", None, "import:1", None, undo),
        (1, "import", "leads.csv", "import:1", None, None),
    ]


def test_an_undo_that_was_cancelled_is_no_undo(
    client: TestClient, system: System, send: Tasks, imported: dict[str, Any]
) -> None:
    address = f"/api/runs/{imported['id']}"
    first = client.post(f"{address}/undo").json()["id"]
    client.post(f"/api/runs/{first}/cancel")

    assert client.get(address).json()["undone_by"] is None
    second = client.post(f"{address}/undo").json()["id"]
    assert second != first
    assert client.get(address).json()["undone_by"] == second


def test_records_that_were_left_alone_are_listed_page_by_page(
    client: TestClient, system: System, send: Tasks
) -> None:
    create_pool(client)
    ids = owned(system, 5, "zoe@example.com")
    run_id = reassign(client, ids=ids).json()["id"]
    run(system, send.waiting.pop(0))
    for lead_id in ids[:2]:
        client.put(f"/v2/leads/{lead_id}", json={"data": {"owner_id": 1, "last_name": "Lee"}})
    client.delete(f"/v2/leads/{ids[3]}")
    send.drain(system)
    address = f"/api/runs/{run_id}/skipped"

    whole = client.get(address).json()
    first = client.get(address, params={"limit": 2}).json()
    second = client.get(address, params={"limit": 2, "after": first["next"]}).json()

    assert [(skip["ordinal"], skip["record_id"], skip["reason"]) for skip in whole["skipped"]] == [
        (0, ids[0], "given"),
        (1, ids[1], "given"),
        (3, ids[3], "deleted"),
    ]
    assert (whole["next"], first["next"], second["next"]) == (None, 1, None)
    assert first["skipped"] + second["skipped"] == whole["skipped"]
    assert client.get(f"/api/runs/{run_id}").json()["skipped"] == 3
    assert refusal(client.get("/api/runs/99/skipped"))[:2] == (404, "unknown_run")


def test_a_run_that_is_no_import_has_no_receipt(
    client: TestClient, system: System, send: Tasks, imported: dict[str, Any]
) -> None:
    run_id = reassign(client, list=imported["list"]).json()["id"]
    send.drain(system)

    assert refusal(client.get(f"/api/runs/{run_id}/receipt"))[:2] == (404, "no_receipt")


def test_what_has_not_ended_and_what_is_an_undo_cannot_be_undone(
    client: TestClient, system: System, send: Tasks
) -> None:
    create_pool(client)
    address = f"/api/runs/{upload(client).json()['id']}/undo"

    too_soon = refusal(client.post(address))
    send.drain(system)
    undo = client.post(address).json()["id"]
    send.drain(system)

    assert too_soon[:2] == (409, "not_undoable")
    assert refusal(client.post(f"/api/runs/{undo}/undo"))[:2] == (409, "not_undoable")


# --- dry runs ---


def test_a_dry_run_of_a_reassignment_tells_what_then_happens(
    client: TestClient, system: System, send: Tasks, imported: dict[str, Any]
) -> None:
    before, turns = _without_use(system), client.get("/api/pools").json()

    answer = reassign(client, list=imported["list"], dry_run=True)

    assert answer.status_code == 200
    assert "location" not in answer.headers
    assert (_without_use(system), client.get("/api/pools").json(), send.waiting) == (
        before,
        turns,
        [],
    )
    facts = answer.json()
    assert [(member["name"], member["records"], member["stay"]) for member in facts["members"]] == [
        ("A", 1, 0),
        ("B", 2, 0),
    ]
    assert (facts["kind"], facts["records"], facts["list"], facts["file"]) == (
        "reassign",
        3,
        imported["list"],
        None,
    )
    assert (facts["next_before"]["name"], facts["next_after"]["name"]) == ("B", "A")
    reassign(client, list=imported["list"])
    send.drain(system)
    assert owners(system) == "bab"


def test_a_dry_run_of_an_import_tells_what_then_happens(
    client: TestClient, system: System, send: Tasks
) -> None:
    create_pool(client, members=2)
    before = _without_use(system)

    answer = upload(client, LEADS, dry_run="true")

    assert (answer.status_code, _without_use(system), send.waiting) == (200, before, [])
    facts = answer.json()
    assert (facts["kind"], facts["rows"], facts["records"], facts["errors"], facts["stay"]) == (
        "import",
        4,
        3,
        1,
        0,
    )
    assert facts["first_errors"] == [
        {"line": 3, "field": "last_name", "reason": "needs last name or organization name"}
    ]
    assert [(member["name"], member["records"]) for member in facts["members"]] == [
        ("A", 2),
        ("B", 1),
    ]
    upload(client, LEADS, dry_run="false")
    send.drain(system)
    assert owners(system) == "aba"


def _without_use(system: System) -> dict[str, Any]:
    """All that the database holds, but for when tokens were used."""
    return {name: found for name, found in everything(system).items() if name != "tokens"}


# --- who may ---


@pytest.mark.parametrize(
    "body",
    [
        {"list": "nowhere"},
        {"list": "import:99"},
        {"ids": [99]},
        {"ids": [1], "dry_run": True},
        {"ids": "x"},
    ],
)
def test_who_may_not_reassign_is_not_told_what_there_is(
    member: TestClient, body: dict[str, Any]
) -> None:
    assert refusal(reassign(member, **body))[:2] == (403, "insufficient_scope")


def test_whoever_began_an_import_may_undo_it_and_nobody_else_but_an_admin(
    client: TestClient, member: TestClient, reassigner: TestClient, system: System, send: Tasks
) -> None:
    create_pool(client)
    own = upload(member).json()["id"]
    another = upload(client).json()["id"]
    send.drain(system)

    assert refusal(reassigner.post(f"/api/runs/{own}/undo"))[:2] == (403, "insufficient_scope")
    assert refusal(member.post(f"/api/runs/{another}/undo"))[:2] == (403, "insufficient_scope")
    assert member.post(f"/api/runs/{own}/undo").status_code == 202
    assert client.post(f"/api/runs/{another}/undo").status_code == 202


def test_whoever_may_undo_an_import_may_retry_that(
    client: TestClient, member: TestClient, system: System, send: Tasks
) -> None:
    create_pool(client)
    own = upload(member).json()["id"]
    send.drain(system)
    undo_id = member.post(f"/api/runs/{own}/undo").json()["id"]
    send.lose()
    system.transact(
        lambda session: session.execute(
            text("UPDATE runs SET state = 'failed' WHERE id = :id"), {"id": undo_id}
        )
    )

    assert member.post(f"/api/runs/{undo_id}/retry").json() == {"retried": 1}
    send.drain(system)
    assert member.get(f"/api/runs/{undo_id}").json()["records"] == 3


def test_who_may_not_reassign_any_more_may_neither_undo_nor_retry_a_reassignment(
    client: TestClient, reassigner: TestClient, system: System, send: Tasks
) -> None:
    create_pool(client)
    run_id = reassign(reassigner, ids=owned(system, 1)).json()["id"]
    send.drain(system)
    me = reassigner.get("/api/users/self").json()["id"]
    client.patch(f"/api/users/{me}", json={"can_reassign": False})

    for verb in ("undo", "retry"):
        assert refusal(reassigner.post(f"/api/runs/{run_id}/{verb}"))[:2] == (
            403,
            "insufficient_scope",
        )


def test_another_persons_list_is_unknown(
    client: TestClient, reassigner: TestClient, system: System
) -> None:
    create_pool(client)
    root = Actor(1, is_admin=True)
    system.transact(lists.create, "lead", ListValues("Mine"), root, root.id)

    assert refusal(reassign(reassigner, list="Mine"))[:2] == (404, "unknown_list")
    assert reassign(client, list="Mine").status_code == 202
    assert reassign(client, list=1).status_code == 202


# --- what is wrong ---


IMPOSSIBLE: list[tuple[dict[str, Any], int, str]] = [
    ({}, 422, "missing"),
    ({"list": "import:1", "ids": [1]}, 422, "incorrect_value"),
    ({"list": "import:1", "type": "lead"}, 422, "incorrect_value"),
    ({"list": "nowhere"}, 404, "unknown_list"),
    ({"list": "import:99"}, 404, "unknown_run"),
    ({"list": f"import:{10**30}"}, 404, "unknown_run"),
    ({"list": 99}, 404, "unknown_list"),
    ({"list": 10**30}, 404, "unknown_list"),
    ({"list": True}, 422, "invalid_type"),
    ({"list": ["import:1"]}, 422, "invalid_type"),
    ({"list": ""}, 404, "unknown_list"),
    ({"list": "a\0b"}, 422, "incorrect_value"),
    ({"list": "import:1", "owner": "nobody"}, 404, "unknown_owner"),
    ({"list": "import:1", "owner": "Deals"}, 422, "wrong_pool_type"),
    ({"list": "import:1", "owner": "Empty"}, 422, "empty_pool"),
    ({"list": "import:1", "dry_run": "perhaps"}, 422, "invalid_type"),
    ({"ids": []}, 422, "blank"),
    ({"ids": [99]}, 404, "unknown_record"),
    ({"ids": [1, 2, 1]}, 422, "repeated_record"),
    ({"ids": [1], "type": "ticket"}, 422, "unknown_record_type"),
    ({"ids": [1], "type": "ticket", "owner": "zoe@example.com"}, 422, "unknown_record_type"),
    ({"ids": [1], "type": "contact", "owner": "zoe@example.com"}, 404, "unknown_record"),
    ({"ids": [0]}, 422, "incorrect_value"),
    ({"ids": [-1]}, 422, "incorrect_value"),
    ({"ids": [2**63 - 1]}, 404, "unknown_record"),
    ({"ids": [2**63]}, 422, "incorrect_value"),
    ({"ids": [True]}, 422, "invalid_type"),
    ({"ids": [1.0]}, 422, "invalid_type"),
    ({"ids": ["1"]}, 422, "invalid_type"),
    ({"ids": [None]}, 422, "invalid_type"),
    ({"ids": [[1]]}, 422, "invalid_type"),
    ({"ids": {"1": 1}}, 422, "invalid_type"),
    ({"ids": [True] * 50_000}, 422, "invalid_type"),
    ({"ids": list(range(1, 100_001))}, 404, "unknown_record"),
    ({"ids": [1], "filter": {}}, 422, "unknown"),
    ({"ids": list(range(1, 200_001))}, 413, "body_too_large"),
]
"""What is asked for, with the status and the code of the refusal."""


def test_what_cannot_be_is_refused_and_changes_nothing(
    client: TestClient,
    system: System,
    send: Tasks,
    imported: dict[str, Any],
    subtests: pytest.Subtests,
) -> None:
    posted(client, "/api/pools", name="Deals", record_type="deal", members=["a@example.com"])
    posted(client, "/api/pools", name="Empty")
    before = digest(system)

    for (body, status, code), dry_run in product(IMPOSSIBLE, (True, False)):
        with subtests.test(str(body)[:80], dry_run=dry_run):
            answer = client.post(
                "/api/reassignments",
                content=json.dumps({"owner": "Inbound", "dry_run": dry_run} | body),
                headers=JSON,
            )

            assert refusal(answer)[:2] == (status, code)
            assert len(answer.content) < 10_000
            assert (digest(system), send.waiting) == (before, [])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"return_turns": "perhaps"}, 422),
        ({"turns": True}, 422),
        ([], 400),
        (None, 202),
        ({"return_turns": None}, 422),
    ],
)
def test_a_body_of_an_undo_is_checked(
    client: TestClient, imported: dict[str, Any], body: Any, status: int
) -> None:
    answer = client.post(f"/api/runs/{imported['id']}/undo", content=json.dumps(body), headers=JSON)

    assert answer.status_code == status, answer.text


# --- why ---


def test_why_tells_what_was_undone_and_who_gave_the_record_back(
    client: TestClient, system: System, send: Tasks, imported: dict[str, Any]
) -> None:
    run_id = reassign(client, list=imported["list"]).json()["id"]
    send.drain(system)
    assert client.get("/api/why/lead/2").json()["undone"] == []
    undo_id = client.post(f"/api/runs/{run_id}/undo").json()["id"]
    send.drain(system)

    why = client.get("/api/why/lead/2").json()
    [undone] = why["undone"]

    assert (why["turn"], why["owner"]["name"], why["given_back_by"]) == (None, "Zoe", undo_id)
    assert (
        undone["turn"],
        undone["pool"],
        undone["user"]["name"],
        undone["previous_owner"]["name"],
    ) == (2, "Inbound", "B", "Zoe")
    assert (undone["claim"], undone["cause"], undone["by"]) == (
        f"reassign:{run_id}",
        "reassign",
        f"undo:{undo_id}",
    )
    assert undone["at"] < undone["taken_back_at"]
    client.put("/v2/leads/2", json={"data": {"last_name": "Other"}})
    assert client.get("/api/why/lead/2").json()["given_back_by"] is None


def test_the_ledger_tells_what_was_undone_and_it_counts_for_nobody(
    client: TestClient, system: System, send: Tasks, imported: dict[str, Any]
) -> None:
    run_id = reassign(client, list=imported["list"]).json()["id"]
    send.drain(system)
    undo_id = client.post(f"/api/runs/{run_id}/undo").json()["id"]
    send.drain(system)
    give_leads(system, 1)

    [inbound] = (pool for pool in client.get("/api/pools").json() if pool["name"] == "Inbound")
    entries = client.get(f"/api/pools/{inbound['id']}/ledger").json()["entries"]
    members = client.get(f"/api/pools/{inbound['id']}").json()["members"]

    assert [(entry["turn"], entry["cause"], entry["undone_by"]) for entry in entries] == [
        (1, "edit", None),
        *((turn, "reassign", undo_id) for turn in (2, 3, 4)),
        (5, "edit", None),
    ]
    assert [member["records"] for member in members] == [2, 0]


def test_why_tells_of_several_undos_the_newest_first(
    client: TestClient, system: System, send: Tasks, imported: dict[str, Any]
) -> None:
    for _ in range(2):
        run_id = reassign(client, list=imported["list"]).json()["id"]
        send.drain(system)
        client.post(f"/api/runs/{run_id}/undo")
        send.drain(system)
    again = reassign(client, list=imported["list"]).json()["id"]
    send.drain(system)

    why = client.get("/api/why/lead/2").json()

    assert [undone["turn"] for undone in why["undone"]] == [5, 2]
    assert (why["claim"], why["given_back_by"]) == (f"reassign:{again}", None)


def test_why_tells_of_a_record_whose_import_was_undone(
    client: TestClient, system: System, send: Tasks
) -> None:
    create_pool(client)
    run_id = upload(client).json()["id"]
    send.drain(system)
    undo_id = client.post(f"/api/runs/{run_id}/undo").json()["id"]
    send.drain(system)

    why = client.get("/api/why/lead/1").json()

    assert (why["turn"], why["given_back_by"]) == (None, undo_id)
    assert [(undone["claim"], undone["previous_owner"]) for undone in why["undone"]] == [
        (f"import:{run_id}", None)
    ]


def test_why_does_not_take_another_types_record_for_this_one(
    client: TestClient, system: System, send: Tasks
) -> None:
    create_pool(client)
    run_id = upload(client).json()["id"]
    send.drain(system)
    client.post(f"/api/runs/{run_id}/undo")
    send.drain(system)
    owned(system, 1, "zoe@example.com", "contact")

    assert client.get("/api/why/contact/1").json()["undone"] == []
