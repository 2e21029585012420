"""Forms over HTTP: shown, filled in and sent, by people and by programs."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.asking import faults, posted, refusal
from tests.intake.asking import LEE, define, page, send, send_json, token
from tests.support.invariants import assert_promise, rows
from tests.support.tasks import Tasks
from worker.flows.system import System

ON_ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What is refused before anything is stored is the same on both."""

HOSTILE = '"><script>alert(1)</script>'


def stored(system: System) -> list[dict[str, Any]]:
    return rows(system, "SELECT * FROM leads ORDER BY id")


def deliveries(client: TestClient, form: dict[str, Any]) -> list[dict[str, Any]]:
    return client.get(f"/api/forms/{form['id']}/deliveries").json()["deliveries"]


# --- the page ---


def test_the_page_asks_for_each_field_in_order_under_a_label(
    client: TestClient, stranger: TestClient, form: dict[str, Any]
) -> None:
    shown = page(stranger.get("/forms/contact-us"))

    named = [
        each for each in shown.all("input", "select", "textarea") if each.get("type") != "hidden"
    ]
    labels = {each["for"] for each in shown.all("label")}
    assert [each["name"] for each in named] == [
        "first_name",
        "last_name",
        "email",
        "organization_name",
        "description",
        "homepage",
    ]
    assert labels == {each["id"] for each in named}
    assert "required" in shown.named("last_name")
    assert "required" not in shown.named("first_name")
    assert [shown.named("email")[name] for name in ("type", "autocomplete", "inputmode")] == [
        "email",
        "email",
        "email",
    ]
    assert [each.get("method") for each in shown.all("form")] == ["post"]
    assert [each["content"] for each in shown.all("meta") if each.get("name") == "viewport"] == [
        "width=device-width, initial-scale=1"
    ]
    assert list(shown.all("script", "style")) == []
    assert not [
        name
        for _, each in shown.elements
        for name in each
        if name.startswith("on") or name == "style"
    ]


def test_the_page_loads_a_style_sheet_of_ours_and_nothing_else(
    stranger: TestClient, form: dict[str, Any]
) -> None:
    shown = page(stranger.get("/forms/contact-us"))

    [link] = shown.all("link")
    style = stranger.get(f"/forms/{link['href']}")
    assert (style.status_code, style.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "immutable" in style.headers["cache-control"]
    assert "http" not in style.text
    assert list(shown.all("img", "iframe")) == []


def test_browsers_are_told_to_run_no_script_to_keep_nothing_and_to_frame_nowhere(
    stranger: TestClient, form: dict[str, Any]
) -> None:
    told = stranger.get("/forms/contact-us").headers

    assert told["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    )
    assert told["referrer-policy"] == "same-origin"
    assert told["x-content-type-options"] == "nosniff"
    assert told["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in told


def test_the_allowed_origins_may_frame_the_page_and_it_may_send_people_on(
    client: TestClient, form: dict[str, Any]
) -> None:
    define(
        client,
        slug="b",
        origins=["https://a.com", "http://localhost:3000"],
        redirect_url="https://b.com/thanks?x=1",
    )

    policy = client.get("/forms/b").headers["content-security-policy"]

    assert policy.endswith(
        "form-action 'self' https://b.com; frame-ancestors https://a.com http://localhost:3000"
    )


def test_a_form_that_is_closed_is_as_unknown_as_one_that_is_not_there(
    client: TestClient, system: System, form: dict[str, Any]
) -> None:
    good = token(form)
    client.patch(f"/api/forms/{form['id']}", json={"enabled": False})

    closed = [client.get("/forms/contact-us"), send(client, form, _token=good)]
    unknown = [
        client.get("/forms/nowhere"),
        client.post("/forms/nowhere", data=LEE),
        client.get("/forms/a%00b"),
        client.get(f"/forms/{'x' * 9000}"),
    ]

    assert {answer.status_code for answer in (*closed, *unknown)} == {404}
    assert len({answer.text for answer in (*closed, *unknown)}) == 1
    assert "There is no form here" in closed[0].text
    assert page(closed[0])
    assert refusal(send_json(client, form, given=good))[:2] == (404, "unknown_form")
    assert refusal(client.get("/forms/nowhere/token"))[:2] == (404, "unknown_form")
    assert stored(system) == []
    client.patch(f"/api/forms/{form['id']}", json={"enabled": True})
    assert send(client, form, _token=good).status_code == 200


def test_a_slug_may_be_written_in_capitals(client: TestClient, form: dict[str, Any]) -> None:
    assert client.get("/forms/Contact-Us").status_code == 200


# --- what a person sends ---


def test_what_is_sent_becomes_a_lead_of_the_next_member(
    client: TestClient, stranger: TestClient, system: System, tasks: Tasks, form: Any
) -> None:
    typed = {
        "first_name": " Ann ",
        "last_name": "Lee",
        "email": "ann@Example.com",
        "organization_name": "",
        "description": "Hello\r\nthere",
    }

    answers = [
        send(stranger, form, typed | {"first_name": name}) for name in (" Ann ", "Bob", "Cy")
    ]

    assert [answer.status_code for answer in answers] == [200] * 3
    assert "Thank you" in answers[0].text
    assert page(answers[0])
    tasks.drain(system)
    leads = stored(system)
    assert [lead["first_name"] for lead in leads] == ["Ann", "Bob", "Cy"]
    assert [leads[0][name] for name in ("email", "organization_name", "description", "source")] == [
        "ann@example.com",
        None,
        "Hello\nthere",
        "Website",
    ]
    assert [
        client.get(f"/api/why/lead/{lead['id']}").json()["owner"]["email"][0] for lead in leads
    ] == ["a", "b", "a"]
    assert client.get("/v2/leads/1").json()["data"]["tags"] == ["web"]
    listed = deliveries(client, form)
    assert [
        (each["outcome"], each["reason"], each["repeats"], each["leads"]) for each in listed
    ] == [("accepted", None, 0, [number]) for number in (3, 2, 1)]
    assert_promise(system)


def test_one_is_thanked_in_the_words_of_the_form_or_sent_on(
    client: TestClient, form: dict[str, Any]
) -> None:
    thanks = define(client, slug="a", thanks="See <you>\nsoon")
    onward = define(
        client, slug="b", thanks="Never said", redirect_url="https://b.com/thanks?x=1&y=2"
    )

    thanked, sent_on = send(client, thanks), send(client, onward)

    assert "See &lt;you&gt;\nsoon" in thanked.text
    assert (sent_on.status_code, sent_on.headers["location"]) == (
        303,
        "https://b.com/thanks?x=1&y=2",
    )
    assert "form-action 'self' https://b.com" in sent_on.headers["content-security-policy"]


def test_what_is_wrong_is_told_at_each_field_with_what_was_typed(
    client: TestClient, system: System, form: dict[str, Any]
) -> None:
    given = token(form)

    again = send(
        client,
        form,
        {
            "first_name": HOSTILE,
            "last_name": " ",
            "email": "nobody",
            "description": f"\n{HOSTILE}</textarea>",
        },
        _token=given,
    )

    assert again.status_code == 422
    shown = page(again)
    assert shown.faulty == ["last_name", "email"]
    assert shown.named("first_name")["value"] == HOSTILE
    assert shown.named("email")["value"] == "nobody"
    assert "<script>" not in again.text
    assert "<title>Error: Contact us</title>" in again.text
    assert 'role="alert"' in again.text
    assert shown.token == given
    assert stored(system) == []


def test_a_correction_with_the_same_token_makes_the_lead(
    client: TestClient, system: System, form: dict[str, Any]
) -> None:
    given = token(form)
    for typed in ({"last_name": "Lee"}, {"last_name": "Lee", "email": "lee"}):
        assert send(client, form, typed, _token=given).status_code == 422
    [before] = deliveries(client, form)

    assert send(client, form, _token=given).status_code == 200

    assert (before["outcome"], before["reason"], before["leads"]) == (
        "invalid",
        "Email must be an address such as name@example.com.",
        [],
    )
    assert [
        (each["outcome"], each["reason"], each["leads"]) for each in deliveries(client, form)
    ] == [("accepted", None, [1])]


def test_every_type_of_field_is_shown_and_kept(
    client: TestClient, system: System, tasks: Tasks, form: dict[str, Any]
) -> None:
    fields = [
        {"name": "company", "label": "Company"},
        {"name": "phone", "label": "Phone"},
        {"name": "website", "label": "Website"},
        {
            "name": "Size",
            "label": HOSTILE,
            "type": "select",
            "choices": ["small", HOSTILE],
            "required": True,
        },
        {"name": "Seats", "label": "Seats", "type": "number"},
        {"name": "News", "label": "News", "type": "checkbox"},
        {"name": HOSTILE, "label": "Hostile"},
    ]
    sink = define(client, slug="sink", name=HOSTILE, fields=fields)
    typed = {
        "organization_name": "ACME",
        "phone": "123",
        "website": "acme.com",
        "Size": HOSTILE,
        "Seats": "x",
        "News": "yes",
        HOSTILE: HOSTILE,
    }

    again = send(client, sink, typed)
    shown = page(again)
    done = send(client, sink, typed | {"Seats": "7", "owner_id": "1", "id": "99"})

    assert "<script>" not in again.text
    assert shown.faulty == ["Seats"]
    assert [shown.named("Seats")[name] for name in ("type", "inputmode", "value")] == [
        "text",
        "decimal",
        "x",
    ]
    assert "checked" in shown.named("News")
    assert [each for each in shown.all("option") if "selected" in each] == [{"selected": None}]
    assert shown.named(HOSTILE)["value"] == HOSTILE
    assert done.status_code == 200
    lead = client.get("/v2/leads/1").json()["data"]
    assert lead["custom_fields"] == {"Size": HOSTILE, "Seats": "7", "News": "yes", HOSTILE: HOSTILE}
    assert [lead[name] for name in ("organization_name", "phone", "website")] == [
        "ACME",
        "123",
        "https://acme.com",
    ]


def test_a_field_may_say_the_source_and_what_is_blank_leaves_it(
    client: TestClient, system: System, form: dict[str, Any]
) -> None:
    asking = define(
        client,
        slug="s",
        source="Website",
        fields=[{"name": "surname", "label": "Name"}, {"name": "source", "label": "Where from?"}],
    )

    for source in ("A fair", ""):
        send(client, asking, {"last_name": "Lee", "source": source})

    assert [lead["source"] for lead in stored(system)] == ["A fair", "Website"]


def test_a_form_may_be_of_one_person(
    client: TestClient, system: System, form: dict[str, Any]
) -> None:
    mine = define(client, slug="mine", owner="b@example.com")

    assert send(client, mine).status_code == 200

    assert client.get("/v2/leads/1").json()["data"]["owner_id"] == mine["owner_id"]
    assert rows(system, "SELECT * FROM captures") == []


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    ("kind", "content", "status", "words"),
    [
        (
            "multipart/form-data; boundary=x",
            b"--x--",
            415,
            "must be application/x-www-form-urlencoded",
        ),
        ("text/plain", b"last_name=Lee", 415, "must be application/x-www-form-urlencoded"),
        (
            "application/x-www-form-urlencoded",
            b"a=" + b"b" * 65_536,
            413,
            "larger than the 65536 bytes",
        ),
        (
            "application/x-www-form-urlencoded",
            b"&".join(b"a%d=b" % number for number in range(300)),
            400,
            "more than 200 fields",
        ),
        ("application/x-www-form-urlencoded", b"\xff\x00=%ff%00", 422, "A few answers need a look"),
    ],
)
def test_a_person_who_sends_what_cannot_be_read_sees_a_page(
    client: TestClient, form: dict[str, Any], kind: str, content: bytes, status: int, words: str
) -> None:
    answer = client.post("/forms/contact-us", content=content, headers={"Content-Type": kind})

    assert answer.status_code == status
    assert page(answer)
    assert words in answer.text or status == 422


# --- what a program sends ---


def test_a_program_gets_a_token_and_sends_json(
    client: TestClient, stranger: TestClient, system: System, form: dict[str, Any]
) -> None:
    given = stranger.get("/forms/contact-us/token")
    quick = send_json(stranger, form, given=given.json()["token"])
    sent = send_json(
        stranger, form, {"last_name": "Lee", "email": "lee@example.com", "first_name": None}
    )

    assert (given.status_code, given.headers["cache-control"], given.json()["seconds"]) == (
        200,
        "no-store",
        7200,
    )
    assert refusal(quick)[:2] == (422, "too_soon")
    assert (sent.status_code, sent.json()) == (202, {"lead": 1})
    assert [lead["last_name"] for lead in stored(system)] == ["Lee"]


def test_a_program_is_told_all_that_is_wrong_in_the_shape_of_every_refusal(
    client: TestClient, system: System, form: dict[str, Any]
) -> None:
    wrong = send_json(client, form, {"last_name": "Lee", "email": "lee", "first_name": ["x"]})
    misspelt = send_json(client, form, LEE | {"colour": "red", "a/b": "x"})

    assert wrong.status_code == 422
    assert [(fault["field"], fault["code"]) for fault in faults(wrong)] == [
        ("/fields/first_name", "incorrect_value"),
        ("/fields/email", "incorrect_value"),
    ]
    assert [(fault["field"], fault["code"]) for fault in faults(misspelt)] == [
        ("/fields/colour", "unknown"),
        ("/fields/a~1b", "unknown"),
    ]
    assert stored(system) == []


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"{", 400, "invalid_payload"),
        (b"[]", 400, "invalid_payload"),
        (b"\xff", 400, "invalid_payload"),
        (b"{}", 422, "missing"),
        (b'{"fields": [], "token": ""}', 422, "invalid_type"),
        (b'{"fields": {}, "token": 7}', 422, "invalid_type"),
        (b'{"fields": {}, "token": "", "trap": "x"}', 422, "unknown"),
        (b'{"fields": {}, "token": ""}', 422, "token_expired"),
        (b'{"fields": {}, "token": "\\ud800"}', 400, "invalid_payload"),
        (b"[" * 60_000, 400, "invalid_payload"),
        (b'"' + b"x" * 70_000 + b'"', 413, "body_too_large"),
    ],
)
def test_a_program_that_sends_nonsense_is_told_so(
    client: TestClient, form: dict[str, Any], content: bytes, status: int, code: str
) -> None:
    answer = client.post(
        "/forms/contact-us", content=content, headers={"Content-Type": "application/json"}
    )

    assert refusal(answer)[:2] == (status, code)


# --- scripts of other pages ---


def test_scripts_of_the_allowed_origins_may_send_and_read(
    client: TestClient, form: dict[str, Any]
) -> None:
    open_to = define(client, slug="open", origins=["https://a.com"])
    asked = {
        "Origin": "https://a.com",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }

    preflights = [client.options(f"/forms/open{path}", headers=asked) for path in ("", "/token")]
    answers = [
        client.get("/forms/open/token", headers=asked),
        send_json(client, open_to, Origin="https://a.com"),
        send_json(client, open_to, {}, Origin="https://a.com"),
        send_json(client, open_to, given="", Origin="https://a.com"),
    ]

    assert [answer.status_code for answer in (*preflights, *answers)] == [
        204,
        204,
        200,
        202,
        422,
        422,
    ]
    assert {
        answer.headers["access-control-allow-origin"] for answer in (*preflights, *answers)
    } == {"https://a.com"}
    assert {answer.headers["vary"] for answer in (*preflights, *answers)} == {"Origin"}
    assert preflights[0].headers["access-control-allow-methods"] == "GET, POST"
    assert preflights[0].headers["access-control-allow-headers"] == "Content-Type"


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    "origin",
    ["https://b.com", "http://a.com", "https://a.com:8443", "null", "https://a.com.evil.com"],
)
def test_scripts_of_other_origins_may_not(
    client: TestClient, form: dict[str, Any], origin: str
) -> None:
    open_to = define(client, slug="open", origins=["https://a.com"])
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}

    answers = [client.options(f"/forms/{slug}", headers=asked) for slug in ("open", "contact-us")]
    answers += [
        send_json(client, open_to, Origin=origin),
        client.get("/forms/open/token", headers={"Origin": origin}),
    ]

    assert not [
        name for answer in answers for name in answer.headers if name.startswith("access-control")
    ]


# --- definitions ---


def test_a_form_is_defined_shown_changed_and_deleted(
    client: TestClient, system: System, form: dict[str, Any]
) -> None:
    address = f"/api/forms/{form['id']}"

    assert form["address"] == "http://testserver/forms/contact-us"
    assert (form["owner"], form["source"], form["tags"], form["enabled"], form["origins"]) == (
        "Inbound",
        "Website",
        ["web"],
        True,
        [],
    )
    assert [field["name"] for field in form["fields"] if field["required"]] == [
        "last_name",
        "email",
    ]
    assert 'src="http://testserver/forms/contact-us"' in form["iframe"]
    changed = client.patch(
        address,
        json={"slug": "Hello", "source": None, "fields": [{"name": "surname", "label": "Name"}]},
    ).json()
    assert (changed["slug"], changed["source"], changed["tags"]) == ("hello", None, ["web"])
    assert changed["fields"] == [
        {"name": "last_name", "label": "Name", "type": "text", "required": False, "choices": []}
    ]
    assert client.get("/api/forms").json() == [changed] == [client.get(address).json()]
    send(client, changed)
    assert client.delete(address).status_code == 204
    assert refusal(client.get(address))[:2] == (404, "unknown_form")
    assert refusal(client.get(f"{address}/deliveries"))[:2] == (404, "unknown_form")
    assert [len(stored(system)), client.get("/api/forms").json()] == [1, []]


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    ("definition", "status", "code"),
    [
        ({"name": " "}, 422, "bad_form"),
        ({"owner": "Nobody"}, 404, "unknown_owner"),
        ({"owner": "Deals"}, 422, "wrong_pool_type"),
        ({"slug": "contact-us"}, 409, "form_exists"),
        ({"slug": "a/b"}, 422, "bad_form"),
        ({"fields": [{"name": "email", "label": "Email"}]}, 422, "bad_form"),
        ({"fields": [{"name": "email", "label": "Email", "kind": "email"}]}, 422, "unknown"),
        ({"redirect_url": "javascript:alert(1)"}, 422, "bad_form"),
        ({"origins": ["a.com"]}, 422, "bad_form"),
        ({"colour": "red"}, 422, "unknown"),
    ],
)
def test_what_makes_no_form_is_refused_with_the_reason(
    client: TestClient, form: dict[str, Any], definition: dict[str, Any], status: int, code: str
) -> None:
    posted(client, "/api/pools", name="Deals", record_type="deal")
    other = define(client, slug="other")
    before = client.get("/api/forms").json()

    new = client.post("/api/forms", json={"name": "Web", "owner": "Inbound"} | definition)
    changed = client.patch(f"/api/forms/{other['id']}", json=definition)

    assert refusal(new)[:2] == refusal(changed)[:2] == (status, code)
    assert client.get("/api/forms").json() == before


def test_a_slug_made_of_the_name_may_be_taken(client: TestClient, form: dict[str, Any]) -> None:
    assert refusal(client.post("/api/forms", json={"name": "Contact, us!", "owner": "Inbound"}))[
        :2
    ] == (409, "form_exists")


def test_deliveries_are_listed_page_by_page(client: TestClient, form: dict[str, Any]) -> None:
    for _ in range(3):
        send(client, form)
    address = f"/api/forms/{form['id']}/deliveries?limit=2"

    first = client.get(address).json()
    second = client.get(f"{address}&before={first['next']}").json()

    assert [each["leads"] for each in first["deliveries"] + second["deliveries"]] == [[3], [2], [1]]
    assert second["next"] is None
