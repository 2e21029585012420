"""Smart lists over HTTP: saved, shown, changed, published, read, and refused whatever is wrong with
them."""

import json
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.asking import create_pool, faults, posted, refusal, upload
from tests.sell.asking import created
from tests.support.factories import person
from tests.support.invariants import digest
from tests.support.tasks import Tasks
from worker.flows.system import System

OSLO = {"city": "Oslo"}
STORED_OSLO = {"attribute": {"name": "city"}, "parameter": {"eq": "Oslo"}}


def saved(client: Any, name: str = "Oslo", **more: Any) -> dict[str, Any]:
    return posted(
        client, "/api/lists", **{"name": name, "record_type": "lead", "filter": OSLO, **more}
    )


def sent(client: Any, body: str) -> Any:
    """The answer to a body that no JSON library would write."""
    return client.post(
        "/api/lists", content=body.encode(), headers={"Content-Type": "application/json"}
    )


def test_a_list_is_saved_shown_changed_and_deleted(client: Any) -> None:
    made = saved(client, order="last_name:desc")
    address = f"/api/lists/{made['id']}"

    assert made == client.get(address).json() == client.get("/api/lists").json()[0]
    assert {
        name: made[name] for name in ("name", "record_type", "filter", "order", "published")
    } == {
        "name": "Oslo",
        "record_type": "lead",
        "filter": STORED_OSLO,
        "order": "last_name:desc",
        "published": False,
    }
    assert made["owner"] == {"id": 1, "name": "Root", "email": "root@example.com"}
    changed = client.patch(
        address, json={"filter": {"city": {"starts_with": "O"}}, "order": "id"}
    ).json()
    assert changed == made | {
        "filter": {"attribute": {"name": "city"}, "parameter": {"starts_with": "O"}},
        "order": "id:asc",
        "updated_at": changed["updated_at"],
    }
    assert client.patch(address, json={}).json()["filter"] == changed["filter"]
    assert (client.delete(address).status_code, refusal(client.get(address))[:2]) == (
        204,
        (404, "unknown_list"),
    )


def test_the_records_of_a_list_come_page_by_page_as_the_sell_api_shows_them(client: Any) -> None:
    leads = [
        created(client, "leads", last_name=f"L{number}", address={"city": "Oslo"})
        for number in range(5)
    ]
    created(client, "leads", last_name="Elsewhere", address={"city": "Rome"})
    address = f"/api/lists/{saved(client, order='last_name:desc')['id']}"

    pages = [
        client.get(f"{address}/records?per_page=2&page={page}").json() for page in (1, 2, 3, 4)
    ]

    assert [page["next"] for page in pages] == [2, 3, None, None]
    assert [lead for page in pages for lead in page["records"]] == leads[::-1]
    assert client.get(f"{address}/count").json() == {"count": 5}


def test_a_list_is_read_anew_each_time(client: Any) -> None:
    address = f"/api/lists/{saved(client)['id']}/count"
    assert client.get(address).json() == {"count": 0}

    lead = created(client, "leads", last_name="Lee", address={"city": "Oslo"})
    assert client.get(address).json() == {"count": 1}
    client.delete(f"/v2/leads/{lead['id']}")
    assert client.get(address).json() == {"count": 0}


def test_every_import_is_a_list_in_the_order_of_its_file(
    client: Any, member: Any, system: System, send: Tasks
) -> None:
    create_pool(client)
    created(client, "leads", last_name="Before")
    run_id = upload(client).json()["id"]
    assert member.get(f"/api/lists/import:{run_id}/count").json() == {"count": 0}
    send.drain(system)
    created(client, "leads", last_name="After")

    shown = member.get(f"/api/lists/import:{run_id}").json()
    held = member.get(f"/api/lists/import:{run_id}/records").json()

    assert [lead["first_name"] for lead in held["records"]] == ["Ada", "Grace", "Edsger"]
    assert (shown["id"], shown["name"], shown["record_type"], shown["owner"]) == (
        None,
        f"import:{run_id}",
        "lead",
        None,
    )
    assert shown["filter"] == {"attribute": {"name": "import_run"}, "parameter": {"eq": run_id}}
    assert [
        refusal(member.get(f"/api/lists/import:99{more}"))[:2]
        for more in ("", "/records", "/count")
    ] == [(404, "unknown_run")] * 3
    assert client.get("/api/lists").json() == []
    assert refusal(client.patch(f"/api/lists/import:{run_id}", json={"name": "x"}))[0] == 400


# --- who sees and changes what ---


def test_anothers_own_list_is_unknown_until_an_admin_publishes_it(
    client: Any, member: Any, reassigner: Any
) -> None:
    made = saved(member)
    address = f"/api/lists/{made['id']}"
    assert reassigner.get("/api/lists").json() == []
    assert {
        refusal(reassigner.get(f"{address}{more}"))[1] for more in ("", "/records", "/count")
    } == {"unknown_list"}
    assert refusal(member.patch(address, json={"published": True}))[:2] == (
        403,
        "insufficient_scope",
    )

    published = client.patch(address, json={"published": True}).json()

    assert reassigner.get(address).json() == reassigner.get("/api/lists").json()[0] == published
    assert (published["published"], published["owner"]) == (True, made["owner"])
    for actor in (reassigner, member):
        for answer in (actor.patch(address, json={"name": "x"}), actor.delete(address)):
            assert refusal(answer)[:2] == (403, "insufficient_scope")
    assert client.patch(address, json={"published": False}).json()["published"] is False
    assert refusal(reassigner.get(address))[1] == "unknown_list"
    assert member.delete(address).status_code == 204


def test_only_an_admin_saves_a_list_for_everybody(client: Any, member: Any) -> None:
    body = {"name": "Oslo", "record_type": "lead", "published": True}

    assert refusal(member.post("/api/lists", json=body))[:2] == (403, "insufficient_scope")
    assert client.post("/api/lists", json=body).json()["published"] is True
    assert [each["name"] for each in member.get("/api/lists").json()] == ["Oslo"]


def test_names_are_there_once_among_ones_own_and_once_among_the_published(
    client: Any, member: Any
) -> None:
    others, mine = saved(member), saved(client)
    saved(client, "Everybody's", published=True)

    assert refusal(member.post("/api/lists", json={"name": " OSLO ", "record_type": "deal"}))[
        :2
    ] == (409, "list_exists")
    assert (
        refusal(
            client.post(
                "/api/lists", json={"name": "everybody's", "record_type": "deal", "published": True}
            )
        )[0]
        == 409
    )
    assert saved(client, "everybody's")["published"] is False
    assert saved(client, "OSLO", published=True)["published"] is True
    for made in (mine, others):
        assert refusal(client.patch(f"/api/lists/{made['id']}", json={"published": True}))[:2] == (
            409,
            "list_exists",
        )
    assert client.patch(f"/api/lists/{mine['id']}", json={"name": "oslo"}).json()["name"] == "oslo"


# --- what is refused ---


@pytest.mark.parametrize(
    ("asked", "field", "told"),
    [
        (
            {"and": [OSLO, {"citty": "x"}]},
            "/filter/and/1/citty",
            "nothing that a lead can be asked for",
        ),
        (
            {"or": [{"attribute": {"name": "city"}, "parameter": {"eq": 5}}]},
            "/filter/or/0/parameter/eq",
            "must be text",
        ),
        ({"id": {"any": [1, "2"]}}, "/filter/id/any/1", "must be an integer"),
        ({"city": {"like": "x"}}, "/filter/city/like", "is no operator"),
    ],
)
def test_a_fault_of_a_filter_is_told_with_its_place(
    client: Any, asked: Any, field: str, told: str
) -> None:
    made = saved(client)

    for answer in (
        client.post("/api/lists", json={"name": "x", "record_type": "lead", "filter": asked}),
        client.patch(f"/api/lists/{made['id']}", json={"filter": asked}),
    ):
        [fault] = faults(answer)
        assert (answer.status_code, fault["field"]) == (422, field)
        assert told in fault["message"]


def test_what_a_list_is_made_of_is_checked(client: Any) -> None:
    bodies = [
        ({"name": " ", "record_type": "lead"}, "blank_name"),
        ({"name": "12", "record_type": "lead"}, "bad_list_name"),
        ({"name": "Import:1", "record_type": "lead"}, "bad_list_name"),
        ({"name": "x" * 321, "record_type": "lead"}, "bad_list_name"),
        ({"name": "x", "record_type": "user"}, "unknown_record_type"),
        ({"name": "x", "record_type": "lead", "order": "tags"}, "incorrect_value"),
        ({"name": "x", "record_type": "lead", "order": "id:down"}, "incorrect_value"),
        ({"name": "x", "record_type": "lead", "sort": "id"}, "unknown"),
        ({"name": "x", "record_type": "lead", "filter": []}, "invalid_type"),
        (
            {"name": "x", "record_type": "lead", "filter": {"owner": "nobody@example.com"}},
            "unknown_owner",
        ),
        ({"name": "x", "record_type": "lead", "filter": {"pool": "Nobody"}}, "unknown_pool"),
        ({"name": "x", "record_type": "lead", "filter": {"import_run": 1}}, "unknown_run"),
        (
            {"name": "x", "record_type": "lead", "filter": {"custom_fields.Region": "EU"}},
            "unknown_custom_field",
        ),
    ]

    assert [
        (body, refusal(client.post("/api/lists", json=body))[1]) for body, _ in bodies
    ] == bodies
    assert client.get("/api/lists").json() == []


def test_a_list_whose_filter_names_what_is_gone_says_so_and_is_not_empty(
    client: Any, system: System
) -> None:
    address = f"/api/lists/{saved(client, filter={'pool': create_pool(client)['name']})['id']}"
    assert client.get(f"{address}/count").json() == {"count": 0}
    # One deleted pool of that name is still the one that is meant. Of two, neither is.
    for _ in range(2):
        [pool] = client.get("/api/pools").json()
        client.delete(f"/api/pools/{pool['id']}")
        again = client.get(f"{address}/count")
        posted(client, "/api/pools", name="Inbound")
    [pool] = client.get("/api/pools").json()
    client.delete(f"/api/pools/{pool['id']}")

    assert refusal(again)[1] == "unknown_pool"
    assert [refusal(client.get(f"{address}/{more}"))[:2] for more in ("count", "records")] == [
        (404, "unknown_pool")
    ] * 2
    assert client.get(address).status_code == 200


def nested(opening: str, inner: str, closing: str, times: int) -> str:
    return opening * times + inner + closing * times


HOSTILE = (
    json.dumps({f"city{number}": 1 for number in range(5_000)}),
    '{"city": "\\ud800"}', '{"city\\ud800": "x"}', '{"city": "a\\u0000b"}',
    '{"custom_fields.\\u0000": "x"}',
    '{"custom_fields.\\udfff": 1}', '{"owner": "\\ud800"}', '{"tags": {"any": ["\\ud800"]}}',
    '{"city": {"\\ud800": 1}}',
    '{"id": 9223372036854775808}', '{"id": -9223372036854775808}', '{"id": 1e400}', '{"id": 1.0}',
    '{"id": true}', '{"id": NaN}',
    f'{{"id": {"9" * 4_000}}}', f'{{"id": {"9" * 5_000}}}', '{"id": {"any": []}}',
    '{"id": {"between": [1]}}',
    '{"created_at": {"after": "2026-02-30"}}',
    '{"created_at": {"after": "0001-01-01T00:00:00+14:00"}}', '{"created_at": {"after": 5}}',
    '{"created_at": {"last_days": 1e9}}', '{"created_at": {"last_days": 99999999999}}',
    '{"created_at": {"last_days": 0}}',
    '{"created_at": null}', '{"city": null}', '{"city": ""}', '{"city": {}}',
    '{"city": {"contains": ""}}', '{"tags": []}',
    '{"import_run": 0}', '{"import_run": 1.5}', '{"or": []}', '{"and": {}}', '{"not": []}',
    '{"attribute": {"name": "city"}}',
    '{"attribute": {"name": 5}, "parameter": {"eq": 1}}', '{"attribute": [], "parameter": []}',
    '{"custom_fields.": 1}', '{"": 1}',
    '{"custom_fields.a": Infinity}', '{"custom_fields.a": {"between": [1, "2026-01-01"]}}',
    '{"custom_fields.a": [1]}',
    nested('{"not": ', "{}", "}", 21), nested('{"not": ', "{}", "}", 900),
    nested('{"and": [', "1", "]}", 50_000),
    nested("[", "", "]", 100_000), nested('{"filter": ', '{"city": "x"}', "}", 500),
    *map(json.dumps, (
        {"and": [{"and": []}] * 201}, {"or": [{"city": "x"}] * 201},
        {"city": {"any": ["x"] * 1_001}}, {"owner": {"any": ["x"] * 101}},
        {"and": [{"city": {"any": ["x"] * 1_000}}] * 6}, {"city": "x" * 1_001},
    )),
)  # fmt: skip


@pytest.mark.both
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_hostile_filter_is_refused_and_nothing_is_saved(
    client: Any, system: System, subtests: pytest.Subtests
) -> None:
    before = digest(system)

    for hostile in HOSTILE:
        with subtests.test(hostile[:80]):
            answer = sent(client, f'{{"name": "x", "record_type": "lead", "filter": {hostile}}}')

            assert answer.status_code in (400, 422), answer.text
            assert all(fault["message"] for fault in faults(answer))
            assert client.get("/api/lists").json() == []
            assert digest(system) == before


def test_what_else_is_hostile_is_refused(client: Any) -> None:
    usual = {"name": "x", "record_type": "lead", "order": "id"}
    for name, text in product(usual, ("\ud800", "a\0")):
        body = json.dumps(usual | {name: text})
        assert sent(client, body).status_code in (400, 422)
    for key in ("0", "-1", "x", "import:0", "import:x", "9" * 19, "1.5", "import:%00", "%ED%A0%80"):
        for more in ("", "/records", "/count"):
            assert client.get(f"/api/lists/{key}{more}").status_code in (400, 404), key
    assert refusal(client.get(f"/api/lists/{'9' * 18}"))[1] == "unknown_list"
    assert refusal(client.get(f"/api/lists/import:{'9' * 18}"))[1] == "unknown_run"


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(("Oslo", "\ud800", "\0", "2026-02-30", "9" * 30))
    | st.text()
)
WORDS = st.sampled_from((
    "and", "or", "not", "filter", "attribute", "parameter", "name", "eq", "any", "range", "gt",
    "between", "last_days", "is_null",
    "contains", "city", "id", "tags", "created_at", "custom_fields.x", "owner", "pool",
    "import_run", "hot", "value",
    "estimated_close_date",
))  # fmt: skip
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
FILTERS = st.dictionaries(WORDS, ANYTHING, max_size=3)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_whatever_is_sent_as_a_filter_is_saved_and_read_or_refused(
    client: Any, system: System
) -> None:
    @settings(max_examples=150)
    @given(FILTERS, st.sampled_from(("lead", "contact", "deal")))
    def check(asked: dict[str, Any], record_type: str) -> None:
        answer = sent(
            client, json.dumps({"name": "x", "record_type": record_type, "filter": asked})
        )
        if answer.status_code == 201:
            address = f"/api/lists/{answer.json()['id']}"
            assert [
                client.get(f"{address}/{more}").status_code for more in ("records", "count")
            ] == [200, 200]
            assert (
                client.patch(address, json={"filter": answer.json()["filter"]}).json()["filter"]
                == answer.json()["filter"]
            )
            client.delete(address)
        else:
            assert answer.status_code in (400, 404, 422), answer.text
            assert faults(answer)

    check()


def test_lists_of_somebody_who_is_gone_stay(client: Any, member: Any, system: System) -> None:
    made = saved(member)
    client.post(f"/api/users/{person(system, 'member@example.com')}/deactivate")

    assert client.get("/api/lists").json() == [made]
    assert client.delete(f"/api/lists/{made['id']}").status_code == 204
