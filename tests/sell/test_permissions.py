"""Who may do what through the Sell-compatible API: a table of actor by deed by answer."""

import secrets
from collections.abc import Callable
from typing import Any

import pytest

from tests.api.asking import create_pool
from tests.sell.asking import change, create, fault, told
from tests.support.factories import person, token_of
from tests.support.invariants import assert_promise
from worker.flows.system import System

OWNER, CREATOR = "owner@example.com", "creator@example.com"

ACTORS = ("stranger", "member", "owner", "creator", "reassigner", "client")
"""Nobody who is known; somebody; the owner of the record; who created it; somebody who may
reassign; an admin."""

Action = Callable[[Any, int, int], Any]
"""What an actor asks for, with a lead and a pool."""

DEEDS: dict[str, tuple[Action, tuple[int, ...]]] = {
    "read it": (lambda api, lead, _: api.get(f"/v2/leads/{lead}"), (401, 200, 200, 200, 200, 200)),
    "list all": (lambda api, *_: api.get("/v2/leads"), (401, 200, 200, 200, 200, 200)),
    "see the pools": (
        lambda api, *_: api.get("/v2/users?name=Inbound"),
        (401, 200, 200, 200, 200, 200),
    ),
    "create one": (lambda api, *_: create(api, "leads"), (401, 200, 200, 200, 200, 200)),
    "create one for a pool": (
        lambda api, _, pool: create(api, "leads", owner_id=pool),
        (401, 200, 200, 200, 200, 200),
    ),
    "edit it": (
        lambda api, lead, _: change(api, f"leads/{lead}", phone="1"),
        (401, 403, 200, 200, 403, 200),
    ),
    "send it back as it is": (
        lambda api, lead, _: change(api, f"leads/{lead}", **_shown(api, lead)),
        (401, 200, 200, 200, 200, 200),
    ),
    "hand it to somebody": (
        lambda api, lead, _: change(api, f"leads/{lead}", owner_id=1),
        (401, 403, 403, 403, 200, 200),
    ),
    "hand it to a pool": (
        lambda api, lead, pool: change(api, f"leads/{lead}", owner_id=pool),
        (401, 403, 403, 403, 200, 200),
    ),
    "hand it on and edit it": (
        lambda api, lead, pool: change(api, f"leads/{lead}", owner_id=pool, phone="1"),
        (401, 403, 403, 403, 403, 200),
    ),
    "hand it on and send the rest back": (
        lambda api, lead, pool: change(
            api, f"leads/{lead}", **{**_shown(api, lead), "owner_id": pool}
        ),
        (401, 403, 403, 403, 200, 200),
    ),
    "upsert it": (
        lambda api, *_: api.post("/v2/leads/upsert?email=a@b.c", json={"data": {"phone": "1"}}),
        (401, 403, 200, 200, 403, 200),
    ),
    "convert it": (
        lambda api, lead, _: api.post("/v2/lead_conversions", json={"data": {"lead_id": lead}}),
        (401, 403, 200, 200, 403, 200),
    ),
    "delete it": (
        lambda api, lead, _: api.delete(f"/v2/leads/{lead}"),
        (401, 403, 204, 204, 403, 204),
    ),
    "rename its tag": (
        lambda api, *_: change(api, f"tags/{_tag(api)}", name=secrets.token_hex(4)),
        (401, 403, 403, 200, 403, 200),
    ),
    "delete its tag": (
        lambda api, *_: api.delete(f"/v2/tags/{_tag(api)}"),
        (401, 403, 403, 204, 403, 204),
    ),
    "edit what isn't there": (
        lambda api, *_: change(api, "leads/999", phone="1"),
        (401, 404, 404, 404, 404, 404),
    ),
    "look for what isn't there": (lambda api, *_: api.get("/v2/tasks"), (404,) * 6),
}


def _shown(api: Any, lead: int) -> dict[str, Any]:
    answer = api.get(f"/v2/leads/{lead}")
    return told(answer) if answer.status_code == 200 else {}


def _tag(api: Any) -> int:
    answer = api.get("/v2/tags?name=a&resource_type=lead")
    return int(answer.json()["items"][0]["data"]["id"]) if answer.status_code == 200 else 1


def test_each_actor_gets_the_answer_that_the_table_says(
    client: Any,
    member: Any,
    reassigner: Any,
    stranger: Any,
    client_of: Any,
    system: System,
    subtests: pytest.Subtests,
) -> None:
    pool = create_pool(client, 2)["id"]
    owner_id = person(system, OWNER)
    person(system, CREATOR)
    owner, creator = client_of(token_of(system, OWNER)), client_of(token_of(system, CREATOR))
    clients = dict(zip(ACTORS, (stranger, member, owner, creator, reassigner, client), strict=True))

    def answered(ask: Action, api: Any) -> int:
        lead = told(create(creator, "leads", owner_id=owner_id, email="a@b.c", tags=["a"]))["id"]
        status: int = ask(api, lead, pool).status_code
        client.delete(f"/v2/leads/{lead}")
        return status

    for deed, (ask, expected) in DEEDS.items():
        with subtests.test(deed):
            found = {name: answered(ask, api) for name, api in clients.items()}

            assert found == dict(zip(ACTORS, expected, strict=True))
            assert_promise(system)


def test_a_refusal_tells_nothing_of_what_there_is(client: Any, stranger: Any, member: Any) -> None:
    lead = told(create(client, "leads"))["id"]

    strangers = [
        stranger.get(f"/v2/leads/{lead}"),
        stranger.get("/v2/leads/999"),
        stranger.post("/v2/leads", content=b"{"),
    ]
    members = [change(member, f"leads/{lead}", phone=str(number)) for number in (1, 2)]

    assert {answer.json()["errors"][0]["error"]["message"] for answer in strangers} == {
        "There is no such access token. Send one that is valid as `Authorization: Bearer TOKEN`; "
        "`evenhand user token EMAIL --name NAME` "
        "makes one."
    }
    assert [fault(answer)[:2] for answer in members] == [(403, "insufficient_scope")] * 2
    assert told(client.get(f"/v2/leads/{lead}"))["phone"] is None
