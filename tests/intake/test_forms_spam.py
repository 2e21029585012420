"""What keeps programs from filling in forms, without keeping out people; and that one submission
makes one lead."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi import FastAPI
from redis import Redis
from starlette.testclient import TestClient

from api_stub.limits import RateLimit, get_form_rate_limit
from tests.api.asking import refusal
from tests.intake.asking import LEE, define, page, send, send_json, token
from tests.support.invariants import assert_promise, rows
from tests.support.tasks import SECRET_BOX, Tasks
from worker.flows.system import System
from worker.ring.rate_counters import Counts
from worker.secret_box import SecretBox

HOURS = 3600


def leads(system: System) -> list[int]:
    return [row["id"] for row in rows(system, "SELECT id FROM leads ORDER BY id")]


def outcomes(system: System) -> list[tuple[str, int]]:
    return [
        (row["outcome"], row["repeats"])
        for row in rows(system, "SELECT outcome, repeats FROM deliveries ORDER BY id")
    ]


# --- the trap ---


def test_whoever_fills_what_nobody_sees_is_thanked_and_nothing_is_kept(
    client: TestClient, system: System, form: dict[str, Any]
) -> None:
    thanked, trapped = send(client, form), send(client, form, homepage="http://spam.example")
    empty = send(client, form, {}, homepage="x", _token="none")

    assert trapped.status_code == empty.status_code == 200
    assert trapped.text == empty.text == thanked.text
    assert leads(system) == [1]
    assert outcomes(system) == [("accepted", 0), ("refused", 0), ("refused", 0)]
    assert "spam.example" not in repr(rows(system, "SELECT * FROM deliveries"))
    [refused] = client.get(f"/api/forms/{form['id']}/deliveries?limit=1").json()["deliveries"]
    assert "the field that nobody sees" in refused["reason"]


def test_the_trap_is_out_of_everybodys_way(client: TestClient, form: dict[str, Any]) -> None:
    shown = page(client.get("/forms/contact-us"))

    trap = shown.named("homepage")
    assert (trap["tabindex"], trap["autocomplete"]) == ("-1", "off")
    assert [each["aria-hidden"] for each in shown.all("div") if each["class"] == "trap"] == ["true"]


# --- the token ---


def test_what_is_sent_at_once_is_asked_for_once_more_with_the_same_token(
    client: TestClient, system: System, form: dict[str, Any]
) -> None:
    given = page(client.get("/forms/contact-us")).token

    again = send(client, form, _token=given)

    assert again.status_code == 422
    assert "That was quick" in again.text
    assert page(again).token == given
    assert page(again).named("last_name")["value"] == "Lee"
    assert (leads(system), outcomes(system)) == ([], [])


@pytest.mark.parametrize(
    "kind", ["expired", "another form's", "forged", "cut", "none", "another key's"]
)
def test_a_token_that_is_no_good_is_replaced_and_what_was_typed_stays(
    client: TestClient, system: System, form: dict[str, Any], kind: str
) -> None:
    tokens = {
        "expired": token(form, 2 * HOURS + 5),
        "another form's": token(define(client, slug="other")),
        "forged": "x" * 140,
        "cut": token(form)[:-4],
        "none": "",
        "another key's": SecretBox(["b" * 32]).seal(f"{form['id']} 1"),
    }

    again = send(client, form, LEE | {"description": "Hello"}, _token=tokens[kind])
    refused = send_json(client, form, given=tokens[kind])

    assert (again.status_code, refusal(refused)[:2]) == (422, (422, "token_expired"))
    assert "/forms/contact-us/token" in refusal(refused)[2]
    shown = page(again)
    assert shown.named("email")["value"] == "lee@example.com"
    assert "Hello</textarea>" in again.text
    assert SECRET_BOX.open(shown.token).partition(" ")[0] == str(form["id"])
    assert shown.token != tokens[kind]
    assert leads(system) == []


def test_a_token_is_good_for_two_hours(client: TestClient, form: dict[str, Any]) -> None:
    assert send(client, form, _token=token(form, 2 * HOURS - 60)).status_code == 200


def test_no_two_tokens_are_alike(client: TestClient, form: dict[str, Any]) -> None:
    numbers = {
        SECRET_BOX.open(client.get("/forms/contact-us/token").json()["token"]) for _ in range(5)
    }

    assert len(numbers) == 5


def test_a_plain_form_elsewhere_leads_on_to_the_page_with_what_was_typed(
    client: TestClient, system: System, form: dict[str, Any]
) -> None:
    page_here = page(
        client.post("/forms/contact-us", data=LEE, headers={"Origin": "https://elsewhere.example"})
    )

    assert page_here.named("last_name")["value"] == "Lee"
    assert leads(system) == []


# --- once ---


def test_the_same_submission_sent_twice_makes_one_lead_and_thanks_twice(
    client: TestClient, system: System, form: dict[str, Any]
) -> None:
    given = token(form)

    first, second = send(client, form, _token=given), send(client, form, _token=given)
    third = send_json(client, form, given=given)

    assert (first.status_code, first.text) == (second.status_code, second.text)
    assert (third.status_code, third.json()) == (202, {"lead": 1})
    assert leads(system) == [1]
    assert outcomes(system) == [("accepted", 2)]


@pytest.mark.parametrize("before", [None, "an attempt that was wrong"])
def test_the_same_submission_sent_several_times_at_once_makes_one_lead(
    client: TestClient, system: System, tasks: Tasks, form: dict[str, Any], before: str | None
) -> None:
    given = token(form)
    if before:
        assert send_json(client, form, {"last_name": "Lee"}, given).status_code == 422

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: send_json(client, form, given=given), range(6)))

    assert {(answer.status_code, answer.json()["lead"]) for answer in answers} == {
        (202, leads(system)[0])
    }
    assert len(leads(system)) == 1
    assert outcomes(system) == [("accepted", 5)]
    tasks.drain(system)
    assert_promise(system)


def test_another_submission_with_a_used_token_is_not_taken_for_the_first(
    client: TestClient, system: System, form: dict[str, Any]
) -> None:
    given = token(form)
    send(client, form, _token=given)

    other = send(client, form, LEE | {"first_name": "Ann"}, _token=given)
    refused = send_json(client, form, LEE | {"first_name": "Ann"}, given)

    assert (other.status_code, refusal(refused)[:2]) == (409, (409, "token_used"))
    assert page(other).named("first_name")["value"] == "Ann"
    assert page(other).token != given
    assert leads(system) == [1]
    assert send(client, form, LEE | {"first_name": "Ann"}).status_code == 200
    assert leads(system) == [1, 2]


def test_a_lead_that_is_made_stays_made_whatever_comes_after_with_its_token(
    client: TestClient, system: System, form: dict[str, Any]
) -> None:
    given = token(form)
    send(client, form, _token=given)

    assert send(client, form, {}, _token=given).status_code == 422

    assert outcomes(system) == [("accepted", 1)]


# --- how much from one address ---


@pytest.fixture
def limited(app: FastAPI, valkey_url: str, valkey: Redis) -> Iterator[None]:
    """Two submissions an hour from one address. It is half past."""
    counts = Counts(valkey_url)
    app.dependency_overrides[get_form_rate_limit] = lambda: RateLimit(
        "2/hour", counts, now=lambda: 500_000 * HOURS + HOURS / 2
    )
    yield
    counts.close()


def test_too_much_from_one_address_is_put_off_with_what_was_typed(
    client: TestClient, system: System, form: dict[str, Any], limited: None
) -> None:
    other = define(client, slug="other", origins=["https://a.com"])
    answers = [
        send(client, form),
        send(client, form, {}),
        send(client, form, LEE | {"description": "<b>"}),
    ]
    program = [send_json(client, other, Origin="https://a.com") for _ in range(3)][-1]

    assert [answer.status_code for answer in answers] == [200, 422, 429]
    assert answers[2].headers["retry-after"] == "1800"
    assert "send it again in 30 minutes" in answers[2].text
    assert page(answers[2]).named("description")["value"] == "<b>"
    assert page(answers[2]).named("_token")
    assert refusal(program)[:2] == (429, "too_many_submissions")
    assert (program.headers["retry-after"], program.headers["access-control-allow-origin"]) == (
        "1800",
        "https://a.com",
    )
    assert client.get("/forms/contact-us").status_code == 200
    assert len(leads(system)) == 3


def test_addresses_are_counted_apart_and_those_of_one_ipv6_network_together(
    app: FastAPI, client: TestClient, form: dict[str, Any], limited: None
) -> None:
    def from_(address: str) -> int:
        return send(TestClient(app, client=(address, 1)), form).status_code

    assert [from_("192.0.2.1") for _ in range(3)] == [200, 200, 429]
    assert from_("192.0.2.2") == 200
    assert [from_(f"2001:db8::{number}") for number in range(1, 4)] == [200, 200, 429]
    assert from_("2001:db8:0:1::1") == 200


def test_nobody_is_refused_because_redis_is_away(
    app: FastAPI, client: TestClient, form: dict[str, Any], tmp_path: Any
) -> None:
    counts = Counts(f"unix://{tmp_path}/nobody.sock")
    away = RateLimit("1/hour", counts)
    app.dependency_overrides[get_form_rate_limit] = lambda: away

    assert [send(client, form).status_code for _ in range(3)] == [200] * 3
    counts.close()


def test_what_a_proxy_says_is_nothing_to_the_app_itself(
    app: FastAPI, client: TestClient, form: dict[str, Any], limited: None
) -> None:
    headers = [{"X-Forwarded-For": f"192.0.2.{number}"} for number in range(3)]

    answers = [client.post("/forms/contact-us", data=LEE, headers=header) for header in headers]

    assert [answer.status_code for answer in answers] == [422, 422, 429]
