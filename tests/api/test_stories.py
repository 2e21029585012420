"""What people do with the API, from the first user to the verified pool."""

from typing import Any

from tests.api.asking import LEADS, add_users, create_pool, posted, upload
from tests.support import invariants
from tests.support.factories import execute, give_leads, leave
from tests.support.tasks import Tasks
from worker.flows.system import System

STEAL_TURN_2 = (
    "UPDATE ledger SET user_id = (SELECT user_id FROM ledger WHERE turn = 1) WHERE turn = 2"
)


def test_an_import_goes_from_upload_to_receipt(client: Any, system: System, send: Tasks) -> None:
    create_pool(client, members=2)

    accepted = upload(client)
    waiting = client.get(accepted.headers["Location"]).json()
    send.drain(system)
    done = client.get(accepted.headers["Location"]).json()
    receipt = client.get(f"{accepted.headers['Location']}/receipt")

    assert (accepted.status_code, accepted.headers["Location"]) == (
        202,
        f"/api/runs/{accepted.json()['id']}",
    )
    assert accepted.json() == waiting
    assert (waiting["state"], waiting["progress"], waiting["file"]) == (
        "accepted",
        0.0,
        "leads.csv",
    )
    assert (done["state"], done["progress"], done["owner"]) == ("done", 1.0, "Inbound")
    assert {name: done[name] for name in ("rows", "records", "errors", "turns")} == {
        "rows": 4,
        "records": 3,
        "errors": 1,
        "turns": 3,
    }
    assert done["first_errors"] == [
        {"line": 3, "field": "last_name", "reason": "needs last name or organization name"}
    ]
    assert receipt.headers["content-type"].startswith("text/csv")
    assert (
        receipt.headers["content-disposition"] == f'attachment; filename="receipt-{done["id"]}.csv"'
    )
    assert [
        (line["line"], line["turn"], line["owner"])
        for line in invariants.receipt(system, done["id"])
    ] == [
        ("2", "1", "a@example.com"),
        ("3", "", ""),
        ("4", "2", "b@example.com"),
        ("5", "3", "a@example.com"),
    ]
    assert receipt.text.startswith(
        "line,record_type,record_id,pool,turn,owner,error\r\n2,lead,1,Inbound,1,a@example.com,\r\n"
        "3,lead,"
    )
    invariants.assert_in_file_order(system, done["id"])
    invariants.assert_promise(system)


def test_a_receipt_longer_than_a_block_comes_whole(
    client: Any, system: System, send: Tasks
) -> None:
    create_pool(client)
    rows = 5000
    upload(client, b"Last Name\n" + b"".join(b"L%d\n" % row for row in range(rows)))
    send.drain(system)

    lines = client.get("/api/runs/1/receipt").text.splitlines()

    assert len(lines) == rows + 1
    assert lines[-1].startswith(f"{rows + 1},lead,")
    assert len("".join(lines)) > 2**17


def test_a_mapping_names_the_field_of_a_header(client: Any, system: System, send: Tasks) -> None:
    create_pool(client)

    run = upload(
        client, b"Nom,a=b\nHugo,Paris\n", map=["Nom=last_name", "a=b = address_city"]
    ).json()
    send.drain(system)

    assert client.get(f"/api/runs/{run['id']}").json()["records"] == 1
    [lead] = invariants.rows(system, "SELECT last_name, address_city FROM leads")
    assert lead == {"last_name": "Hugo", "address_city": "Paris"}


def test_an_import_of_deals_to_a_person_takes_no_turns(
    client: Any, system: System, send: Tasks
) -> None:
    add_users(client, "a@example.com")

    run = upload(client, b"name,value\nBig,12\n", owner="a@example.com", type="deal").json()
    send.drain(system)

    done = client.get(f"/api/runs/{run['id']}").json()
    assert (done["state"], done["record_type"], done["owner"], done["records"], done["turns"]) == (
        "done",
        "deal",
        "A",
        1,
        0,
    )
    why = client.get("/api/why/deal/1").json()
    assert (why["turn"], why["roster"], why["owner"]["email"]) == (None, None, "a@example.com")


def test_leads_that_are_captured_and_rows_that_are_imported_take_from_one_ring(
    client: Any, system: System, send: Tasks
) -> None:
    create_pool(client, members=3)

    first = posted(client, "/api/leads/capture", pool="Inbound", lead={"last_name": "First"})["id"]
    send.drain(system)
    run = upload(client).json()
    last = posted(client, "/api/leads/capture", pool="Inbound", lead={"last_name": "Last"})["id"]
    send.drain(system)

    told = [
        (line["turn"], line["owner"][:1])
        for line in invariants.receipt(system, run["id"])
        if not line["error"]
    ]
    whys = [client.get(f"/api/why/lead/{lead}").json() for lead in (first, last)]
    assert [(str(why["turn"]), why["owner"]["email"][0]) for why in whys] == [
        ("1", "a"),
        ("5", "b"),
    ]
    assert told == [("2", "b"), ("3", "c"), ("4", "a")]
    assert client.get("/api/leads/waiting").json() == []
    assert all(report["holds"] for report in client.get("/api/verify").json())
    invariants.assert_promise(system)


def test_runs_are_listed_newest_first(client: Any) -> None:
    create_pool(client)
    ids = [upload(client).json()["id"] for _ in range(3)]

    listed = client.get("/api/runs").json()
    newest = client.get("/api/runs?limit=1").json()

    assert [run["id"] for run in listed] == ids[::-1]
    assert newest == listed[:1]
    assert "first_errors" not in newest[0]


def test_why_tells_the_turn_and_its_neighbours(client: Any, system: System) -> None:
    create_pool(client, members=3)
    give_leads(system, 2)

    why = client.get("/api/why/lead/2").json()

    assert (why["turn"], why["pool"], why["cause"], why["claim"]) == (
        2,
        "Inbound",
        "edit",
        "lead:2:edit",
    )
    assert [why[who]["email"][0] for who in ("before", "owner", "next")] == ["a", "b", "c"]
    assert [member["email"][0] for member in why["roster"]["members"]] == ["a", "b", "c"]
    assert (why["roster"]["version"], why["roster"]["first_turn"]) == (1, 1)


def test_verify_tells_that_the_promise_holds_and_where_it_does_not(
    client: Any, system: System
) -> None:
    pool = create_pool(client, members=2)
    add_users(client, "z@example.com")
    posted(client, "/api/pools", name="Other", members=["z@example.com"])
    give_leads(system, 3)

    well = client.get("/api/verify").json()
    robbed = execute(system, STEAL_TURN_2)
    ill = client.get(f"/api/pools/{pool['id']}/verify").json()

    assert [(report["pool"], report["holds"], report["entered"]) for report in well] == [
        ("Inbound", True, 3),
        ("Other", True, 0),
    ]
    assert (well[0]["ring"], well[0]["violations"]) == ("agrees", [])
    assert (robbed, ill["pool"], ill["holds"]) == (1, "Inbound", False)
    assert ("in turn", 2) in [
        (violation["point"], violation["turn"]) for violation in ill["violations"]
    ]
    assert ill["violated"] == {"in turn": 1, "checkable": 1}
    assert [
        report["ring"] for report in client.get("/api/verify", params={"offline": True}).json()
    ] == ["not asked", "not asked"]
    assert (
        client.get(f"/api/pools/{pool['id']}/verify", params={"offline": True}).json()["ring"]
        == "not asked"
    )


def test_a_pool_lives_from_creation_to_deletion(client: Any, system: System) -> None:
    a, b, c = add_users(client, "a@example.com", "b@example.com", "c@example.com")

    created = client.post(
        "/api/pools", json={"name": "Inbound", "members": ["b@example.com", "a@example.com"]}
    )
    address = created.headers["Location"]
    got = give_leads(system, 1)
    joined = posted(client, f"{address}/members", members=["c@example.com"])
    removed = client.delete(f"{address}/members/{a}").json()
    renamed = client.patch(address, json={"name": "EMEA"}).json()
    listed = client.get("/api/pools").json()
    deleted = client.delete(address)

    assert (created.status_code, address) == (201, f"/api/pools/{created.json()['id']}")
    assert [member["id"] for member in created.json()["members"]] == [b, a]
    assert created.json()["record_type"] == "lead"
    assert got == "b"
    assert [member["id"] for member in joined["members"]] == [b, a, c]
    assert (joined["next"], joined["turns"]) == ("A", 1)
    assert [(member["id"], member["records"]) for member in removed["members"]] == [(b, 1), (c, 0)]
    assert removed["next"] == "C"
    assert renamed["name"] == "EMEA"
    assert client.get("/api/pools").json() == []
    assert [(pool["name"], pool["size"], pool["next"]) for pool in listed] == [("EMEA", 2, "C")]
    assert (deleted.status_code, deleted.content) == (204, b"")


def test_a_ledger_is_read_page_by_page(client: Any, system: System, send: Tasks) -> None:
    pool = create_pool(client, members=2)
    posted(client, "/api/leads/capture", pool="Inbound", lead={"last_name": "Lee"})
    send.drain(system)
    give_leads(system, 2)
    address = f"/api/pools/{pool['id']}/ledger"

    first = client.get(address, params={"limit": 2}).json()
    second = client.get(address, params={"limit": 2, "after": first["next"]}).json()
    whole = client.get(address).json()

    assert [entry["turn"] for entry in first["entries"]] == [1, 2]
    assert ([entry["turn"] for entry in second["entries"]], first["next"], second["next"]) == (
        [3],
        2,
        None,
    )
    assert whole == {"entries": first["entries"] + second["entries"], "next": None}
    assert client.get(address, params={"limit": 3}).json() == whole
    assert client.get(address, params={"after": 3}).json() == {"entries": [], "next": None}
    a, root = pool["members"][0], client.get("/api/users/self").json()
    assert first["entries"][0] == {
        "turn": 1,
        "record_type": "lead",
        "record_id": 1,
        "user": {name: a[name] for name in ("id", "name", "email")},
        "previous_owner": None,
        "cause": "capture",
        "claim": "lead:1:capture",
        "undone_by": None,
        "actor": {name: root[name] for name in ("id", "name", "email")},
        "at": first["entries"][0]["at"],
    }
    assert second["entries"][0]["actor"] is None


def test_a_pools_rosters_are_told_from_the_first_to_the_one_in_force(
    client: Any, system: System
) -> None:
    pool = create_pool(client, members=2)
    address = f"/api/pools/{pool['id']}"
    give_leads(system, 3)
    leave(system, "a@example.com")
    add_users(client, "c@example.com")
    posted(client, f"{address}/members", members=["c@example.com"])

    rosters = client.get(f"{address}/rosters").json()

    assert [(roster["version"], roster["first_turn"]) for roster in rosters] == [
        (1, 1),
        (2, 4),
        (3, 4),
    ]
    assert ["".join(member["email"][0] for member in roster["members"]) for roster in rosters] == [
        "ab",
        "b",
        "bc",
    ]
    assert [roster["actor"] and roster["actor"]["email"] for roster in rosters] == [
        "root@example.com",
        None,
        "root@example.com",
    ]
    assert [roster["since"] for roster in rosters] == sorted(roster["since"] for roster in rosters)


def test_a_user_who_is_deactivated_leaves_all_pools(client: Any) -> None:
    pool = create_pool(client, members=2)
    first = pool["members"][0]["id"]

    left = client.post(f"/api/users/{first}/deactivate")

    assert (left.status_code, left.json()["is_active"], left.json()["left"]) == (
        200,
        False,
        ["Inbound"],
    )
    assert [
        (user["id"], user["is_active"], user["is_admin"])
        for user in client.get("/api/users").json()
    ] == [
        (first - 1, True, True),
        (first, False, False),
        (first + 1, True, False),
    ]
    assert [
        member["email"] for member in client.get(f"/api/pools/{pool['id']}").json()["members"]
    ] == ["b@example.com"]


def test_the_upload_is_kept_as_it_came(client: Any, system: System) -> None:
    create_pool(client)

    upload(client)

    [stored] = invariants.rows(system, "SELECT folder, size_bytes FROM imports")
    with system.uploads.open(f"{stored['folder']}/upload.csv") as file:
        assert file.read() == LEADS
        assert stored["size_bytes"] == len(LEADS)


def test_a_file_name_that_no_database_stores_is_stored_without_what_is_wrong(client: Any) -> None:
    create_pool(client)
    parts = (
        b'--x\r\nContent-Disposition: form-data; name="owner"\r\n\r\nInbound\r\n',
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a\0b.csv"\r\n\r\nLast '
        b"Name\r\n--x--\r\n",
    )

    answer = client.post(
        "/api/imports",
        content=b"".join(parts),
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )

    assert (answer.status_code, answer.json()["file"]) == (202, "ab.csv")
