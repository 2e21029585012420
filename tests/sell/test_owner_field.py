"""The owner field takes a pool wherever it takes a user, and the record goes to the pool's next
member: in turn, once, at once."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from tests.api.asking import create_pool, posted
from tests.api.test_captures import capture
from tests.sell.asking import change, create, fault, told
from tests.support.factories import address_of, an_hour_passes, deactivate, email, join, leave
from tests.support.invariants import assert_promise, everything, rows
from tests.support.tasks import Tasks
from worker.flows.system import System
from worker.flows.upkeep import rings

CLIENTS = 30


def letters(system: System, answers: list[Any]) -> str:
    """Who got the records that were answered with, by the first letters of their addresses."""
    return "".join(address_of(system, told(answer)["owner_id"])[0] for answer in answers)


def turns(system: System) -> int:
    [counted] = rows(system, "SELECT count(*) AS entries FROM ledger")
    return int(counted["entries"])


# --- who gets it ---


@pytest.mark.parametrize("record_type", ["lead", "contact", "deal"])
def test_a_record_that_is_created_for_a_pool_goes_to_its_next_member_and_the_answer_shows_it(
    client: Any, system: System, record_type: str
) -> None:
    pool = create_pool(client, 3, record_type=record_type)
    with_whom = (
        {"contact_id": told(create(client, "contacts"))["id"]} if record_type == "deal" else {}
    )

    answers = [
        create(client, f"{record_type}s", owner_id=pool["id"], **with_whom) for _ in range(4)
    ]

    assert letters(system, answers) == "abca"
    why = client.get(f"/api/why/{record_type}/{told(answers[1])['id']}").json()
    assert (why["turn"], why["cause"], why["actor"]["id"], why["next"]["name"]) == (
        2,
        "create",
        1,
        "C",
    )
    assert why["claim"].startswith("request:")
    assert_promise(system)


def test_a_record_that_is_handed_to_a_pool_goes_to_its_next_member(
    client: Any, system: System
) -> None:
    pool = create_pool(client, 3)
    lead_ids = [told(create(client, "leads"))["id"] for _ in range(4)]

    answers = [change(client, f"leads/{lead_id}", owner_id=pool["id"]) for lead_id in lead_ids]

    assert letters(system, answers) == "abca"
    why = client.get(f"/api/why/lead/{lead_ids[2]}").json()
    assert (why["turn"], why["cause"], why["previous_owner"]["id"]) == (3, "edit", 1)
    assert_promise(system)


def test_whoever_asks_for_a_pool_again_asks_for_its_next_member(
    client: Any, system: System
) -> None:
    pool = create_pool(client, 2)
    lead = told(create(client, "leads", owner_id=pool["id"]))

    answers = [change(client, f"leads/{lead['id']}", owner_id=pool["id"]) for _ in range(2)]

    assert letters(system, answers) == "ba"
    assert turns(system) == 3
    assert_promise(system)


def test_without_an_owner_a_record_is_the_callers(client: Any) -> None:
    assert told(create(client, "leads"))["owner_id"] == 1
    assert told(create(client, "leads", owner_id=None))["owner_id"] == 1


def test_an_owner_who_is_a_person_takes_no_turn(client: Any, system: System) -> None:
    pool = create_pool(client, 2)
    lead = told(create(client, "leads", owner_id=pool["id"]))

    given = told(change(client, f"leads/{lead['id']}", owner_id=1))

    assert (given["owner_id"], turns(system)) == (1, 1)
    assert client.get(f"/api/why/lead/{lead['id']}").json()["turn"] is None
    assert_promise(system)


# --- no turn without need ---


def test_an_edit_that_names_no_owner_or_the_present_one_takes_no_turn(
    client: Any, system: System
) -> None:
    pool = create_pool(client, 3)
    lead = told(create(client, "leads", owner_id=pool["id"]))

    renamed = told(change(client, f"leads/{lead['id']}", last_name="Li"))
    same = told(change(client, f"leads/{lead['id']}", owner_id=lead["owner_id"], last_name="Li"))
    sent_back = told(change(client, f"leads/{lead['id']}", **renamed))

    assert [each["owner_id"] for each in (renamed, same, sent_back)] == [lead["owner_id"]] * 3
    assert sent_back == renamed
    assert turns(system) == 1
    assert_promise(system)


def test_what_is_refused_takes_no_turn_and_leaves_nothing(client: Any, system: System) -> None:
    pool = create_pool(client, 2)
    lead = told(create(client, "leads", owner_id=pool["id"]))
    before = everything(system)

    refused = [
        create(client, "leads", owner_id=pool["id"], last_name=" "),
        create(client, "leads", owner_id=pool["id"], source_id=99),
        change(client, f"leads/{lead['id']}", owner_id=pool["id"], last_name=None),
    ]

    assert [fault(answer)[0] for answer in refused] == [422, 422, 422]
    assert everything(system) | {"tokens": []} == before | {"tokens": []}
    assert letters(system, [create(client, "leads", owner_id=pool["id"])]) == "b"
    assert_promise(system)


# --- who can't be given it ---


def test_a_pool_that_cant_take_the_record_is_refused_with_the_reason(
    client: Any, system: System
) -> None:
    contacts, empty = (
        create_pool(client, 2, "Contacts", "contact"),
        posted(client, "/api/pools", name="Empty"),
    )
    deleted = posted(client, "/api/pools", name="Gone")
    client.delete(f"/api/pools/{deleted['id']}")
    lead_id = told(create(client, "leads"))["id"]

    for owner_id, words in (
        (contacts["id"], "shares contacts"),
        (empty["id"], "no members"),
        (deleted["id"], "not there"),
        (999, "not there"),
    ):
        for answer in (
            create(client, "leads", owner_id=owner_id),
            change(client, f"leads/{lead_id}", owner_id=owner_id),
        ):
            assert fault(answer) == (422, "incorrect_value", "/data/owner_id")
            assert words in answer.json()["errors"][0]["error"]["message"]
    assert told(client.get(f"/v2/leads/{lead_id}"))["owner_id"] == 1


def test_a_pool_that_loses_its_last_member_meanwhile_is_refused(
    client: Any, system: System
) -> None:
    pool = create_pool(client, 1)
    create(client, "leads", owner_id=pool["id"])
    leave(system, email(0))

    assert fault(create(client, "leads", owner_id=pool["id"])) == (
        422,
        "incorrect_value",
        "/data/owner_id",
    )
    join(system, email(0))
    assert letters(system, [create(client, "leads", owner_id=pool["id"])]) == "a"
    assert_promise(system)


def test_somebody_who_was_deactivated_keeps_what_they_own_and_gets_nothing_new(
    client: Any, system: System
) -> None:
    pool = create_pool(client, 2)
    lead = told(create(client, "leads", owner_id=pool["id"]))
    deactivate(system, email(0))

    refused = create(client, "leads", owner_id=lead["owner_id"])
    kept = told(change(client, f"leads/{lead['id']}", owner_id=lead["owner_id"], phone="1"))

    assert fault(refused) == (422, "incorrect_value", "/data/owner_id")
    assert (kept["owner_id"], kept["phone"]) == (lead["owner_id"], "1")
    assert_promise(system)


# --- one ring for all doors ---


def test_all_doors_take_from_one_ring(client: Any, system: System, send: Tasks) -> None:
    pool = create_pool(client, 3)
    first = create(client, "leads", owner_id=pool["id"])
    captured = capture(client).json()["id"]
    send.drain(system)
    third = change(client, f"leads/{told(create(client, 'leads'))['id']}", owner_id=pool["id"])
    fourth = client.post(
        "/v2/leads/upsert?email=a@b.c",
        json={"data": {"last_name": "Lee", "email": "a@b.c", "owner_id": pool["id"]}},
    )

    assert letters(system, [first, client.get(f"/v2/leads/{captured}"), third, fourth]) == "abca"
    assert_promise(system)


def test_a_ring_that_forgot_is_seeded_and_nobody_is_skipped(
    client: Any, system: System, valkey: Any
) -> None:
    pool = create_pool(client, 3)
    answers = [create(client, "leads", owner_id=pool["id"]) for _ in range(2)]
    valkey.flushall()

    answers += [create(client, "leads", owner_id=pool["id"]) for _ in range(2)]

    assert letters(system, answers) == "abca"
    assert_promise(system)


def test_thirty_clients_at_once_get_thirty_turns(client: Any, system: System) -> None:
    pool = create_pool(client, 7)

    with ThreadPoolExecutor(CLIENTS) as threads:
        answers = list(
            threads.map(lambda _: create(client, "leads", owner_id=pool["id"]), range(CLIENTS))
        )

    assert "".join(sorted(letters(system, answers))) == "".join(
        sorted(("abcdefg" * CLIENTS)[:CLIENTS])
    )
    assert turns(system) == CLIENTS
    assert_promise(system, quiet=False)
    rings.repair(system)
    assert_promise(system)


# --- captured leads that wait ---


def test_a_lead_that_waits_is_given_to_whoever_is_named_and_leaves_the_line(
    client: Any, system: System, send: Tasks
) -> None:
    pool, empty = create_pool(client, 2), posted(client, "/api/pools", name="Empty")
    waiting = [capture(client, "Empty").json()["id"] for _ in range(3)]
    send.drain(system)

    by_hand, in_turn = (
        change(client, f"leads/{waiting[0]}", owner_id=1),
        change(client, f"leads/{waiting[1]}", owner_id=pool["id"]),
    )
    same = change(client, f"leads/{waiting[2]}", owner_id=empty["id"], phone="1")

    assert (told(by_hand)["owner_id"], letters(system, [in_turn])) == (1, "a")
    assert (told(same)["owner_id"], told(same)["phone"]) == (empty["id"], "1")
    assert [lead["id"] for lead in client.get("/api/leads/waiting").json()] == [waiting[2]]
    join(system, email(1), name="Empty")
    send.drain(system)
    assert letters(system, [client.get(f"/v2/leads/{waiting[2]}")]) == "b"
    assert_promise(system)


def test_a_lead_that_is_deleted_while_it_waits_leaves_the_line(
    client: Any, system: System, send: Tasks
) -> None:
    create_pool(client, 2)
    first, second = capture(client).json()["id"], capture(client).json()["id"]

    assert client.delete(f"/v2/leads/{first}").status_code == 204
    send.drain(system)
    an_hour_passes(system)
    rings.repair(system)

    assert letters(system, [client.get(f"/v2/leads/{second}")]) == "a"
    assert client.get(f"/v2/leads/{first}").status_code == 404
    assert_promise(system)


def test_a_record_that_is_deleted_keeps_its_place_in_the_ledger(
    client: Any, system: System
) -> None:
    pool = create_pool(client, 2)
    lead = told(create(client, "leads", owner_id=pool["id"]))

    assert client.delete(f"/v2/leads/{lead['id']}").status_code == 204

    gone = [
        client.get(f"/v2/leads/{lead['id']}"),
        change(client, f"leads/{lead['id']}", phone="1"),
        client.delete(f"/v2/leads/{lead['id']}"),
    ]
    assert [fault(answer)[:2] for answer in gone] == [(404, "not_found")] * 3
    assert client.get(f"/api/why/lead/{lead['id']}").json()["turn"] == 1
    assert client.get("/api/verify").json()[0]["holds"]
    assert_promise(system)


# --- requests that come again ---


def test_a_request_that_comes_again_under_its_key_gets_the_same_answer_and_no_second_turn(
    client: Any, system: System
) -> None:
    pool = create_pool(client, 3)
    key = {"Idempotency-Key": "order 66"}

    created = [create(client, "leads", key, owner_id=pool["id"], tags=["x"]) for _ in range(2)]
    lead_id = told(created[0])["id"]
    changed = [
        change(client, f"leads/{lead_id}", {"Idempotency-Key": "k2"}, owner_id=pool["id"])
        for _ in range(2)
    ]

    assert created[0].json() == created[1].json()
    assert changed[0].json() == changed[1].json()
    assert letters(system, [created[0], changed[0]]) == "ab"
    assert turns(system) == 2
    assert len(client.get("/v2/leads").json()["items"]) == 1
    assert_promise(system)


def test_a_key_is_good_for_one_request_of_one_person_for_a_day(
    client: Any, system: System, member: Any
) -> None:
    key = {"Idempotency-Key": "k"}
    first = told(create(client, "leads", key))

    other_body = create(client, "leads", key, last_name="Li")
    other_path = create(client, "contacts", key)
    others = told(create(member, "leads", key))
    system.transact(
        lambda session: session.execute(
            text("UPDATE idempotency_keys SET at = '2020-01-01 00:00:00'")
        )
    )
    next_day = told(create(client, "leads", key, last_name="Li"))

    assert [fault(answer)[:2] for answer in (other_body, other_path)] == [(422, "key_reused")] * 2
    assert len({first["id"], others["id"], next_day["id"]}) == 3
    assert fault(create(client, "leads", {"Idempotency-Key": "k" * 256}))[:2] == (
        400,
        "invalid_header",
    )


def test_what_was_refused_under_a_key_may_be_asked_again(client: Any, system: System) -> None:
    key, pool = {"Idempotency-Key": "k"}, posted(client, "/api/pools", name="Empty")

    refused = create(client, "leads", key, owner_id=pool["id"])
    create_pool(client, 1)
    join(system, email(0), name="Empty")

    assert fault(refused)[0] == 422
    assert letters(system, [create(client, "leads", key, owner_id=pool["id"])]) == "a"


def test_ten_who_come_at_once_under_one_key_take_one_turn(client: Any, system: System) -> None:
    pool = create_pool(client, 3)

    with ThreadPoolExecutor(10) as threads:
        answers = list(
            threads.map(
                lambda _: create(client, "leads", {"Idempotency-Key": "k"}, owner_id=pool["id"]),
                range(10),
            )
        )

    assert {answer.text for answer in answers} == {answers[0].text}
    assert letters(system, answers[:1]) == "a"
    assert turns(system) == 1
    assert_promise(system)
